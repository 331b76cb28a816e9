"""A long measurement: how many samples, how long, which exits; where the cycles went is not kept."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from kvmlab.errors import ModelError
from kvmlab.machine.bench import Bench
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profile import MachineProfile


@dataclass(frozen=True, slots=True)
class Survey:
    """What came out of so many ``steps``: the samples in cycles, and what was counted."""

    samples: int
    min: int
    mean: Fraction
    max: int
    counts: Mapping[str, int]
    steps: int


def survey(bench: Bench, profile: MachineProfile) -> Survey:
    """Return the statistics of a bench's samples; raise ModelError if they end before there are enough."""
    measure(replace(bench, samples=1, skip=0), profile)  # who never ends a sample is found out here
    seen, counts = frozenset({bench.end, *bench.tallies}), Counter[str]()
    clock = Clock(bench.system, profile, bench.now, seen=seen)
    state, end, tallies, begins = clock.state, bench.end, bench.tallies, bench.begins
    left, low, high, total, ended = bench.skip + bench.samples, 1 << 62, -(1 << 62), 0, 0
    for move in clock:
        label = move.step.label
        if label in tallies and left <= bench.samples:
            counts[tallies[label](move, state)] += 1
        if label == end:
            sample = clock.time - (begins(state) if begins else ended)
            ended, left = clock.time, left - 1
            if left < bench.samples:
                total += sample
                low, high = min(low, sample), max(high, sample)
            if not left:
                return Survey(bench.samples, low, Fraction(total, bench.samples), high, counts, clock.taken)
    raise ModelError(f"{bench.name}: everybody waits, and {left} samples are missing")
