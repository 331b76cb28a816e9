"""lapic_timer_advance, function by function: how far it moves, and where KVM looks for the timer's vector.

Read in 4.19 and 6.1, lapic.c: adjust_lapic_timer_advance, lapic_timer_int_injected.
"""

import pytest
from functions_bench import bench

from kvmlab.kvm.lapic_advance import (
    ADJUST_MAX,
    ADJUST_MIN,
    ADVANCE_INIT,
    ADVANCE_MAX,
    adjusted,
    is_visible,
)
from kvmlab.processor.apic_timer import Mode
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.timer_parts import VECTOR

KHZ = 1_000_000
"""A cycle is a nanosecond."""


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("error", "by"), [(99, 0), (100, 12), (10_000, 1_250), (10_001, 0)])
def test_the_least_and_the_greatest_error_still_count(error: int, by: int, sign: int) -> None:
    """100 and 10000 cycles are neither a fluctuation nor a spike; a cycle beyond is."""
    assert adjusted(2_000, sign * error, KHZ) == 2_000 + sign * by
    assert (ADJUST_MIN, ADJUST_MAX) == (100, 10_000)


@pytest.mark.parametrize(
    ("advance", "late", "then"),
    [(4_900, 800, ADVANCE_MAX), (4_900, 808, ADVANCE_INIT), (100, -800, 0), (100, -808, ADVANCE_INIT)],
)
def test_only_beyond_its_bounds_an_advance_starts_over(advance: int, late: int, then: int) -> None:
    """5000 ns and 0 are none too many and none too few."""
    assert adjusted(advance, late, KHZ) == then


@pytest.mark.parametrize("apicv", [True, False])
def test_the_vector_is_looked_for_where_the_guest_takes_it_from(apicv: bool) -> None:
    """With APICv in VIRR, without it in the ISR: there it is put before the entry that injects it."""
    made = bench("v6.1", Mode.TSC_DEADLINE, apicv=apicv)
    guest = made.vcpu.guests[0]
    cells = {"isr": guest.cpu.isr, "irr": guest.cpu.irr}
    if guest.apicv is not None:
        cells |= {"virr": guest.apicv.virr, "visr": guest.apicv.visr}
    for name, cell in cells.items():
        for vectors, seen in ((bit(VECTOR), True), (bit(VECTOR) - 1, False), (0, False)):
            made.s[cell] = vectors
            assert is_visible(made.s, made.vcpu) == (seen and name == ("virr" if apicv else "isr"))
