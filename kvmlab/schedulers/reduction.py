"""What an exploration may leave out, and in which words it says so."""

from collections.abc import Hashable, Sequence

from kvmlab.machine.footprint import Unbounded
from kvmlab.machine.property import Question
from kvmlab.machine.state import State
from kvmlab.machine.system import Move
from kvmlab.schedulers.local import Place, local_rows
from kvmlab.schedulers.symmetry import Symmetry


class Reduction:
    """Both reductions of a question: symmetry as it declares it, and local steps first where they are known.

    ``says`` tells what was done, and why not if it was not.
    """

    def __init__(self, question: Question) -> None:
        groups: Sequence[Sequence[str]] = getattr(question, "symmetry", ())
        self._symmetry = Symmetry(question.system, groups) if groups else None
        alike = ", ".join("=".join(group) for group in groups)
        self._local: frozenset[Place] = frozenset()
        try:
            self._local = local_rows(question)
            local = f"{len(self._local)} local rows"
        except Unbounded as why:
            local = f"no local rows: {why}"
        self.says = f"{alike}, {local}" if alike else local

    def key(self, state: State) -> Hashable:
        """Return what stands for ``state`` and all that are like it."""
        return self._symmetry.key(state) if self._symmetry else state

    def enough(self, moves: list[Move]) -> list[Move]:
        """Return those of the enabled ``moves`` that have to be tried."""
        for move in moves:
            if (move.pc, move.at) in self._local:
                return [one for one in moves if one.actor is move.actor]
        return moves
