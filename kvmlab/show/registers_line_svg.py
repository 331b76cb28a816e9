"""One line of registers: where they are, their names, their values, and what those were.

A register stands at the same spot whatever is in it; what does not fit on one line begins another. A set
that is too long for its spot counts what is left out, the least urgent: the grid has all of it.
"""

from collections.abc import Callable, Sequence

from kvmlab.processor.vectors import members
from kvmlab.show.marks import SIDE
from kvmlab.show.measure import width
from kvmlab.show.registers import Moment, Reading
from kvmlab.show.registers_marks import mark, news
from kvmlab.show.svg import group, line, text

WIDTH, EDGE = 960, 8
LINE = 88
"""Height of one line."""
APART, BETWEEN = 12, 20
"""Between two registers; between two units."""
SET = 138.0
SCALAR = {1: 40.0, 8: 62.0, 32: 72.0}
"""The least room of a set, and of another register by its number of bits; only a long NDST needs more."""
MOST = 210.0
"""The most room that a set takes."""
PAD, BRACE = 4, width("{", mono=True)
"""Around words; how wide a brace is."""

Unit = Sequence[Reading]
"""The registers of one place that are looked at."""


def rows(moment: Moment) -> list[list[Unit]]:
    """Return the units line by line, as many on each as it takes."""
    found: list[list[Unit]] = [[]]
    for unit in moment.units:
        if found[-1] and _needs([*found[-1], unit]) > WIDTH - 2 * EDGE:
            found.append([])
        found[-1].append(unit)
    return found


def lines_svg(moment: Moment) -> str:
    """Return all lines, the first one at the top."""
    return "".join(_line(row, LINE * i) for i, row in enumerate(rows(moment)))


def _least(reading: Reading) -> float:
    if reading.register.says:
        return SET
    return max(SCALAR[reading.register.bits], width(reading.text, mono=True), width(reading.before))


def _need(unit: Unit) -> float:
    """Return the least width of a unit: its registers side by side, or its name."""
    return max(sum(map(_least, unit)) + APART * (len(unit) - 1), width(unit[0].register.unit))


def _needs(units: Sequence[Unit]) -> float:
    return sum(map(_need, units)) + BETWEEN * (len(units) - 1)


def _sets(unit: Unit) -> int:
    return sum(bool(reading.register.says) for reading in unit)


def _line(units: Sequence[Unit], y: float) -> str:
    """Draw the units from left to right; the sets share what is left of the line."""
    sets = sum(map(_sets, units))
    more = min((WIDTH - 2 * EDGE - _needs(units)) / max(sets, 1), MOST - SET)
    x, out = float(EDGE), []
    for i, unit in enumerate(units):
        rule = x - BETWEEN / 2
        out.append(line(rule, y + 10, rule, y + LINE - 8, tone="quiet", thickness=1) if i else "")
        out.append(_unit(unit, x, y, more))
        x += _need(unit) + more * _sets(unit) + BETWEEN
    return "".join(out)


def _unit(unit: Unit, x: float, y: float, more: float) -> str:
    """Draw the name of a unit and its registers, each set by ``more`` wider than it needs."""
    out = [text(x, y + 20, unit[0].register.unit, quiet=True)]
    for reading in unit:
        wide = _least(reading) + (more if reading.register.says else 0)
        out.append(_register(reading, x, y + 24, wide))
        x += wide + APART
    return "".join(out)


def _register(reading: Reading, x: float, y: float, room: float) -> str:
    """Draw the name, the value on yellow if it has just changed, and what it was."""
    name = text(x, y + 16, reading.register.name, bold=True)
    draw = _set if reading.register.says and reading.value else _plain
    value, end = draw(reading, x, y + 36, room)
    if reading.was is None:
        return group(name, value)
    return group(name, news(x - 2, y + 22, end - x + 4, 19), value, text(x, y + 57, _was(reading, room)))


def _plain(reading: Reading, x: float, y: float, room: float) -> tuple[str, float]:
    """Draw a value without marks; return its right edge too."""
    quiet = not reading.value and reading.was is None
    return text(x, y, reading.text, mono=True, quiet=quiet), x + width(reading.text, mono=True)


def _set(reading: Reading, x: float, y: float, room: float) -> tuple[str, float]:
    """Draw a set that holds something, a mark before each vector; return its right edge too."""
    out, at = [text(x, y, "{", mono=True)], x + BRACE + PAD
    for word in _fitting(reading.value, room - 2 * BRACE, lambda word: _wide(word) + 2 * PAD):
        if _is_vector(word):
            out.append(mark(reading.register.says, at + SIDE / 2, y - 4.5))
        end = at + _wide(word)
        out.append(text(end, y, word, mono=_is_vector(word), anchor="end"))
        at = end + 2 * PAD
    return "".join([*out, text(at - PAD, y, "}", mono=True)]), at - PAD + BRACE


def _is_vector(word: str) -> bool:
    return word.startswith("0x")


def _wide(word: str) -> float:
    """Return the room of a vector with its mark, or of what counts the others."""
    return SIDE + PAD + width(word, mono=True) if _is_vector(word) else width(word)


def _was(reading: Reading, room: float) -> str:
    """Return what a register was, in words that fit."""
    if not reading.register.says or not reading.was:
        return reading.before
    words = _fitting(reading.was, room - width("was {}"), lambda word: width(f"{word} "))
    return f"was {{{' '.join(words)}}}"


def _fitting(vectors: int, room: float, wide: Callable[[str], float]) -> list[str]:
    """Return as many vectors as there is room for, the most urgent last; of the others, the number."""
    words = [f"{vector:#x}" for vector in members(vectors)]
    for left_out in range(len(words)):
        some = [*([f"{left_out} lower"] if left_out else []), *words[left_out:]]
        if sum(map(wide, some)) <= room:
            break
    return some
