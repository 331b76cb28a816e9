"""Time as an actor, for schedulers without a clock: "now becomes the next armed deadline".

Steps read only ``now`` and deadlines, so an exploration needs no costs and stays finite. The actor
may be scheduled at any point: a step may take any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.machine.state import Cell, Layout
from kvmlab.machine.step import Block, Step, loop


@dataclass(frozen=True, slots=True)
class Time:
    """The cell that holds the time, and every cell that may hold a deadline (-1: not armed).

    A deadline behind ``horizon`` never comes: whoever arms a timer again and again would go on for ever.
    """

    now: Cell
    deadlines: tuple[Cell, ...]
    horizon: int = 1 << 62


def time_of(layout: Layout, now: Cell, horizon: int = 1 << 62) -> Time:
    """Return the time record of a layout whose records have all been allocated."""
    return Time(now, tuple(i for i, info in enumerate(layout.cells) if info.deadline), horizon)


def _ahead(s: Sequence[int], me: Time) -> list[int]:
    return [s[d] for d in me.deadlines if s[me.now] < s[d] <= me.horizon]


def _pass(s: list[int], me: Time) -> None:
    s[me.now] = min(_ahead(s, me))


TIME: Block = loop("time", Step("TIME", _pass, _ahead, "the next deadline comes"))
