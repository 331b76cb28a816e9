"""SVG as strings: a handful of shapes, each in the classes of the theme.

Everything that is text goes through :func:`html.escape` here, so that a trace or a learner's input
is never markup. There are no ids and no references (``url(#...)``): several pictures share a page.
A *role* is a name of :mod:`kvmlab.show.theme`: paper, ink, quiet, l1 ... wrong, or ``solid-`` and a hue.
"""

from collections.abc import Sequence
from html import escape
from math import atan2, cos, pi, sin
from typing import Literal

from kvmlab.show import measure
from kvmlab.show.theme import BIG, OUTLINE, SCOPE, SIZE, style

Kind = Literal["solid", "dashed", "dotted"]
"""Solid: caused. Dashed: under way. Dotted: what the other kernel would do."""

_DASHES: dict[Kind, str] = {"solid": "", "dashed": "5 3", "dotted": "1.5 3"}


def num(x: float) -> str:
    """Print a coordinate, the same on every platform."""
    return f"{x:.1f}".removesuffix(".0")


def attributes(**given: object) -> str:
    """Return XML attributes; ``_`` stands for ``-``, a trailing one is dropped, empty ones are left out."""
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in given.items() if value != "")
    return "".join(
        f' {key}="{num(value) if isinstance(value, float | int) else escape(str(value))}"'
        for key, value in pairs
    )


def _classes(*names: str) -> str:
    return " ".join(f"{SCOPE}-{name}" for name in names if name)


def _stroke(kind: Kind, thickness: float, tone: str) -> dict[str, object]:
    """Return class and attributes of a line in ``tone`` (ink or quiet)."""
    return {
        "class_": _classes("quiet-line" if tone == "quiet" else "line"),
        "stroke_width": thickness,
        "stroke_dasharray": _DASHES[kind],
    }


def document(width: int, height: int, title: str, alt: str, body: str) -> str:
    """Return a whole picture; ``alt`` is the sentence that a screen reader says instead of it."""
    head = attributes(
        xmlns="http://www.w3.org/2000/svg",
        class_=SCOPE,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        style="max-width:100%;height:auto",
        role="img",
        aria_label=alt,
    )
    paper = rect(0, 0, width, height, "paper", outline=0)
    return f"<svg{head}><title>{escape(title)}</title><style>{style()}</style>{paper}{body}</svg>"


def group(*items: str, title: str = "", opacity: float = 1) -> str:
    """Return shapes as one; ``title`` repeats what is visible, for those who point at it."""
    head = attributes(opacity="" if opacity == 1 else opacity)
    return f"<g{head}>{f'<title>{escape(title)}</title>' if title else ''}{''.join(items)}</g>"


def rect(
    x: float,
    y: float,
    w: float,
    h: float,
    role: str = "paper",
    *,
    outline: float = OUTLINE,
    kind: Kind = "solid",
    tone: str = "ink",
    r: float = 0,
) -> str:
    """Return a filled rectangle with an outline (0: none) in ``tone``."""
    fill = f"<rect{attributes(class_=_classes(role), x=x, y=y, width=w, height=h, rx=r or '')}/>"
    if not outline:
        return fill
    frame = attributes(x=x, y=y, width=w, height=h, rx=r or "", **_stroke(kind, outline, tone))
    return f"{fill}<rect{frame}/>"


def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    kind: Kind = "solid",
    *,
    thickness: float = OUTLINE,
    tone: str = "ink",
) -> str:
    """Return a straight line."""
    return f"<line{attributes(x1=x1, y1=y1, x2=x2, y2=y2, **_stroke(kind, thickness, tone))}/>"


def path(
    d: str, role: str = "", kind: Kind = "solid", *, thickness: float = OUTLINE, tone: str = "ink"
) -> str:
    """Return a path, filled with ``role`` if one is given, outlined if ``thickness`` is not 0."""
    fill = f"<path{attributes(class_=_classes(role), d=d)}/>" if role else ""
    return fill + (f"<path{attributes(d=d, **_stroke(kind, thickness, tone))}/>" if thickness else "")


def polygon(points: Sequence[tuple[float, float]], role: str, *, outline: float = OUTLINE) -> str:
    """Return a closed shape."""
    d = "M" + "L".join(f"{num(x)} {num(y)}" for x, y in points) + "Z"
    return path(d, role, thickness=outline)


def arrow(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    kind: Kind = "solid",
    *,
    thickness: float = OUTLINE,
    tone: str = "ink",
) -> str:
    """Return an arrow whose tip is at the second point."""
    turn, size = atan2(y2 - y1, x2 - x1), 7.0
    wings = [(x2 - size * cos(turn + side), y2 - size * sin(turn + side)) for side in (-pi / 7, pi / 7)]
    back = (x2 - size * cos(turn) * 0.8, y2 - size * sin(turn) * 0.8)
    head = polygon([(x2, y2), *wings], "quiet" if tone == "quiet" else "ink", outline=0)
    return line(x1, y1, *back, kind, thickness=thickness, tone=tone) + head


def circle(x: float, y: float, r: float, role: str = "paper") -> str:
    """Return a filled and outlined circle."""
    fill = f"<circle{attributes(class_=_classes(role), cx=x, cy=y, r=r)}/>"
    return fill + f"<circle{attributes(cx=x, cy=y, r=r, **_stroke('solid', OUTLINE, 'ink'))}/>"


def text(
    x: float,
    y: float,
    words: str,
    *,
    big: bool = False,
    bold: bool = False,
    mono: bool = False,
    quiet: bool = False,
    anchor: Literal["start", "middle", "end"] = "start",
    room: float | None = None,
) -> str:
    """Return one line of text with its baseline at ``y``, cut with an ellipsis if ``room`` is too small."""
    if room is not None:
        words = measure.ellipsize(words, room, size=BIG if big else SIZE, mono=mono, bold=bold)
    roles = ("mono" if mono else "", "big" if big else "", "bold" if bold else "")
    head = attributes(
        x=x,
        y=y,
        class_=_classes(*roles, "quiet-text" if quiet else ""),
        text_anchor="" if anchor == "start" else anchor,
    )
    return f"<text{head}>{escape(words)}</text>"
