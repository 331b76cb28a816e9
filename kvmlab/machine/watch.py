"""What a step reads and writes, found by running it on a recording list."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kvmlab.machine.step import Step
from kvmlab.machine.system import Move, System, top_cell


class Recorder(list[int]):
    """A working list that remembers which places were read and written."""

    def __init__(self, values: Iterable[int]) -> None:
        super().__init__(values)
        self.reads: set[int] = set()
        self.writes: set[int] = set()

    def __getitem__(self, at: Any) -> Any:
        self.reads.add(at)
        return super().__getitem__(at)

    def __iter__(self) -> Iterator[int]:
        self.reads |= set(range(len(self)))
        return super().__iter__()

    def __setitem__(self, at: Any, value: Any) -> None:
        self.writes.add(at)
        super().__setitem__(at, value)


def footprint(system: System, move: Move, state: Sequence[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Return the places that ``move`` reads and writes in ``state``.

    Whether it is enabled depends on its own guard, on those of higher priority in its row, and on the
    frame on top of its CPU: all of them are read.
    """
    recorder = Recorder(state)
    for step in _asked(system, move):
        if step.when is not None:
            step.when(recorder, move.me)
    top = top_cell(move.actor.top, recorder)
    if top is not None:
        recorder[top]
    move.carry_out(recorder)
    return frozenset(recorder.reads | {move.pc}), frozenset(recorder.writes)


def _asked(system: System, move: Move) -> list[Step]:
    """Return the steps whose guards were asked before ``move`` was found enabled, its own included."""
    first = system.places[move.actor.letter][move.at].row.first
    above = first[: first.index(move.step)] if move.step in first else first
    return [*above, move.step]
