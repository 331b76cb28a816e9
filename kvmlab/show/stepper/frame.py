"""Where things are in a stepper's picture: three panels over a foot, and a list that scrolls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Panel:
    """A vertical strip of the picture."""

    x: float
    w: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w


WIDTH, HEIGHT = 960, 440
LEFT, MIDDLE, RIGHT = Panel(0, 300), Panel(310, 380), Panel(700, 260)
FOOT = 32
"""Height of the foot: one big line, or two of the small size."""
TOP = 22
"""Baseline of the panels' titles."""
FIRST = 34
"""Upper edge of the first line below a title."""
LINE = 20
"""Height of a line."""
BOTTOM = HEIGHT - FOOT - 4
"""Lower edge of the panels."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that is in view: items ``start`` to ``end``; the rest is above and below."""

    start: int
    end: int
    size: int

    @property
    def above(self) -> int:
        """How many items are hidden above."""
        return self.start

    @property
    def below(self) -> int:
        """How many items are hidden below."""
        return self.size - self.end

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """Return the items in view."""
        return items[self.start : self.end]


def window(size: int, focus: int, room: int) -> Window:
    """Return which of ``size`` lines are in view, around ``focus``, if ``room`` lines fit.

    A line is left free at each end where something is hidden, for "3 more".
    """
    if size <= room:
        return Window(0, size, size)
    start = min(max(focus - room // 2, 0), size - room)
    end = start + room
    return Window(start + (start > 0), end - (end < size), size)


def room_below(top: float) -> float:
    """Return how many pixels a panel has below ``top``."""
    return BOTTOM - top


def lines(top: float = FIRST) -> int:
    """Return how many lines fit below ``top``."""
    return int(room_below(top)) // LINE
