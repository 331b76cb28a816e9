"""A guest whose TSC counts faster than the host's: it says its deadline in its own cycles.

Read in 4.10.17, 4.19, 6.1: vmx.c vmx_set_hv_timer; lapic.c start_sw_tscdeadline, wait_lapic_expire.
"""

import pytest
from functions_bench import START, Bench, bench

from kvmlab.kernels.names import kernel
from kvmlab.kvm.lapic_advance import ADVANCE_INIT
from kvmlab.kvm.timer_records import guest_now
from kvmlab.kvm.tsc import ratio_of
from kvmlab.machine.edit import find
from kvmlab.machine.step import Step
from kvmlab.processor.apic_timer import Mode
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.timer_parts import VECTOR

RATIO = ratio_of(1_250_000, 1_000_000)
NO_HV = "v6.1+preemption-timer=0"
GIGAHERTZ = {"khz": 1_000_000, "rate": 2}
"""A cycle of the host's is a nanosecond, and its preemption timer slow enough for v6.1."""
GUEST, HOST = 3_000_000, 2_400_000
"""A time in the guest's cycles, and in the host's."""


def armed(name: str, **host: int) -> Bench:
    """Return the bench behind the guest's write of a deadline that is GUEST cycles away."""
    made = bench(name, Mode.TSC_DEADLINE, ratio=RATIO, **host)
    made.write("d", guest_now(made.s, made.vcpu) + GUEST)
    return made


@pytest.mark.parametrize("name", ["64672c9", "v4.10", "v4.19", "v6.1"])
@pytest.mark.parametrize("offset", [0, 777_000])
def test_the_preemption_timer_counts_the_hosts_cycles(name: str, offset: int) -> None:
    """An offset cancels, the multiplier does not."""
    made = armed(name, offset=offset)
    assert made.s[made.timer.hv_deadline] == START + HOST


@pytest.mark.parametrize("name", ["v4.7", NO_HV])
def test_the_hrtimer_is_due_on_the_hosts_clock(name: str) -> None:
    """The same point in time, whoever holds the deadline."""
    made = armed(name)
    assert made.s[made.timer.hrtimer.expires] == START + HOST


@pytest.mark.parametrize(("name", "holder"), [("v4.7", "hrtimer"), (NO_HV, "hrtimer"), ("v6.1", "hv")])
def test_an_advance_of_a_microsecond_is_one_on_the_host(name: str, holder: str) -> None:
    """1000 ns are 1250 cycles of the guest's, and 1000 of the host's."""
    made = armed(name, advance=1_000, **GIGAHERTZ)
    cell = made.timer.hrtimer.expires if holder == "hrtimer" else made.timer.hv_deadline
    assert made.s[cell] == START + HOST - 1_000


SPINS = [
    *(("v6.1", 500, 400), ("v6.1", 5_000, 1_000)),
    *((name, left, spins) for name in ("v4.7", "v4.19") for left, spins in ((500, 500), (5_000, 1_250))),
]
"""Kernel, what is left of the deadline in the guest's cycles, how many of the host's are waited."""


@pytest.mark.parametrize(("name", "left", "spins"), SPINS)
def test_the_wait_is_no_longer_than_the_advance(name: str, left: int, spins: int) -> None:
    """What is left, or 1000 ns if that is less; 4.10.17 and 4.19 take the guest's cycles for the host's."""
    made = bench(name, Mode.TSC_DEADLINE, ratio=RATIO, advance=1_000, **GIGAHERTZ)
    apicv, now = made.vcpu.guests[0].apicv, guest_now(made.s, made.vcpu)
    assert apicv is not None
    made.s[apicv.virr], made.s[made.timer.expired] = bit(VECTOR), now + left
    wait = find(kernel(name).paths["wait_lapic_expire"], "WAIT.expire")
    assert isinstance(wait, Step) and wait.fn(made.s, made.vcpu) is None
    assert made.s[made.timer.spin] == START + spins and made.s[made.timer.expired] == 0


@pytest.mark.parametrize(("late", "by"), [(5_000, 500), (-5_000, -500)])
def test_the_advance_moves_by_an_eighth_of_the_error_in_the_guests_nanoseconds(late: int, by: int) -> None:
    """5000 cycles of the guest's are 4000 ns; read in 6.1, adjust_lapic_timer_advance: virtual_tsc_khz."""
    made = bench("v6.1", Mode.TSC_DEADLINE, ratio=RATIO, advance=-1, **GIGAHERTZ)
    apicv = made.vcpu.guests[0].apicv
    assert apicv is not None
    made.s[apicv.virr], made.s[made.timer.expired] = bit(VECTOR), guest_now(made.s, made.vcpu) - late
    wait = find(kernel("v6.1").paths["wait_lapic_expire"], "WAIT.expire")
    assert isinstance(wait, Step)
    wait.fn(made.s, made.vcpu)
    assert made.s[made.timer.advance] == ADVANCE_INIT + by
