"""What must come in the end: looked for is a schedule that goes on for ever, fairly, without it.

Such a schedule is a lasso: a stem, and a loop in which it is owed all along. (Or an end: nobody can move any
more.) All that is assumed without saying is that the machine does not stop while somebody can move.
Everything else is a :class:`kvmlab.machine.property.Fairness` with a name; the fewer are needed, the better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.machine import schedule
from kvmlab.machine.property import Eventually, Fairness, LiveQuestion
from kvmlab.machine.system import Move
from kvmlab.schedulers.explore import Exploration, Violation
from kvmlab.schedulers.graph import Graph, graph
from kvmlab.schedulers.lasso import Debts, Ground, fair_parts, loop


@dataclass(frozen=True, slots=True)
class Lasso(Violation):
    """A schedule without what must come: ``stem`` steps lead to the loop, the others go round for ever.

    Without a loop it is an end. The stem is a shortest one.
    """

    stem: int

    @property
    def round(self) -> int:
        """The number of steps of the loop."""
        return len(self.labels) - 1 - self.stem


@dataclass(frozen=True, slots=True)
class Liveness(Exploration):
    """The result of a search for lassos that ``fairness`` does not exclude."""

    fairness: tuple[Fairness, ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(each.name for each in self.fairness) or "none"
        size = f"{self.states} states, {self.transitions} transitions; fairness: {names}"
        scope = "every schedule" if self.complete else f"the first {self.bound} states"
        if not isinstance(self.shortest, Lasso):
            return f"{'ok' if self.complete else 'nothing found'} in {scope}: {size}"
        steps, label = self.shortest.stem, self.shortest.property.label
        then = f"{self.shortest.round} for ever" if self.shortest.round else "nobody can move"
        return f"violated ({label}): {steps} steps, then {then}, {scope}, {size}"


def liveness(question: LiveQuestion, fairness: Sequence[Fairness] = (), limit: int | None = None) -> Liveness:
    """Look for fair lassos among all schedules of ``question`` and return one for each property that has one.

    ``limit`` bounds the number of states, and an "ok" is then no proof. Raises BadInput for a limit below 1,
    ModelError for a state in which nobody can move and that is no declared end.
    """
    found = graph(question, limit)
    ground = _ground(found, fairness)
    lassos = tuple(lasso for each in question.liveness if (lasso := _first(found, ground, each)) is not None)
    size = len(found.states), found.transitions
    return Liveness(question.system, question.liveness, *size, lassos, found.bound, fairness=tuple(fairness))


def _ground(found: Graph, fairness: Sequence[Fairness]) -> Ground:
    unpack = found.packed.packing.unpack
    owes = []
    for state, edges in zip(map(unpack, found.states), found.edges, strict=False):
        owes.append([frozenset(_debts(move, state, fairness)) for move, _ in edges])
    strong = Debts(debt for row in owes for debts in row for debt in debts if debt[0].strong)
    return Ground([[to for _, to in edges] for edges in found.edges], owes, strong)


def _debts(move: Move, state: Sequence[int], fairness: Sequence[Fairness]) -> list[tuple[Fairness, str]]:
    return [(each, debt) for each in fairness if (debt := each.owes(move, state))]


def _first(found: Graph, ground: Ground, owed: Eventually) -> Lasso | None:
    """Return the lasso with a shortest stem."""
    is_owed = found.packed.remember(lambda s: bool(owed.broken(s)))
    within = {n for n in range(len(found.edges)) if is_owed(found.states[n])}
    parts = list(fair_parts(ground, within))
    if not parts:
        return None
    start = min(map(min, parts))  # states are numbered breadth first
    return _lasso(found, ground, owed, next(part for part in parts if start in part), start)


def _lasso(found: Graph, ground: Ground, owed: Eventually, part: frozenset[int], start: int) -> Lasso:
    stem = found.trail.path(start)
    moves = [*stem, *(found.edges[state][i][0] for state, i in loop(ground, part, start))]
    labels = (*(move.label for move in moves), f"check:{owed.label}")
    return Lasso(owed, schedule.text(tuple(move.token for move in moves)), labels, len(stem))
