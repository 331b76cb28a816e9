"""How wide a text will be, so that nothing overflows.

Which font a browser takes is not known here. The table holds the advance widths of DejaVu Sans (in
hundredths of the font size), the widest of the common ones, so that every other font fits too.
"""

from kvmlab.show.theme import SIZE

ELLIPSIS = "…"
MONO = 61
BOLDER = 1.12
"""Bold letters are at most this much wider, as a text."""

_WIDTHS = {
    28: "'ijl",
    30: "IJ",
    32: " ,.·",
    34: "/:;\\|",
    37: "f-",
    40: "()[]t",
    42: "r!",
    50: '*_`–"',
    54: "sz?“”",
    56: "cL",
    58: "Fk",
    60: "vxy",
    62: "PTYaeo",
    64: "$0123456789ESbdghnpqu{}",
    66: "K",
    70: "ABVXZCR",
    76: "UNH",
    79: "&DGOQ",
    84: "w#+<=>^~→×−",
    87: "M",
    100: "%mW@…—",
}
_SANS = {char: width for width, chars in _WIDTHS.items() for char in chars}
_UNKNOWN = 100


def width(text: str, *, size: int = SIZE, mono: bool = False, bold: bool = False) -> float:
    """Return the width of ``text`` in pixels; rather too much than too little."""
    if mono:
        return len(text) * MONO * size / 100
    sum_of = sum(_SANS.get(char, _UNKNOWN) for char in text)
    return sum_of * size / 100 * (BOLDER if bold else 1)


def ellipsize(text: str, room: float, *, size: int = SIZE, mono: bool = False, bold: bool = False) -> str:
    """Return ``text``, its end replaced by an ellipsis if it is wider than ``room`` pixels."""
    if width(text, size=size, mono=mono, bold=bold) <= room:
        return text
    while text and width(text + ELLIPSIS, size=size, mono=mono, bold=bold) > room:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def wrap(text: str, room: float, *, size: int = SIZE, mono: bool = False, bold: bool = False) -> list[str]:
    """Return ``text`` broken at blanks into lines of at most ``room`` pixels (a longer word stays whole)."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size=size, mono=mono, bold=bold) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
