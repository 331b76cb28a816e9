"""The threshold: how far L2 gets past its VM entry, by each way of making it leave again.

x is L2's instructions, not time. Left of the double line is root mode, with what the entry will find:
an event in the entry field, an interrupt pending at the CPU. The band behind the line is delivery:
it changes RIP and the stack, and retires nothing. Then the ruler. The rows come out of the model
(:mod:`kvmlab.show.outcome`); the picture only places them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from kvmlab.show import marks
from kvmlab.show.measure import width
from kvmlab.show.methods import (
    FATES,
    METHODS,
    TOP_VECTOR,
    Row,
    count,
    heading,
    rows,
    sentence,
    sign,
    threshold_text,
    told,
)
from kvmlab.show.outcome import Outcome, outcome
from kvmlab.show.ruler import Ruler
from kvmlab.show.svg import arrow, document, group, line, rect, text

__all__ = ["METHODS", "TOP_VECTOR", "Outcome", "Row", "outcome", "rows", "threshold_svg", "threshold_text"]

WIDTH = 960
TOP, PITCH = 84, 55
DOOR, ZERO = 240, 332
"""x of the VM entry and of tick 0; between them lies the band of delivery."""
EVENT, CPU, BOX = 121, 179, 54
"""x of the two boxes in root mode, and their width."""
BAR, THICK = 20, 16
"""Where a row's bar begins below the row's top, and how thick it is."""
UNDER = PITCH - 5
"""The baseline of the words under a bar."""
RULER = Ruler(ZERO)


def threshold_svg(some: Sequence[Row]) -> str:
    """Return the picture; it is as high as it has rows (360 for four)."""
    bottom = TOP + PITCH * len(some)
    drawn = (_row(TOP + PITCH * i, name, row) for i, (name, row) in enumerate(some))
    axis = RULER.axis(bottom + 4, "instructions of L2")
    foot = text(6, bottom + 47, sentence(some), big=True, room=WIDTH - 20)
    body = _ground(bottom), *_headings(some), *drawn, axis, foot
    return document(WIDTH, bottom + 56, "The threshold", sentence(some), "".join(body))


def _ground(bottom: float) -> str:
    """The stage: the ruler's hairlines, the band of delivery, the door."""
    band = group(rect(DOOR, TOP - 4, ZERO - DOOR, bottom - TOP + 8, "quiet", outline=0), opacity=0.12)
    door = (line(x, TOP - 44, x, bottom + 8, thickness=2) for x in (DOOR - 2, DOOR + 2))
    return group(RULER.guides(TOP - 4, bottom + 4), band, *door)


def _headings(some: Sequence[Row]) -> Iterator[str]:
    situation, natural = heading(some)
    yield text(6, 20, situation, big=True, bold=True)
    yield text(WIDTH - 6, 20, natural, anchor="end")
    yield text(6, 75, "root mode (L0)", quiet=True)
    yield _stack(EVENT + BOX / 2, "entry", "event", anchor="middle")
    yield _stack(CPU + BOX / 2, "pending", "at the", "CPU", anchor="middle")
    yield text(DOOR + 9, 45, "VM entry", bold=True)
    yield _stack(DOOR + 9, "delivery: frame pushed,", "RIP := handler")


def _stack(x: float, *words: str, anchor: Literal["start", "middle"] = "start") -> str:
    """Return lines of a heading, the last one just above the rows."""
    first = TOP - 9 - 15 * (len(words) - 1)
    return group(*(text(x, first + 15 * i, word, anchor=anchor) for i, word in enumerate(words)))


def _row(y: float, name: str, row: Outcome) -> str:
    """Draw one method between ``y`` and ``y + PITCH``."""
    method = text(6, y + BAR + 6, name, bold=True, room=EVENT - 8)
    which = text(6, y + BAR + 22, row.kernel, mono=True, quiet=True, room=EVENT - 8)
    way = _entered(y, row) if row.entered else _turned_away(y, row)
    return group(method, which, _boxes(y + BAR - 4, row), way)


