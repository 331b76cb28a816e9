"""Every schedule there is, breadth first, so that the first bug found is a shortest one.

What makes the answer trustworthy: the *whole* state is hashed (positions, pending vectors, flags);
a state without a successor that is no declared end is an error of the model, not a verdict; the
search goes on after the first violation and keeps them all; a bounded search says its bound.

A violating state is not explored further: what happens after the loss proves nothing.
"""

from dataclasses import dataclass

from kvmlab.errors import BadInput, ModelError
from kvmlab.machine import schedule
from kvmlab.machine.property import Property, Question
from kvmlab.machine.property import broken as first_broken
from kvmlab.machine.run import Run
from kvmlab.machine.state import State
from kvmlab.machine.system import Move, System
from kvmlab.schedulers.replay import replay


@dataclass(frozen=True, slots=True)
class Violation:
    """A property and a shortest schedule that breaks it in one particular state."""

    property: Property
    schedule: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exploration:
    """The result of a search; ``bound`` is the number of states it was limited to, if it hit the limit."""

    system: System
    properties: tuple[Property, ...]
    states: int
    transitions: int
    violations: tuple[Violation, ...]
    bound: int | None

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
        """A shortest counterexample."""
        return self.violations[0] if self.violations else None

    @property
    def counterexample(self) -> Run | None:
        """The shortest counterexample as a run."""
        return replay(self.system, self.shortest.schedule) if self.shortest else None

    def __repr__(self) -> str:
        scope = "every schedule" if self.complete else f"the first {self.bound} states"
        size = f"{self.states} states, {self.transitions} transitions"
        if self.shortest is None:
            return f"{'ok' if self.complete else 'nothing found'} in {scope}: {size}"
        n = len(self.shortest.labels) - 1  # The last label is the check.
        return f"violated ({self.shortest.property.label}): shortest {n} steps, {scope}, {size}"


def explore(question: Question, limit: int | None = None) -> Exploration:
    """Try every schedule of a scenario and return what was found.

    ``limit`` bounds the number of states; the search then stops after the layer that reaches it, and
    an "ok" is no proof. Raises BadInput for a limit below 1, ModelError for a state in which nobody can
    move and that is no declared end, with the schedule that leads there.
    """
    if limit is not None and limit < 1:
        raise BadInput(f"a limit of {limit} states: 1 or more")
    system, properties, done = question.system, question.properties, question.done
    start = system.start
    parents: dict[State, tuple[State, Move] | None] = {start: None}
    violations: list[Violation] = []
    transitions, bound = 0, None
    layer = [start]
    enabled = system.enabled
    while layer and bound is None:
        following: list[State] = []
        for state in layer:
            broken = first_broken(properties, state)
            if broken is not None:
                violations.append(_violation(broken, parents, state))
                continue
            moves = enabled(state)
            if not moves and not done(state):
                raise ModelError(f"deadlock: nobody can move after {_schedule(parents, state)!r}")
            transitions += len(moves)
            for move in moves:
                work = list(state)
                work[move.pc] = move.jumps[move.fn(work, move.me)]
                after = tuple(work)
                if after not in parents:
                    parents[after] = (state, move)
                    following.append(after)
        layer = following
        if limit is not None and len(parents) > limit:
            bound = limit
            # What was counted was also looked at: the last layer is checked, though not expanded.
            found = ((first_broken(properties, state), state) for state in layer)
            violations += [_violation(prop, parents, state) for prop, state in found if prop]
    return Exploration(system, properties, len(parents), transitions, tuple(violations), bound)


Parents = dict[State, tuple[State, Move] | None]


def _path(parents: Parents, state: State) -> list[Move]:
    moves: list[Move] = []
    while (step := parents[state]) is not None:
        state = step[0]
        moves.append(step[1])
    return moves[::-1]


def _schedule(parents: Parents, state: State) -> str:
    return schedule.text(tuple(move.token for move in _path(parents, state)))


def _violation(prop: Property, parents: Parents, state: State) -> Violation:
    path = _path(parents, state)
    labels = (*(move.label for move in path), f"check:{prop.label}")
    return Violation(prop, schedule.text(tuple(move.token for move in path)), labels)
