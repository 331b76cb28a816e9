"""Offsets and ratios of several hypervisors as one pair: it gives what they do in turn, and no test minds."""

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvmlab.kernels.names import kernel
from kvmlab.kvm import nested_timer
from kvmlab.kvm.nested import vmcs12
from kvmlab.kvm.nested_tsc import Tsc, compose, stacked
from kvmlab.kvm.tsc import DEFAULT_RATIO, ratio_of
from kvmlab.labs.unittest import Result, unittest
from kvmlab.processor.controls import ACTIVATE_PREEMPTION_TIMER
from kvmlab.scenarios.mixes import cpus_by_level
from kvmlab.scenarios.unittests.scenario import TESTS, unit_test

TSC = st.integers(1 << 38, 1 << 40)
OFFSETS = st.integers(0, (1 << 64) - 1)
SMALL = st.integers(-(1 << 30), 1 << 40).map(lambda offset: offset & (1 << 64) - 1)
RATIOS = st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda khz: ratio_of(khz[0], khz[1]))


def in_turn(levels: list[Tsc], tsc: int) -> int:
    """Return what the guest on top reads if every level does its own part."""
    return reduce(lambda seen, level: level.read(seen), levels, tsc)


@given(st.lists(OFFSETS.map(Tsc), max_size=5), TSC)
def test_offsets_add_up_exactly(levels: list[Tsc], tsc: int) -> None:
    """Without scaling the single pair gives what the levels give in turn, however many there are."""
    assert stacked(levels).ratio == DEFAULT_RATIO
    assert stacked(levels).read(tsc) == in_turn(levels, tsc)


@given(st.lists(st.builds(Tsc, SMALL, RATIOS), min_size=1, max_size=3), TSC)
def test_scaling_composes_up_to_rounding(levels: list[Tsc], tsc: int) -> None:
    """With scaling the two differ by rounding alone: two cycles a level, four times that a level higher."""
    bound = sum(2 * 4**above for above in range(len(levels))) + 1
    assert abs(stacked(levels).read(tsc) - in_turn(levels, tsc)) <= bound


@given(*[st.builds(Tsc, OFFSETS)] * 3)
def test_who_composes_first_does_not_matter(a: Tsc, b: Tsc, c: Tsc) -> None:
    """Level 0 over level 1 over level 2: any two may be joined first."""
    assert compose(compose(a, b), c) == compose(a, compose(b, c))


def test_nobody_in_between_changes_nothing() -> None:
    """No level is the identity, and one level is itself."""
    assert stacked([]) == Tsc()
    assert stacked([Tsc(5, ratio_of(3, 2))]) == Tsc(5, ratio_of(3, 2))


def test_a_worked_example() -> None:
    """L1 at 3.0 GHz on a 2.4 GHz host, L2 at 1.5 GHz on that: L2 counts 1.5 GHz of the host's 2.4."""
    l1, l2 = Tsc(1000, ratio_of(3_000_000, 2_400_000)), Tsc(0, ratio_of(1_500_000, 3_000_000))
    assert stacked([l1, l2]) == Tsc(500, ratio_of(1_500_000, 2_400_000))
    assert stacked([l1, l2]).read(2_400_000) == 1_500_000 + 500


EXPIRY = "vmx_preemption_timer_expiry_test"
"""The one whose lines print the TSC."""
KERNELS = {0: "L0=v4.18", 1: "L0=v4.18,L1=v4.18", 2: ""}
"""Two that fail, for one reason or another, and v6.1 all the way down."""


def said(result: Result) -> tuple[object, ...]:
    """Return the verdict on every line, and where the guest stood."""
    texts = [line.text for line in result.lines if result.name != EXPIRY]
    return result.finished, [(line.name, line.ok) for line in result.lines], texts


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize("level", KERNELS)
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_no_verdict_and_no_landing_depends_on_offsets(name: str, level: int, data: st.DataObject) -> None:
    """Whatever each level adds: the same lines, and RIP where it was; PASS and FAIL alike."""
    offsets = st.integers(0, 1 << 60).map(Tsc)
    tscs = data.draw(st.lists(offsets, min_size=level + 1, max_size=level + 1))
    plain = unittest(name, level=level, kernels=KERNELS[level])
    assert said(unittest(name, level=level, kernels=KERNELS[level], tscs=tscs)) == said(plain)


@pytest.mark.parametrize("khz", [(1, 2), (2, 3), (3, 2), (2, 1)])
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", ["preemption timer", EXPIRY])
def test_a_timer_counts_in_the_tsc_of_the_guest_that_asked(
    name: str, level: int, khz: tuple[int, int]
) -> None:
    """Faster or slower than level 0's: never early, and never behind its deadline, as that guest reads it."""
    tscs = [Tsc(1 << 40, ratio_of(*khz))] * (level + 1)
    assert unittest(name, level=level, tscs=tscs).ok


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_guest_reads_through_every_level(level: int) -> None:
    """What the expiry test prints is its guest's TSC: level 0's and the offsets of all below."""
    tscs = [Tsc(32 << 4 * n) for n in range(level + 1)]
    for plain, moved in zip(*(unittest(EXPIRY, level=level, tscs=x).lines for x in ((), tscs)), strict=True):
        both = [[int(word) for word in line.text.split(" and ")] for line in (plain, moved)]
        assert both[1] == [number + sum(tsc.offset for tsc in tscs) for number in both[0]]


HALF, TWICE, THRICE = (Tsc(77, ratio_of(*khz)) for khz in ((1, 2), (2, 1), (3, 1)))


@pytest.mark.parametrize(
    ("tscs", "level", "host"),
    [
        ((), 0, 3200),
        ((TWICE,), 0, 1600),
        ((TWICE, THRICE), 0, 1600),
        ((TWICE, THRICE), 1, 533),
        ((HALF,), 1, 6400),
    ],
)
def test_the_composed_ratio_is_what_a_level_waits_by(tscs: tuple[Tsc, ...], level: int, host: int) -> None:
    """100 ticks of 32 cycles in the TSC of the guest above; and what is left is told in the same ticks."""
    scenario = unit_test("preemption timer", [kernel("v4.18")] * 2, cpus_by_level("", 2), tscs=tscs)
    vcpu, s = scenario.records["stack"].vcpus[level], list(scenario.system.start)
    form, clock = vmcs12(s, vcpu), vcpu.nested.clock
    assert form.pin is not None and form.timer is not None
    s[form.pin], s[form.timer] = ACTIVATE_PREEMPTION_TIMER, 100
    nested_timer.start(at_once=1)(s, vcpu)
    assert s[clock.deadline] == s[clock.now] + host
    if form.saves_timer is not None:
        s[form.saves_timer], s[clock.now] = 1, s[clock.now] + host // 4
        nested_timer.stop(s, vcpu, form)
        assert s[form.timer] == 75
