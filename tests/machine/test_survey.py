"""A long measurement finds what a short one finds, and goes its way faster."""

from collections import deque
from dataclasses import replace
from itertools import islice

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


@pytest.mark.parametrize("on", ["v4.10", "v6.1"])
def test_once_learned_nobody_is_asked_again(on: str) -> None:
    """Though v6.1 remembers values of the counter that never come again: strides end in front of them."""
    made = bench("periodic", kernel(on), samples=1)
    clock = Clock(made.system, HSW16, made.now, seen=frozenset({made.end}))
    asked, enabled = [], made.system.enabled
    deque(islice(clock, 400), 0)
    made.system.enabled = lambda s: asked.append(clock.taken) or enabled(s)  # type: ignore
    deque(islice(clock, 100), 0)
    assert asked == []


@pytest.mark.parametrize("end", ["NOBODY.does.this", "VMENTRY"])
def test_a_bench_that_never_ends_is_refused(end: str) -> None:
    """So is one that ends too few samples, when everybody waits."""
    made = bench("vmexit", kernel("v4.10"), case="cpuid")
    if end == "VMENTRY":
        assert survey(replace(made, end=end), HSW16).samples == made.samples
        return
    with pytest.raises(ModelError, match=r"NOBODY\.does\.this"):
        survey(replace(made, end=end), HSW16)
