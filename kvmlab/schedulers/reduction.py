"""What an exploration may leave out, and in which words it says so."""

from collections.abc import Hashable, Sequence

from kvmlab.machine.footprint import Unbounded
from kvmlab.machine.packed import Packed, PackedMove, Packing
from kvmlab.machine.property import Question
from kvmlab.schedulers.local import Place, local_rows
from kvmlab.schedulers.symmetry import Symmetry


class Reduction:
    """Both reductions of a question: symmetry as it declares it, and local steps first where they are known.

    ``says`` tells what was done, and why not if it was not.
    """

    def __init__(self, question: Question, packing: Packing) -> None:
        groups: Sequence[Sequence[str]] = getattr(question, "symmetry", ())
        self._symmetry, self._packing = Symmetry(question.system, groups), packing
        self._size, self._mask = -1, 0
        self._known: dict[Packed, Packed] = {}
        self._forms: dict[Hashable, Packed] = {}
        self._local: frozenset[Place] = frozenset()
        alike = "".join(f"{'='.join(group)}, " for group in groups)
        try:
            self._local = local_rows(question)
            self.says = f"{alike}{len(self._local)} local rows"
        except Unbounded as why:
            self.says = f"{alike}no local rows: {why}"

    def key(self, state: Packed) -> Packed:
        """Return what stands for ``state`` and all that are like it.

        That is the state with its private places as in the first one found of the same form.
        """
        if self._size != self._packing.size:
            self._size = self._packing.size
            self._mask = self._packing.mask(self._symmetry.private)
        mine = state & self._mask
        stands = self._known.get(mine)
        if stands is None:
            form = self._symmetry.form(self._packing.unpack(state))
            stands = self._known[mine] = self._forms.setdefault(form, mine)
        return state ^ mine ^ stands

    def enough(self, moves: list[PackedMove]) -> list[PackedMove]:
        """Return those of the enabled ``moves`` that have to be tried."""
        for move, _ in moves:
            if (move.pc, move.at) in self._local:
                return [one for one in moves if one[0].actor is move.actor]
        return moves
