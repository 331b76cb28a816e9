"""The hunt of notebook 02b: which version of the timer code goes wrong where? The explorer grades.

Three answers are possible: all is well, the alarm never rings, or it rings too often.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from kvmlab.errors import unknown
from kvmlab.kernels.names import kernel as named
from kvmlab.labs.alarm_grid import WRITES
from kvmlab.schedulers.explore import Exploration
from kvmlab.show.verdicts import Verdict, VerdictTable, verdict

KERNELS = ("v4.7", "64672c9", "v4.10", "v4.19")
ANSWERS = ("ok", "never", "too often")
MEANS = {
    "LOST": "never",
    "NO_HOLDER": "never",
    "TWICE": "too often",
    "SPURIOUS": "too often",
    "EARLY": "too often",
    "TWO_HOLDERS": "too often",
}
"""Property -> answer: what must hold and does not, in the learner's words."""
SAYS = {
    "SPURIOUS": "an interrupt for a deadline that was taken back",
    "TWICE": "two interrupts for one deadline",
    "TWO_HOLDERS": "both timers are set, so both will ring",
}
"""Property -> what that is."""

Cell = tuple[str, str]
"""A kernel, and what the guest does."""
CELLS: tuple[Cell, ...] = tuple((kernel, column) for kernel in KERNELS for column in WRITES)


@dataclass(frozen=True, slots=True)
class Grade:
    """A guess about a cell, and what the explorer found there."""

    cell: Cell
    guess: str
    found: Exploration

    @property
    def broken(self) -> str:
        """The property that breaks first; empty if none does."""
        return self.found.shortest.property.label if self.found.shortest else ""

    @property
    def steps(self) -> int:
        """After how many steps; 0 if none does."""
        return len(self.found.shortest.labels) - 1 if self.found.shortest else 0

    @property
    def answer(self) -> str:
        """The right answer."""
        return MEANS[self.broken] if self.broken else "ok"

    @property
    def agrees(self) -> bool:
        """Whether the guess was that."""
        return self.guess == self.answer

    def __str__(self) -> str:
        kernel, column = self.cell
        found = f"{self.broken} after {self.steps} steps" if self.broken else "ok in every schedule"
        said = f"{kernel}, {column}: you said {self.guess}"
        return f"{'✓' if self.agrees else '✕'} {said}; the explorer found {found}"


@cache
def _verdict(cell: Cell) -> Verdict:
    kernel, column = cell
    return verdict(column, WRITES[column](named(kernel)))


def proof() -> VerdictTable:
    """Return the proof table of all cells; a cell that was graded is not tried again."""
    return VerdictTable({cell: _verdict(cell) for cell in CELLS}, beside="guest")


def grade(guesses: Mapping[Cell, str]) -> list[Grade]:
    """Return the grades of these guesses; raise BadInput for a cell or an answer that does not exist."""
    for cell, guess in guesses.items():
        check(cell, guess)
    return [Grade(cell, guess, _verdict(cell).exploration) for cell, guess in guesses.items()]


def legend(grades: Sequence[Grade]) -> Iterator[str]:
    """Yield a line for each property that was found broken: what it is, and which answer that makes."""
    found = {each.broken: each.answer for each in grades if each.broken in SAYS}
    yield from (f"{label}: {SAYS[label]} ({answer})" for label, answer in sorted(found.items()))


def check(cell: Cell, guess: str) -> None:
    """Raise BadInput, with the nearest name, for a cell or an answer that does not exist."""
    for kind, name, known in (
        ("kernel", cell[0], KERNELS),
        ("case", cell[1], WRITES),
        ("answer", guess, ANSWERS),
    ):
        if name not in known:
            raise unknown(kind, name, known)
