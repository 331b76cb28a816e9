"""What a step reads and writes, found by running it on a recording list."""

from collections.abc import Iterable, Iterator, KeysView, Sequence
from typing import Any, NoReturn

from kvmlab.errors import ModelError
from kvmlab.machine.step import Step
from kvmlab.machine.system import Move, System, top_cell


class Recorder(list[int]):
    """A working list that remembers which places were read, in which order, and which were written.

    Places are read and written one by one, ``s[place]``, or by going through all of them; what would
    look at the list in a way that nobody can record is refused with a ModelError.
    """

    def __init__(self, values: Iterable[int]) -> None:
        super().__init__(values)
        self.looked: dict[int, None] = {}
        self.writes: set[int] = set()

    @property
    def reads(self) -> KeysView[int]:
        """The places that were read, as a set, in the order of the first look."""
        return self.looked.keys()

    def __getitem__(self, at: Any) -> Any:
        if at < 0:  # of a slice this is a TypeError
            self._refuse()
        self.looked[at] = None
        return list.__getitem__(self, at)

    def __iter__(self) -> Iterator[int]:
        return (self[at] for at in range(len(self)))

    def __setitem__(self, at: Any, value: Any) -> None:
        if at < 0:
            self._refuse()
        self.writes.add(at)
        list.__setitem__(self, at, value)

    def _refuse(self, *_: object) -> NoReturn:
        raise ModelError("a step reads s[place] and writes s[place] = value; more cannot be recorded")

    __contains__ = __eq__ = __ne__ = __add__ = __reversed__ = _refuse
    index = count = copy = append = extend = insert = pop = _refuse


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
