"""Finding room for words: a few rows beside a band, filled so that nothing overlaps.

Every label keeps a line to its place; the line runs through the rows between, so those must be free there.
Whoever has no room stays silent: its tick is still drawn, and zooming in makes room. In a heap, where a word
could belong to any of many, nobody is named.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kvmlab.show import measure
from kvmlab.show.timeline_scale import EDGE, LEFT

GAP = 6
"""Pixels between two labels."""
LEAD = 3
"""Pixels from a label's line to its first letter."""
CANDIDATES = 400
"""So many of the most important labels are tried; there is room for fewer."""
NEAR, HEAP = 5.0, 4
"""So many ticks within so many pixels to both sides are a heap."""

Stretch = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label at ``x``; the smaller ``order``, the sooner it gets room, in row ``lowest`` or further out."""

    x: float
    words: str
    order: tuple[int, ...]
    lowest: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A label with room: its row (0 is nearest to the band) and where its words begin."""

    x: float
    start: float
    row: int
    words: str


@lru_cache(4096)
def width(words: str, mono: bool = True) -> float:
    """Return :func:`kvmlab.show.measure.width`, remembered: a trace repeats its words."""
    return measure.width(words, mono=mono)


def place(wanted: Iterable[Wanted], rows: int, reserved: Iterable[Stretch] = ()) -> list[Placed]:
    """Return the labels that fit into ``rows`` rows, each where nothing else is.

    ``reserved`` are stretches in which other things stand, whatever the row.
    """
    shelf = [bytearray(EDGE + GAP + 2) for _ in range(rows)]
    for begin, end in reserved:
        for row in shelf:
            row[int(begin) : int(end) + 1] = b"\1" * (int(end) + 1 - int(begin))
    found = (_put(shelf, label) for label in sorted(wanted, key=lambda label: label.order)[:CANDIDATES])
    return [placed for placed in found if placed]


def _put(shelf: list[bytearray], label: Wanted) -> Placed | None:
    """Take room right of the label's line, or else left of it, in the first row that has some."""
    room = int(width(label.words)) + 1
    for start in (label.x + LEAD, label.x - LEAD - room):
        if LEFT <= start and start + room <= EDGE:
            row = _row(shelf, label, int(min(label.x, start)), int(max(label.x, start + room)) + GAP)
            if row is not None:
                return Placed(label.x, start, row, label.words)
    return None


def _row(shelf: list[bytearray], label: Wanted, begin: int, end: int) -> int | None:
    """Take the first row with room, and the line's place in the rows before it."""
    line = int(label.x)
    for row, taken in enumerate(shelf):
        if row >= label.lowest and 1 not in taken[begin:end]:
            taken[begin:end] = b"\1" * (end - begin)
            for passed in shelf[:row]:
                passed[line - 1 : line + 2] = b"\1\1\1"
            return row
        if 1 in taken[line - 1 : line + 2]:
            return None
    return None


def lonely(places: Sequence[float]) -> list[bool]:
    """Return for each of the sorted places whether a word there can only belong to it, or to few others."""
    return [bisect_right(places, x + NEAR) - bisect_left(places, x - NEAR) < HEAP for x in places]
