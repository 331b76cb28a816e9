"""Many steps at once, for long runs: what has followed once from the same values follows again.

A *stride* is a piece of one CPU's way that nobody could disturb. It is found by going it on a recording
list, so that all it looks at is known. As long as those places hold the same values, and no deadline falls
into it, it leaves the same behind, up to its last step, which is carried out as ever. So a stride ends with
the first step whose effect looks at the time or a deadline, or changes one; behind which somebody else could
move; or that is to be seen. What was looked at only to find that out does not count.
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
    """So many ``steps``, ``end`` the last of them, which begins ``last`` cycles behind the first.

    ``left`` is what the others leave behind in the state, their actors' positions included.
    """

    end: Move
    steps: int
    last: int
    left: dict[Cell, int]


@dataclass(frozen=True, slots=True)
class Strider:
    """Who finds strides: ``possible`` asks for moves, ``plan`` for a move's CPU and cycles.

    ``apart`` are the cells of the time and of deadlines, ``restless`` those that never hold the same value
    again; a step labelled one of ``seen`` ends a stride.
    """

    possible: Callable[[Recorder], list[Move]]
    plan: Callable[[Move], tuple[object, int]]
    apart: frozenset[Cell]
    restless: set[Cell]
    seen: frozenset[str]

    def go(self, r: Recorder, move: Move) -> Stride:
        """Return the stride that begins with ``move``, the only one possible in ``r``."""
        cpu, steps, last, left, looked = self.plan(move)[0], 1, 0, dict[Cell, int](), r.looked
        while steps < LONGEST and move.step.label not in self.seen:
            r.looked, r.writes = {}, set()
            if not self._timeless(r, move):
                break
            moves = self.possible(r)
            if len(moves) != 1 or not r.reads.isdisjoint(self.restless) or self.plan(moves[0])[0] != cpu:
                break
            left |= {cell: list.__getitem__(r, cell) for cell in r.writes - self.apart}
            steps, last, looked = steps + 1, last + self.plan(move)[1], looked | r.looked
            move = moves[0]
        r.looked = looked
        return Stride(move, steps, last, left)

    def _timeless(self, r: Recorder, move: Move) -> bool:
        """Carry out ``move``; return whether it looked at neither time nor deadlines, and left them."""
        before = [list.__getitem__(r, cell) for cell in self.apart]
        move.carry_out(r)
        return r.reads.isdisjoint(self.apart) and before == [list.__getitem__(r, cell) for cell in self.apart]
