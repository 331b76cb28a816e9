"""Many steps at once, for long runs: what has followed once from the same values follows again.

A *stride* is a piece of one CPU's way that nobody could disturb. It is found by going it while the time, the
deadlines, and all cells that never hold the same value again are unknown. So it can be made at once as long
as whatever else it looks at holds the same values, what it asks about the unknown is answered as it was, and
no deadline falls into it. A stride ends with the first step that changes a deadline; behind which somebody
else could move, or something unknown says who can; or that is to be seen. A step that does with something
unknown what cannot be foreseen ends it too, and is carried out as ever.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from kvmlab.machine.state import Cell
from kvmlab.machine.step import Effect
from kvmlab.machine.system import Move
from kvmlab.machine.watch import Recorder
from kvmlab.schedulers.foresight import ELSE, Foresight

LONGEST = 64
"""Steps of a stride."""


@dataclass(frozen=True, slots=True)
class Stride:
    """So many ``steps``, ``end`` the last of them, which begins ``last`` cycles behind the first.

    ``fn`` is the effect of all of them, to be carried out when the first one begins; ``leads`` says where
    what it returns leads, to -1 if the stride cannot be made.
    """

    end: Move
    steps: int
    last: int
    fn: Effect
    leads: Mapping[str | None, int]


@dataclass(frozen=True, slots=True)
class Strider:
    """Who finds strides: ``possible`` asks for moves, ``plan`` for a move's CPU and cycles.

    ``apart`` are the cells of the time, which is ``now``, and of deadlines, ``restless`` those that never
    hold the same value again; a step labelled one of ``seen`` ends a stride.
    """

    possible: Callable[[Recorder], list[Move]]
    plan: Callable[[Move, Sequence[int]], tuple[object, int]]
    now: Cell | None
    apart: Set[Cell]
    restless: Set[Cell]
    seen: frozenset[str]

    def go(self, r: Recorder, move: Move, start: int) -> Stride:
        """Return the stride that begins with ``move``, the only one possible in ``r``, at time ``start``."""
        ahead = Foresight(r, start, self.now, self.apart, self.restless)
        end, steps, last, cpu = move, 1, 0, self.plan(move, r)[0]
        while foreseen := ahead.carry_out(end, last):
            following = self._following(ahead, end) if steps < LONGEST else None
            if following is None or self.plan(following, r)[0] != cpu:
                break
            end, steps, last = following, steps + 1, last + self.plan(end, r)[1]
        r.looked = dict.fromkeys(ahead.looked)
        leads: dict[str | None, int] = {None: list.__getitem__(r, end.pc)} if foreseen else end.jumps
        return Stride(end, steps, last, ahead.effect(last, None if foreseen else end.fn), {**leads, ELSE: -1})

    def _following(self, ahead: Foresight, end: Move) -> Move | None:
        seen = end.step.label in self.seen or ahead.alters()
        return None if seen else ahead.following(self.possible)
