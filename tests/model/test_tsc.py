"""From a deadline of the guest to one of the host: scaling, limits, and a deadline that has passed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kvmlab.kvm import tsc
from kvmlab.kvm.tsc import DEFAULT_RATIO, U64, Delta, advanced, clamped, plain_difference
from kvmlab.processor.preemption_timer import expiry

FASTER = tsc.ratio_of(3_000_000, 2_400_000)
"""A guest at 3.0 GHz on a host of 2.4 GHz."""
CLOCK, RATIO = st.integers(0, 1 << 62), st.integers(1 << 46, 1 << 50)


def test_the_worked_example_of_scaling() -> None:
    """B.5, K.9: 3 000 000 guest cycles at 1.25 are 2 400 000 host cycles, 75 000 ticks at rate 5."""
    assert FASTER == 351_843_720_888_320
    assert tsc.hv_deadline(3_000_000, 1000, FASTER, 5) == 1000 + 2_400_000
    assert tsc.ticks(1000 + 2_400_000, 1000, 5) == 75_000


@pytest.mark.parametrize(("rate", "khz", "milliseconds"), [(5, 2_400_000, 57_266), (0, 2_400_000, 1_789)])
def test_the_largest_deadline(rate: int, khz: int, milliseconds: int) -> None:
    """B.5, K.9: 2^(32+X) - 1 cycles fit, one more is ERANGE: 57.27 s at rate 5, 1.79 s at rate 0."""
    most = (1 << 32 + rate) - 1
    assert tsc.hv_deadline(most, 7, DEFAULT_RATIO, rate) == 7 + most
    assert tsc.hv_deadline(most + 1, 7, DEFAULT_RATIO, rate) is None
    assert most // khz == milliseconds


def test_what_overflows_64_bits_is_out_of_range_too() -> None:
    """K.9: a slow guest's cycles are many of the host's; past 64 bits there is no deadline."""
    slow = tsc.ratio_of(1, 1 << 40)
    assert tsc.unscale(1 << 24, slow) is None and tsc.hv_deadline(1 << 24, 0, slow, 5) is None
    assert tsc.unscale((1 << 24) - 1, slow) == ((1 << 24) - 1) << 40


@pytest.mark.parametrize(
    ("delta", "left", "armed"),
    [(plain_difference, U64 - 99, None), (clamped, 0, 5000), (advanced, 0, 5000)],
)
def test_a_deadline_that_has_passed(delta: Delta, left: int, armed: int | None) -> None:
    """B.6: it underflows and is out of range; or nothing is left; in 64672c9, v4.10, v4.19."""
    assert delta(4900, 5000, 0) == left
    assert tsc.hv_deadline(delta(4900, 5000, 0), 5000, DEFAULT_RATIO, 5) == armed


def test_the_advance_is_taken_off_but_not_below_0() -> None:
    """B.5: v4.19 fires early by the advance, and at once if less than that is left."""
    assert [advanced(6000, 5000, cycles) for cycles in (0, 400, 1000, 2000)] == [1000, 600, 0, 0]
    assert clamped(6000, 5000, 400) == plain_difference(6000, 5000, 400) == 1000


@given(CLOCK, st.integers(-(1 << 62), 1 << 62), RATIO, st.integers(0, 1 << 40))
def test_the_offset_cancels_and_the_ratio_does_not(now: int, offset: int, ratio: int, more: int) -> None:
    """Only a difference is scaled back: whatever the offset, the host's deadline is the same."""
    armed = []
    for shift in (0, offset):
        assume(0 <= shift + tsc.scale(now, ratio) and shift + tsc.scale(now, ratio) + more <= U64)
        guest = tsc.guest_tsc(now, shift, ratio)
        armed.append(tsc.hv_deadline(clamped(guest + more, guest, 0), now, ratio, 10))
    assert armed[0] == armed[1]


@given(CLOCK, RATIO, st.integers(0, 1 << 36))
def test_there_and_back(now: int, ratio: int, more: int) -> None:
    """K.9: the guest's TSC at the host's deadline is its own deadline, but for rounding."""
    armed = tsc.hv_deadline(more, now, ratio, 10)
    assert armed is not None
    late = tsc.guest_tsc(armed, 0, ratio) - (tsc.guest_tsc(now, 0, ratio) + more)
    assert abs(late) <= 1 + (ratio >> tsc.FRACTION_BITS)


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40), st.integers(0, 8))
def test_the_timer_is_early_by_two_ticks_at_most(now: int, more: int, rate: int) -> None:
    """B.5: entered at once, the counter reaches 0 less than two ticks early, never late."""
    early = now + more - expiry(now, tsc.ticks(now + more, now, rate), rate)
    assert 0 <= early < 2 << rate


def test_recomputing_at_every_entry_charges_the_time_outside() -> None:
    """The counter stands still outside the guest, but the field is written anew from the TSC."""
    assert [tsc.ticks(10_000, now, 5) for now in (0, 5_000, 9_999, 10_000, 20_000)] == [312, 156, 0, 0, 0]
