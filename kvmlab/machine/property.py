"""What must hold: predicates over states, and the question that an explorer answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kvmlab.machine.system import System

Predicate = Callable[[Sequence[int]], object]


@dataclass(frozen=True, slots=True)
class Property:
    """What must hold: ``broken(state)`` is true in a state that violates it."""

    label: str
    sentence: str
    broken: Predicate


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


def broken(properties: Sequence[Property], state: Sequence[int]) -> Property | None:
    """Return the first property that ``state`` violates."""
    for prop in properties:  # a plain loop: an explorer asks this of every state
        if prop.broken(state):
            return prop
    return None
