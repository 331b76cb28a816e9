"""Every schedule there is, breadth first, so that the first bug found is a shortest one.

What makes the answer trustworthy: the *whole* state is hashed (positions, pending vectors, flags);
a state without a successor that is no declared end is an error of the model, not a verdict; the
search goes on after the first violation and keeps them all; a bounded search says its bound.

A violating state is not explored further: what happens after the loss proves nothing.

A reduced search leaves out what the order of steps cannot change. It finds the same verdict, and a
violating state for every one that an unreduced search finds, but not always by a shortest schedule.
"""

from array import array
from dataclasses import dataclass

from kvmlab.errors import BadInput, ModelError
from kvmlab.machine import schedule
from kvmlab.machine.packed import Packed, PackedSystem
from kvmlab.machine.property import Property, Question, broken
from kvmlab.machine.run import Run
from kvmlab.machine.system import Move, System
from kvmlab.schedulers.reduction import Reduction
from kvmlab.schedulers.replay import replay


@dataclass(frozen=True, slots=True)
class Violation:
    """A property and a shortest schedule that breaks it in one particular state."""

    property: Property
    schedule: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exploration:
    """The result of a search; ``bound`` is the number of states it was limited to, if it hit the limit.

    ``reduced`` says what was left out, if anything was: states are then counted up to that.
    """

    system: System
    properties: tuple[Property, ...]
    states: int
    transitions: int
    violations: tuple[Violation, ...]
    bound: int | None
    reduced: str = ""

    @property
    def complete(self) -> bool:
        """Whether every reachable state was seen."""
        return self.bound is None

    @property
    def verdict(self) -> str:
        """``ok`` or ``violated``."""
        return "violated" if self.violations else "ok"

    @property
    def shortest(self) -> Violation | None:
        """A shortest counterexample (of a reduced search: the shortest one that it found)."""
        return self.violations[0] if self.violations else None

    @property
    def counterexample(self) -> Run | None:
        """The shortest counterexample as a run."""
        return replay(self.system, self.shortest.schedule) if self.shortest else None

    def __repr__(self) -> str:
        scope = "every schedule" if self.complete else f"the first {self.bound} states"
        size = f"{self.states} states, {self.transitions} transitions"
        size += f" ({self.reduced})" if self.reduced else ""
        if self.shortest is None:
            return f"{'ok' if self.complete else 'nothing found'} in {scope}: {size}"
        n = len(self.shortest.labels) - 1  # The last label is the check.
        length = f"{n} steps, maybe not the fewest" if self.reduced else f"shortest {n} steps"
        return f"violated ({self.shortest.property.label}): {length}, {scope}, {size}"


class Trail:
    """How each state was first reached: from which one and by which move. States are numbered as found."""

    def __init__(self) -> None:
        self.before = array("q", [0])
        self.moves: list[Move | None] = [None]

    def add(self, before: int, move: Move) -> None:
        """Number the next state: it was reached from state ``before`` by ``move``."""
        self.before.append(before)
        self.moves.append(move)

    def path(self, number: int) -> list[Move]:
        """Return the moves that lead to a state."""
        moves: list[Move] = []
        while (move := self.moves[number]) is not None:
            moves.append(move)
            number = self.before[number]
        return moves[::-1]

    def schedule(self, number: int) -> str:
        """Return the same as a schedule."""
        return schedule.text(tuple(move.token for move in self.path(number)))


def explore(question: Question, limit: int | None = None, reduce: bool = False) -> Exploration:
    """Try every schedule of a scenario and return what was found.

    ``limit`` bounds the number of states; the search then stops after the layer that reaches it, and
    an "ok" is no proof. ``reduce`` lets actors that are alike stand for each other and local steps go
    first. Raises BadInput for a limit below 1, ModelError for a state in which nobody can move and that
    is no declared end, with the schedule that leads there.
    """
    if limit is not None and limit < 1:
        raise BadInput(f"a limit of {limit} states: 1 or more")
    properties, packed = question.properties, PackedSystem(question.system)
    broken_in = packed.remember(lambda s: (broken(properties, s),))
    enabled = packed.enabled
    reduction = Reduction(question, packed.packing) if reduce else None
    trail, violations = Trail(), []
    transitions, bound = 0, None
    seen = {reduction.key(packed.start) if reduction else packed.start}
    layer, first, size = [packed.start], 0, 1  # the layer's states are numbered from ``first`` on
    while layer:
        following: list[Packed] = []
        bad = {n: prop for n, state in enumerate(layer, first) if (prop := broken_in(state)[0])}
        violations += [_violation(prop, trail, number) for number, prop in bad.items()]
        if limit is not None and size > limit:
            bound = limit  # What was counted was also looked at: this layer too, though it is not expanded.
            break
        for number, state in enumerate(layer, first):
            if number in bad:
                continue
            moves = enabled(state)
            if not moves and not question.done(packed.packing.unpack(state)):
                raise ModelError(f"deadlock: nobody can move after {trail.schedule(number)!r}")
            if reduction:
                moves = reduction.enough(moves)
            transitions += len(moves)
            for move, changes in moves:
                after = state ^ changes(state)
                seen.add(reduction.key(after) if reduction else after)
                if len(seen) > size:
                    size += 1
                    following.append(after)
                    trail.add(number, move)
        first += len(layer)
        layer = following
    says = reduction.says if reduction else ""
    return Exploration(question.system, properties, size, transitions, tuple(violations), bound, says)


def _violation(prop: Property, trail: Trail, number: int) -> Violation:
    labels = (*(move.label for move in trail.path(number)), f"check:{prop.label}")
    return Violation(prop, trail.schedule(number), labels)
