"""Published totals beside the model's, and by how much it misses them: what is wrong is shown, not hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from kvmlab.scenarios.published import FIGURES, Figure
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profile import MachineProfile


@dataclass(frozen=True, slots=True)
class Miss:
    """A figure, what the model says, and how far that is off."""

    figure: Figure
    model: Fraction

    @property
    def percent(self) -> Fraction:
        """How many percent too much the model says; negative: too little."""
        return 100 * (self.model - self.figure.cycles) / self.figure.cycles


class Published:
    """The table; its ``repr`` is the text."""

    def __init__(self, profile: MachineProfile, figures: Sequence[Figure] = FIGURES) -> None:
        self.profile = profile
        self.misses = tuple(Miss(figure, measure(figure.bench(), profile).mean) for figure in figures)

    def difference(self, case: str) -> tuple[int, Fraction]:
        """Return by how much a case's first and last figure differ: published, and in the model."""
        of = [miss for miss in self.misses if miss.figure.case == case]
        return of[0].figure.cycles - of[-1].figure.cycles, of[0].model - of[-1].model

    def __repr__(self) -> str:
        lines = [f"{'vmexit.flat':<38}{'published':>10}{self.profile.name:>12}{'miss':>10}"]
        lines += [_line(m.figure.name, m.figure.cycles, m.model) for m in self.misses]
        lines += [self._difference(case) for case in ("tscdeadline", "tscdeadline_immed")]
        return "\n".join(lines)

    def _difference(self, case: str) -> str:
        said, got = self.difference(case)
        return _line(f"{case}: the two differ by", said, got)


def _line(name: str, published: int, model: Fraction) -> str:
    percent = float(100 * (model - published) / published)
    return f"{name:<38}{published:>10}{round(model):>12}{percent:>+8.1f} %"
