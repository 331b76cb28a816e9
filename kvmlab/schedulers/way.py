"""The way back: which steps a sample's cycles went into, from its end to its beginning.

A step could begin because the one before it on its CPU was over. If its CPU was idle by then, somebody else's
step made it possible at that moment, or time had come. Each of the three is one move back, and the pieces add
up to the whole, whatever else ran at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WAITING = ""
"""The label of a piece in which nobody on the way did anything."""


@dataclass(frozen=True, slots=True)
class Busy:
    """A step that was taken: its CPU (under any name) is busy from ``start`` to ``finish``."""

    cpu: object
    label: str
    start: int
    finish: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the way: so many cycles of a step, ``late`` ones of it having passed before."""

    label: str
    cycles: int
    late: int = 0


def way_back(log: Sequence[Busy], begin: int, early: int = 0) -> list[Piece]:
    """Return the way from ``begin`` to the start of the last step in ``log``, in order of time.

    If the first step that was waited for began before ``begin``, but no more than ``early`` cycles, it counts
    in full and the time that passed before it is negative. Else only what lies behind ``begin`` counts.
    """
    here, at = len(log) - 1, log[-1].start
    way: list[Busy] = []
    while at >= begin - early:
        before = _same_cpu(log, here)
        since = log[before].finish if before >= 0 else begin
        if since == at and before >= 0:
            here, at = before, log[before].start
            way.append(log[here])
        elif (other := _at_the_same_time(log, here)) >= 0:
            here = other
        elif since <= begin:
            return [*_passed(at - begin), *(_whole(step) for step in reversed(way))]
        else:
            way.append(Busy(None, WAITING, since, at))
            at = since
    return [_behind(step, begin) for step in reversed(way) if step.finish > begin]


def _same_cpu(log: Sequence[Busy], here: int) -> int:
    """Return the index of the step before on the same CPU, -1 if there is none."""
    cpu = log[here].cpu
    return next((i for i in range(here - 1, -1, -1) if log[i].cpu == cpu), -1)


def _at_the_same_time(log: Sequence[Busy], here: int) -> int:
    """Return the index of the last step before that was taken at the same moment, -1 if there is none."""
    return here - 1 if here and log[here - 1].start == log[here].start else -1


def _passed(cycles: int) -> list[Piece]:
    return [Piece(WAITING, cycles)] if cycles else []


def _whole(step: Busy) -> Piece:
    return Piece(step.label, step.finish - step.start)


def _behind(step: Busy, begin: int) -> Piece:
    late = max(begin - step.start, 0)
    return Piece(step.label, step.finish - step.start - late, late)
