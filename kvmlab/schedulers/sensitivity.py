"""How much does a figure owe to each number? Each is turned up and down, and all of them at once by chance.

As long as no step comes or goes, a mean is a sum: so many times each parameter, and the time that passes
besides. So one measurement tells all the others. (HV_ARM has a part in the time too, which is left out.)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kvmlab.machine.bench import Bench, Headline
from kvmlab.schedulers.chance import normal
from kvmlab.schedulers.measure import TIME, Measured, measure
from kvmlab.schedulers.profile import MachineProfile


@dataclass(frozen=True, slots=True)
class Sum:
    """A mean as so many times each parameter, and ``rest`` cycles that no parameter explains."""

    times: Mapping[str, Fraction]
    rest: Fraction

    def value(self, cycles: Mapping[str, Any]) -> Any:
        """Return the mean for other numbers."""
        return self.rest + sum(n * cycles[name] for name, n in self.times.items())


def as_sum(measured: Measured) -> Sum:
    """Return a measurement's mean as a sum; a parameter that is 0 counts as not there."""
    known = measured.profile.parameters
    cycles = {name: total for name, total in measured.parameters.items() if name != TIME and total}
    times = {name: total / known[name].cycles for name, total in cycles.items()}
    return Sum(times, measured.mean - sum(cycles.values()))


@dataclass(frozen=True, slots=True)
class Swing:
    """What a headline changes by if one parameter is so many percent lower, and higher."""

    headline: str
    parameter: str
    lower: Fraction
    higher: Fraction


@dataclass(frozen=True, slots=True)
class Band:
    """Where a headline lies in nine draws of ten, and its value with the numbers as they are."""

    headline: str
    low: float
    value: float
    high: float


class Sensitivity:
    """Headlines on a machine: each bench is measured once."""

    def __init__(self, headlines: Sequence[Headline], profile: MachineProfile) -> None:
        self.headlines, self.profile = headlines, profile
        self._cycles = {name: p.cycles for name, p in profile.parameters.items()}
        benches: dict[int, Bench] = {id(b): b for h in headlines for b in h.benches.values()}
        self._sums = {key: as_sum(measure(bench, profile)) for key, bench in benches.items()}

    def values(self, **cycles: Any) -> dict[str, Any]:
        """Return every headline, with other numbers under some names."""
        return self._values({**self._cycles, **cycles})

    def _values(self, cycles: Mapping[str, Any]) -> dict[str, Any]:
        means = {key: total.value(cycles) for key, total in self._sums.items()}
        return {h.name: h.value({k: means[id(b)] for k, b in h.benches.items()}) for h in self.headlines}

    def swings(self, percent: int = 10) -> list[Swing]:
        """Return what each parameter does to each headline, the strongest first, where it does anything."""
        now, found = self.values(), []
        for name, cycles in self._cycles.items():
            low, high = (self.values(**{name: cycles * Fraction(100 + p, 100)}) for p in (-percent, percent))
            swings = [Swing(h, name, low[h] - now[h], high[h] - now[h]) for h in now]
            found += [swing for swing in swings if swing.lower or swing.higher]
        return sorted(found, key=lambda swing: -max(abs(swing.lower), abs(swing.higher)))

    def bands(self, draws: int = 20_000, percent: int = 10, seed: int = 0) -> list[Band]:
        """Return the middle nine tenths of so many draws: each number on its own, normal, by ``percent``."""
        chance, drawn = normal(seed), []
        names = sorted({name for total in self._sums.values() for name in total.times})
        for _ in range(draws):
            drawn.append(
                self._values({n: self._cycles[n] * (1 + percent / 100 * next(chance)) for n in names})
            )
        now = self.values()
        return [_band(h.name, float(now[h.name]), [float(d[h.name]) for d in drawn]) for h in self.headlines]


def _band(headline: str, value: float, drawn: Iterable[float]) -> Band:
    ranked = sorted(drawn)
    return Band(headline, ranked[len(ranked) // 20], value, ranked[-len(ranked) // 20 - 1])
