"""What a headline rests on: each parameter 10 % lower and higher, and where it lies if all of them are off.

The numbers come from :mod:`kvmlab.schedulers.sensitivity`. A headline that is a difference rests on what is
not in both of its sums; how well those parameters are known is how well the headline is explained.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from kvmlab.errors import unknown
from kvmlab.machine.bench import Headline
from kvmlab.scenarios.headlines import headlines
from kvmlab.schedulers.profile import Status
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.sensitivity import Band, Sensitivity

PERCENT = 10
DRAWS = 1000
MOST = 10
"""So many parameters are shown, the strongest ones."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One parameter: the headline with it lower and higher, and how well it is known."""

    parameter: str
    status: Status
    lower: Fraction
    higher: Fraction


@dataclass(frozen=True, slots=True)
class Rests:
    """A headline, its value and band, and the parameters that it rests on, the strongest first."""

    headline: Headline
    value: Fraction
    band: Band
    bars: tuple[Bar, ...]
    others: int

    @property
    def foot(self) -> str:
        """The value, the strongest parameters, and the band."""
        strong = " and ".join(f"{bar.parameter} ({bar.status.value})" for bar in self.bars[:2])
        return (
            f"{self.headline.name}: {self.amount(self.value)}, published {self.published}. "
            f"It rests most on {strong}. "
            f"Nine draws of ten lie from {self.amount(self.band.low)} to {self.amount(self.band.high)}."
        )

    @property
    def published(self) -> str:
        """What was published, as a number."""
        return str(self.headline.published).replace("-", "−")

    def amount(self, number: Fraction | float) -> str:
        """Return a number with its unit, with one decimal where that is a percentage."""
        if self.headline.unit == "%":
            return f"{round(float(number), 1)} %".replace("-", "−")
        return f"{round(number)} {self.headline.unit}".replace("-", "−")

    def change(self, number: Fraction) -> str:
        """Return how far a number is from the value, with its sign."""
        digits = 2 if self.headline.unit == "%" else 1
        return f"{float(number - self.value):+.{digits}f}".replace("-", "−")


@cache
def _measured() -> tuple[Sensitivity, dict[str, Band]]:
    found = Sensitivity(headlines(), HSW16)
    return found, {band.headline: band for band in found.bands(DRAWS, PERCENT)}


def names() -> tuple[str, ...]:
    """Return the headlines by name."""
    return tuple(headline.name for headline in _measured()[0].headlines)


@cache
def rests(name: str) -> Rests:
    """Return what a headline rests on; raise BadInput for a name that is none."""
    found, bands = _measured()
    known = {headline.name: headline for headline in found.headlines}
    if name not in known:
        raise unknown("headline", name, known)
    value = Fraction(found.values()[name])
    bars = tuple(_bars(found, name, value))
    return Rests(known[name], value, bands[name], bars[:MOST], max(len(bars) - MOST, 0))


def _bars(found: Sensitivity, name: str, value: Fraction) -> Iterator[Bar]:
    for swing in found.swings(PERCENT):
        if swing.headline == name:
            status = found.profile.parameters[swing.parameter].status
            yield Bar(swing.parameter, status, value + swing.lower, value + swing.higher)
