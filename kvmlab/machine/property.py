"""What must hold, in every state or in the end, under which fairness; and the questions of an explorer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kvmlab.machine.system import Move, System

Predicate = Callable[[Sequence[int]], object]


@dataclass(frozen=True, slots=True)
class Property:
    """What must hold: ``broken(state)`` is true in a state that violates it.

    ``because`` are bits of cells that the predicate does not read and that have a part in it: whoever changed
    them last helped to break it.
    """

    label: str
    sentence: str
    broken: Predicate
    because: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Eventually(Property):
    """What must come: ``broken(state)`` is true as long as it is owed, and must not stay so for ever."""


@dataclass(frozen=True, slots=True)
class Fairness:
    """What no schedule may withhold for ever, by the name of the assumption.

    ``owes(move, state)`` names the debt that ``move`` pays, ``""`` for none. A schedule is unfair if from
    some state on a debt is never paid, and could be in each state (weak fairness); if ``strong``, if it could
    be again and again, however often not: so it is with interrupts, which are masked now and then.
    """

    name: str
    sentence: str
    owes: Callable[[Move, Sequence[int]], str]
    strong: bool = False


class Question(Protocol):
    """Anything that has a system, properties, and ends that are meant to be ends.

    It may also have a ``symmetry``, groups of letters of actors that are alike: a reduced search reads it.
    """

    @property
    def system(self) -> System:
        """The system to explore."""

    @property
    def properties(self) -> tuple[Property, ...]:
        """What must hold."""

    @property
    def done(self) -> Predicate:
        """Whether a state in which nobody can move is a proper end."""


class LiveQuestion(Question, Protocol):
    """A question that also has what must come in the end."""

    @property
    def liveness(self) -> tuple[Eventually, ...]:
        """What must come."""


def broken(properties: Sequence[Property], state: Sequence[int]) -> Property | None:
    """Return the first property that ``state`` violates."""
    for prop in properties:  # a plain loop: an explorer asks this of every state
        if prop.broken(state):
            return prop
    return None
