"""A long measurement finds what a short one finds, and goes its way faster."""

from dataclasses import replace

import pytest

from kvmlab.errors import ModelError
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.benches import bench
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.survey import survey


@pytest.mark.parametrize("on", ["v4.7", "v4.10", "v6.1"])
@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("tscdeadline_latency", {"guest": "busy"}),
        ("tscdeadline_latency", {"guest": "halt", "poll": False}),
        ("cyclictest", {"guest": "halt"}),
        ("periodic", {}),
        ("vmexit", {"case": "ipi"}),
        ("vmexit", {"case": "x2apic_self_ipi_sti_hlt"}),
    ],
    ids=str,
)
def test_a_survey_finds_what_a_measurement_finds(on: str, name: str, knobs: dict[str, object]) -> None:
    """Shortest, mean, longest, what was counted, and the number of steps."""
    made = bench(name, kernel(on), **knobs)
    long, short = survey(made, HSW16), measure(made, HSW16)
    assert (long.samples, long.min, long.mean, long.max) == (
        len(short.samples),
        short.min,
        short.mean,
        short.max,
    )
    assert dict(long.counts) == dict(short.counts)
    clock, left = Clock(made.system, HSW16, made.now), made.skip + made.samples
    while left:
        move = clock.step()
        left -= bool(move and move.step.label == made.end)
    assert clock.taken == long.steps


def test_most_of_a_period_is_made_in_strides() -> None:
    """A period of v4.10 is 51 steps; the clock goes round its loop for less than half of them."""
    made = bench("periodic", kernel("v4.10"), samples=60)
    seen = frozenset({made.end, *made.tallies})
    strides = Clock(made.system, HSW16, made.now, seen=seen)
    ready = [
        drawer
        for _, move in zip(range(80), strides, strict=False)
        for room in strides._memory._rooms.values()
        for drawer in room.values()
        if move
    ]
    assert max(one[7] for _, answers, _ in ready for one in answers.values()) > 20


@pytest.mark.parametrize("end", ["NOBODY.does.this", "VMENTRY"])
def test_a_bench_that_never_ends_is_refused(end: str) -> None:
    """So is one that ends too few samples, when everybody waits."""
    made = bench("vmexit", kernel("v4.10"), case="cpuid")
    if end == "VMENTRY":
        assert survey(replace(made, end=end), HSW16).samples == made.samples
        return
    with pytest.raises(ModelError, match=r"NOBODY\.does\.this"):
        survey(replace(made, end=end), HSW16)
