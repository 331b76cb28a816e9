"""What a step reads and writes, found by running it on a recording list."""

from collections.abc import Iterable, Sequence
from typing import Any

from kvmlab.machine.system import Move


class Recorder(list[int]):
    """A working list that remembers which places were read and written."""

    def __init__(self, values: Iterable[int]) -> None:
        super().__init__(values)
        self.reads: set[int] = set()
        self.writes: set[int] = set()

    def __getitem__(self, at: Any) -> Any:
        self.reads.add(at)
        return super().__getitem__(at)

    def __setitem__(self, at: Any, value: Any) -> None:
        self.writes.add(at)
        super().__setitem__(at, value)


def footprint(move: Move, state: Sequence[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Return the places that ``move`` reads (its guard included) and writes in ``state``."""
    recorder = Recorder(state)
    if move.step.when is not None:
        move.step.when(recorder, move.me)
    if move.actor.top is not None:
        recorder[move.actor.top]
    move.carry_out(recorder)
    return frozenset(recorder.reads | {move.pc}), frozenset(recorder.writes)
