"""Many steps at once, for long runs: what has followed once from the same values follows again.

A *stride* is a piece of one CPU's way that nobody could disturb. It is found by going it on a recording
list, so that all it looks at is known. As long as those places hold the same values, and no deadline falls
into it, it can be made in one go. It ends in front of a step whose effect looks at the time or a deadline,
or changes one; where somebody else could move; and in front of every step that is to be seen. What was
looked at only to find that the stride ends there does not count.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kvmlab.machine.state import Cell
from kvmlab.machine.system import Move
from kvmlab.machine.watch import Recorder

LONGEST = 64
"""Steps of a stride."""


@dataclass(frozen=True, slots=True)
class Stride:
    """So many ``steps``: the last one begins ``last`` cycles behind the first, and ends at ``cycles``.

    ``left`` is what they leave behind in the state, their actor's position included.
    """

    steps: int
    last: int
    cycles: int
    left: dict[Cell, int]


@dataclass(frozen=True, slots=True)
class Strider:
    """Who finds strides: ``possible`` asks for moves, ``plan`` for a move's CPU and cycles.

    ``apart`` are the cells of the time and of deadlines, ``restless`` those that never hold the same value
    again; a step labelled one of ``seen`` is in no stride.
    """

    possible: Callable[[Recorder], list[Move]]
    plan: Callable[[Move], tuple[object, int]]
    apart: frozenset[Cell]
    restless: set[Cell]
    seen: frozenset[str]

    def go(self, r: Recorder, move: Move) -> Stride | None:
        """Return the stride that begins with ``move``, the only one possible; None if it has no two steps."""
        mine, steps, last, cycles, left = self.plan(move)[0], 0, 0, 0, dict[Cell, int]()
        while steps < LONGEST and move.step.label not in self.seen:
            cpu, cost = self.plan(move)
            looked, r.looked, r.writes = r.looked, {}, set()
            if cpu != mine or not self._timeless(r, move):
                r.looked = looked
                break
            steps, last, cycles = steps + 1, cycles, cycles + cost
            left |= {cell: list.__getitem__(r, cell) for cell in r.writes - self.apart}
            looked, r.looked = looked | r.looked, {}
            moves = self.possible(r)
            if len(moves) != 1 or not r.reads.isdisjoint(self.restless):
                r.looked = looked
                break
            move, r.looked = moves[0], looked | r.looked
        return Stride(steps, last, cycles, left) if steps > 1 else None

    def _timeless(self, r: Recorder, move: Move) -> bool:
        """Carry out ``move``; return whether it looked at nothing that varies and left time and deadlines."""
        before = [list.__getitem__(r, cell) for cell in self.apart]
        move.carry_out(r)
        looked = r.reads & (self.apart | self.restless)
        return not looked and before == [list.__getitem__(r, cell) for cell in self.apart]
