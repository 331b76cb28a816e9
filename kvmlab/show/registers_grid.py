"""The grid of 256 vectors as data: bands of 16, one per priority class, the most urgent on top.

A :class:`Spot` is a vector in a register: set, or just cleared. Every set bit is one spot, in the lane of its
register; a vector that is posted, pending and in service at once is three.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kvmlab.processor import priority
from kvmlab.processor.vectors import bit, members
from kvmlab.show.registers import Moment, Reading, Register

CLASSES, WIDE = 16, 16
"""Classes, and vectors in each."""

ORDER = ("posted", "pending", "in service", "level-triggered")
"""The lanes of a band from top to bottom: an interrupt falls from one to the next."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A vector in a set: there, or just gone; ``changed`` says that it has just been set or cleared."""

    vector: int
    register: Register
    is_set: bool
    changed: bool

    @property
    def phrase(self) -> str:
        """What it says: ``0x31 pending (IRR)``, ``0x31 just now posted (PIR)``, ``0x31 no longer ...``."""
        when = "" if not self.changed else "just now " if self.is_set else "no longer "
        return f"{self.vector:#x} {when}{self.register.says} ({self.register.name})"


@dataclass(frozen=True, slots=True)
class Band:
    """The 16 vectors of one class, and whether the processor priority holds them back."""

    number: int
    held: bool
    spots: tuple[Spot, ...]

    @property
    def first(self) -> int:
        """Its lowest vector."""
        return self.number * WIDE


def lanes(moment: Moment) -> tuple[Reading, ...]:
    """Return the sets that are looked at, as they stand in a band from top to bottom."""
    sets = (reading for reading in moment.readings if reading.register.says)
    return tuple(sorted(sets, key=lambda reading: ORDER.index(reading.register.says)))


def bands(moment: Moment) -> tuple[Band, ...]:
    """Return the classes, the highest first."""
    spots = [spot for lane in lanes(moment) for spot in _spots(lane)]
    return tuple(_band(moment, number, spots) for number in reversed(range(CLASSES)))


def _band(moment: Moment, number: int, spots: list[Spot]) -> Band:
    level = moment.threshold
    held = level is not None and not priority.passes(number * WIDE, level.value)
    mine = (spot for spot in spots if priority.priority_class(spot.vector) == number)
    return Band(number, held, tuple(sorted(mine, key=lambda spot: spot.vector)))


def _spots(lane: Reading) -> Iterator[Spot]:
    """Yield what is set, and what has just been cleared."""
    was = lane.value if lane.was is None else lane.was
    for vector in members(lane.value | was):
        is_set = bool(lane.value & bit(vector))
        yield Spot(vector, lane.register, is_set, is_set != bool(was & bit(vector)))


def reach(moment: Moment) -> str:
    """Return what the processor priority holds back, in words; nothing if it is not looked at."""
    level, held = moment.threshold, [band for band in bands(moment) if band.held]
    if level is None:
        return ""
    return f"held back by {level.register.name} {level.text}: 0x00 to {held[0].first + WIDE - 1:#04x}"
