"""Which of the steps that happened are in view: the newest, the decisive ones, and how many lie between."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from kvmlab.show.stepper.past import Happened


@dataclass(frozen=True, slots=True)
class Folded:
    """So many steps are hidden here; ``first``: nothing is shown above them."""

    count: int
    first: bool

    def __str__(self) -> str:
        return f"{self.count} {'earlier' if self.first else 'other'} steps"


Item = Happened | Folded


def fold(happened: Sequence[Happened], room: int) -> list[Item]:
    """Return as many of the newest steps as ``room`` lines allow; what is hidden is counted where it was.

    Decisive steps stay in view. Should even they and the counts between them be too many, the
    earliest decisive steps are folded too.
    """
    for keep in range(len(happened), 0, -1):
        seen = _folded(happened, len(happened) - keep)
        if len(seen) <= room:
            return seen
    return [Folded(len(happened) - room + 1, first=True), *happened[len(happened) - room + 1 :]]


def _folded(happened: Sequence[Happened], cut: int) -> list[Item]:
    """Fold what is not decisive among the first ``cut`` steps; a single step is as short as its count."""
    out: list[Item] = []
    for shown, stretch in groupby(happened, lambda x: x.n > cut or bool(x.decisive)):
        steps = list(stretch)
        out += steps if shown or len(steps) == 1 else [Folded(len(steps), first=not out)]
    return out
