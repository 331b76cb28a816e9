"""A monitor: a few bits beside the state that remember *how* it came about.

Hashing merges what happened on different ways into one state, so a violating state alone does not say by
which mechanism it was reached. A monitor's bits are updated by every move and never read by a step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kvmlab.machine.system import Move

Remember = Callable[[int, Move, Sequence[int], Sequence[int]], int]
"""(bits so far, move, state before, state after) -> bits."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """``update`` changes the bits; ``names`` says what each bit means, the one that explains most first."""

    update: Remember
    names: Mapping[int, str]

    def explain(self, bits: int) -> tuple[str, ...]:
        """Return what the bits say, the most telling first."""
        return tuple(name for bit, name in self.names.items() if bits & bit)
