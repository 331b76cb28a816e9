"""Latency histograms of two kernels, with the knobs of the host: what a mean does not tell."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import mean, median
from textwrap import wrap

from kvmlab.labs.draws import KEPT, Setting, drawn

BINS = 60
NUMBER = 1000
COLUMNS, STARS = 80, 40
TEXT_BINS = 10


@dataclass(frozen=True, slots=True)
class Histogram:
    """So many draws of one setting for two kernels."""

    kernels: tuple[str, str]
    setting: Setting
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def foot(self) -> str:
        """The mean, the median and the 99th percentile of both."""
        return " ".join(
            f"{name}: mean {round(mean(draws))}, median {_at(draws, 50)}, 99 % below {_at(draws, 99)} cycles."
            for name, draws in zip(self.kernels, (self.before, self.after), strict=True)
        )

    def bins(self, number: int = BINS) -> list[int]:
        """Return the edges of at most so many bins over both, each a round number wide.

        There may be one more if the first of them begins below the least draw.
        """
        low, high = min(*self.before, *self.after), max(*self.before, *self.after)
        wide = _round_up((high - low) // number + 1)
        start = low // wide * wide
        return list(range(start, high + wide + 1, wide))


@lru_cache(KEPT)
def histogram(kernels: tuple[str, str], setting: Setting) -> Histogram:
    """Draw both kernels; raise BadInput for a kernel or a guest that cannot be measured."""
    before, after = (tuple(drawn(name, setting, NUMBER)) for name in kernels)
    return Histogram(kernels, setting, before, after)


def counts(draws: Sequence[int], edges: Sequence[int]) -> list[int]:
    """Return how many draws lie in each bin: from one edge up to, but not at, the next."""
    ordered = sorted(draws)
    return [high - low for low, high in pairwise(bisect_left(ordered, edge) for edge in edges)]


def _round_up(cycles: int) -> int:
    """Return the next of 10, 20, 50, 100, 200, 500 and so on."""
    step = 10
    while step < cycles:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return step


def _at(draws: Sequence[int], percent: int) -> int:
    """Return the draw below which so many percent lie; the median is the middle."""
    return round(median(draws)) if percent == 50 else sorted(draws)[len(draws) * percent // 100]


def histogram_text(shown: Histogram) -> str:
    """Return both histograms in words: a line per bin; its last paragraph is the foot."""
    return "\n".join([*_head(shown), *_lines(shown), "", *wrap(shown.foot, COLUMNS)])


def _head(shown: Histogram) -> Iterator[str]:
    s = shown.setting
    halts = f"the guest {'halts' if s.guest == 'halt' else 'idles by polling'}"
    yield f"cyclictest, {NUMBER} draws: {halts}, {'isolated' if s.isolated else 'ordinary'} CPU"
    yield f"polling window {s.window} us, C-state exit {s.c_state} us, advance {s.advance} ns"
    yield f"{'cycles from':<14}" + "".join(f"{name:>{_wide(name)}}" for name in shown.kernels)


def _lines(shown: Histogram) -> Iterator[str]:
    edges, (one, other) = shown.bins(TEXT_BINS), map(_wide, shown.kernels)
    before, after = (counts(draws, edges) for draws in (shown.before, shown.after))
    for low, a, b in zip(edges, before, after, strict=False):
        if a or b:
            yield f"{low:<14}{a:>{one}}{b:>{other}}"


def _wide(name: str) -> int:
    return max(12, len(name) + 2)
