"""A measurement: a bench on the clock, sample by sample, and where the cycles of each went."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kvmlab.errors import ModelError
from kvmlab.machine.bench import Bench
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.profile import Charge, MachineProfile
from kvmlab.schedulers.way import WAITING, Busy, Piece, way_back

TIME = "TIME"
"""What stands for time that passes while nobody on the way does anything."""


@dataclass(frozen=True, slots=True)
class Item:
    """Cycles of one step for the sake of one parameter: their mean over all samples."""

    step: str
    parameter: str
    cycles: Fraction


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out: every sample in cycles, the items of their mean in the order of the way, the counts.

    The item :data:`TIME` is negative where a timer fires before its deadline: the step that waited for it
    began early, and counts in full. Where early and late cancel it is 0, as is a step that is free on this
    machine. ``warming`` counts what was done in the samples that warm up and are not kept.
    """

    bench: Bench
    profile: MachineProfile
    samples: tuple[int, ...]
    items: tuple[Item, ...]
    counts: Mapping[str, int]
    warming: Mapping[str, int]

    @property
    def mean(self) -> Fraction:
        """The mean sample in cycles; the items add up to it exactly."""
        return Fraction(sum(self.samples), len(self.samples))

    @property
    def min(self) -> int:
        """The shortest sample in cycles."""
        return min(self.samples)

    @property
    def max(self) -> int:
        """The longest sample in cycles."""
        return max(self.samples)

    @property
    def steps(self) -> dict[str, Fraction]:
        """The mean by step."""
        return _sum((item.step, item.cycles) for item in self.items)

    @property
    def parameters(self) -> dict[str, Fraction]:
        """The mean by parameter."""
        return _sum((item.parameter, item.cycles) for item in self.items)


def _sum(pairs: Iterable[tuple[str, Fraction]]) -> dict[str, Fraction]:
    total: dict[str, Fraction] = {}
    for key, cycles in pairs:
        total[key] = total.get(key, Fraction(0)) + cycles
    return total


def measure(bench: Bench, profile: MachineProfile) -> Measured:
    """Return what ``bench`` gives on a machine.

    Raises ModelError if a sample never ends, or if the profile has no number for a step.
    """
    samples, cycles, counts, warming = [], Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for n, sample in enumerate(_samples(bench, profile)):
        if n < bench.skip:
            warming.update(sample.counts)
            continue
        samples.append(sample.cycles)
        counts.update(sample.counts)
        for piece in sample.way:
            for charge in _charges(profile, piece):
                cycles[piece.label or TIME, charge.parameter] += charge.cycles
    items = tuple(Item(*key, Fraction(total, len(samples))) for key, total in cycles.items())
    return Measured(bench, profile, tuple(samples), items, counts, warming)


@dataclass(frozen=True, slots=True)
class _Sample:
    cycles: int
    way: Sequence[Piece]
    counts: Sequence[str]


def _samples(bench: Bench, profile: MachineProfile) -> Iterator[_Sample]:
    """Yield the samples, those that warm up first, without their way."""
    clock = Clock(bench.system, profile, bench.now)
    log, ended = list[Busy](), 0
    for n in range(bench.skip + bench.samples):
        counts = list(_up_to_the_end(bench, clock, log))
        begin = bench.begins(clock.state) if bench.begins else ended
        ended = clock.time
        way = way_back(log, begin, bench.early) if n >= bench.skip else ()
        yield _Sample(ended - begin, way, counts)
        log[:] = [step for step in log if step.finish >= ended]


def _up_to_the_end(bench: Bench, clock: Clock, log: list[Busy]) -> Iterator[str]:
    """Carry out everything up to the next step that ends a sample; yield what is to be counted."""
    for _ in range(bench.patience):
        move = clock.step()
        if move is None:
            raise ModelError(f"{bench.name}: everybody waits, and no sample ends")
        label, (cpu, cycles) = move.step.label, clock.plan(move)
        log.append(Busy(cpu, label, clock.time, clock.time + cycles))
        if label in bench.tallies:
            yield bench.tallies[label](move, clock.state)
        if label == bench.end:
            return
    raise ModelError(f"{bench.name}: no {bench.end} within {bench.patience} steps")


def _charges(profile: MachineProfile, piece: Piece) -> Iterator[Charge]:
    """Yield what a piece costs, parameter by parameter; what lies before the sample is left out."""
    if piece.label == WAITING:
        yield Charge(TIME, piece.cycles)
        return
    late = piece.late
    for charge in profile.charges(piece.label):
        yield Charge(charge.parameter, charge.cycles - min(late, charge.cycles))
        late -= min(late, charge.cycles)
