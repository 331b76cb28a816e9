"""Offsets and ratios of several hypervisors as one pair: it gives what they do in turn."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from kvmlab.kvm.nested_tsc import Tsc, compose, stacked
from kvmlab.kvm.tsc import DEFAULT_RATIO, ratio_of

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