def _boxes(y: float, row: Outcome) -> str:
    """What the entry will find: the event in the entry field, and what is pending at the CPU."""
    middle, inside = y + 12, ""
    if row.event != "-":
        inside += _vector(EVENT, middle, row.event, marks.square, "lost" if row.lost else "in entry field")
    if row.pending != "-":
        inside += _vector(CPU, middle, row.pending, marks.diamond, "pending")
    if row.trap:
        inside += marks.wish(EVENT + 6, middle + 23) + text(EVENT + 17, middle + 28, "MTF on")
    return group(rect(EVENT, y, BOX, 24), rect(CPU, y, BOX, 24), inside)


def _vector(x: float, y: float, vector: str, mark: Callable[[float, float, Any], str], state: str) -> str:
    """Return a mark with its vector beside it, for a box that begins at ``x``."""
    return mark(x + 9, y, state) + text(x + 17, y + 5, vector, mono=True)


def _entered(y: float, row: Outcome) -> str:
    """The way through the door, L2's bar, and the exit that closes it."""
    middle, x = y + BAR + THICK / 2, RULER.x(row.instructions)
    way = arrow(CPU + BOX, middle, ZERO, middle)
    if row.delivered:
        way += rect(DOOR + 16, middle - 10, BOX, 20, outline=0)
        way += _vector(DOOR + 16, middle, row.event, marks.square, "delivered")
    bar = RULER.bar(y + BAR, THICK, row.instructions, "l2", "L2")
    late = _late(y, x) if row.late else ""
    leave = arrow(x, y + BAR, x, y + PITCH - 2, thickness=2)
    far = f", {count(row.instructions)}"
    return group(way, bar, late, leave, _verdict(x + 14, y, row), _beside(x, y + UNDER, _exit(row), far))


def _exit(row: Outcome) -> str:
    return f"{row.reason}, RIP {row.rip}"


def _late(y: float, x: float) -> str:
    """L1's interrupt above all that L2 executed."""
    level, words = y + 10, "0x40 for L1 waits"
    start = ZERO + 22 + width(words)
    reach = line(start, level, x, level) + line(x, level - 4, x, level + 4) if start < x else ""
    waits = marks.square(ZERO + 8, level, "pending") + _on_paper(ZERO + 18, level + 5, words)
    return group(waits, reach)


def _verdict(x: float, y: float, row: Outcome) -> str:
    """Return the verdict on the level of the bar: its sign, its word, and why if no other mark says so."""
    middle, says = y + BAR + THICK / 2, row.word
    mark = {"✓": marks.check, "✕": marks.cross}.get(sign(row), marks.dash)
    fate = "" if row.late else FATES.get(says, "")
    behind = x + 18 + width(says, bold=True)
    return (
        rect(x - 7, middle - 7, behind - x, 14, outline=0)
        + mark(x, middle)
        + text(x + 10, middle + 5, says, bold=True)
        + (_on_paper(behind, middle + 5, fate) if fate else "")
    )


def _beside(x: float, y: float, words: str, more: str) -> str:
    """Return words right of an arrow at ``x``, else left of it, else ``more`` of them on the other side."""
    whole = words + more
    if x + 10 + width(whole) < WIDTH - 8:
        return _on_paper(x + 10, y, whole)
    if x - 10 - width(whole) > ZERO:
        return _on_paper(x - 10 - width(whole), y, whole)
    return _on_paper(x - 10 - width(words), y, words) + _on_paper(x + 10, y, more.strip(", "))


def _on_paper(x: float, y: float, words: str) -> str:
    """Return text that no hairline runs through."""
    return rect(x - 2, y - 11, width(words) + 2, 14, outline=0) + text(x, y, words)


def _turned_away(y: float, row: Outcome) -> str:
    """The way that ends before the door, and what L1 and L2 have of it."""
    x, low = CPU + BOX / 2, y + PITCH - 2
    away = arrow(x, y + BAR + 20, x, low, thickness=2) + text(x - 10, low, "no entry", anchor="end")
    fate = _verdict(ZERO + 16, y, row)
    return group(away, fate, _on_paper(ZERO + 10, y + UNDER, f"L2 is never entered; {told(row)}"))
