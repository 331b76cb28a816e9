"""KVM's local APIC timer on the host's hrtimer: it is started, it expires.

``pending`` is 0 or 1: an expiry that finds it set is dropped. When a start finds the deadline passed, and
what a period that has passed does, is a function each: there v4.10, v4.19 and v6.1 differ.
Source: v4.10, v4.19 and v6.1 lapic.c start_sw_tscdeadline, start_sw_period, apic_timer_expired,
apic_timer_fn, advance_periodic_target_expiration, apic_has_pending_timer; before patch 2, ce7a058a2117
lapic.c.
"""

from collections.abc import Sequence

from kvmlab.kvm import hrtimer
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.requests import KVM_REQ_PENDING_TIMER
from kvmlab.kvm.timer_records import TimedVcpu, advance_cycles, guest_now, host_now
from kvmlab.kvm.tsc import unscale
from kvmlab.machine.call import call
from kvmlab.machine.step import Effect, Guard, Step, block
from kvmlab.processor.apic_timer import MASKED, Mode, mode_of

LAPIC = "v4.10 lapic.c "


def mode(s: Sequence[int], me: TimedVcpu) -> Mode:
    """Return the timer's mode."""
    return mode_of(s[me.timer.lvtt])


def dropped(s: Sequence[int], me: TimedVcpu) -> bool:
    """Whether an expiry waits that makes another one superfluous; a periodic timer goes on."""
    return bool(s[me.timer.pending]) and mode(s, me) != Mode.PERIODIC


def has_pending_timer(s: Sequence[int], me: TimedVcpu) -> bool:
    """Whether an expiry waits to be delivered: behind a mask it does not, and keeps until that is gone."""
    return bool(s[me.timer.pending]) and not s[me.timer.lvtt] & MASKED


def counts_periods(s: Sequence[int], me: TimedVcpu) -> bool:
    """Whether a next period follows."""
    return mode(s, me) == Mode.PERIODIC and bool(s[me.timer.period])


def is_off(s: Sequence[int], me: TimedVcpu) -> bool:
    """Whether the guest has disarmed its timer."""
    armed = me.timer.tscdeadline if mode(s, me) == Mode.TSC_DEADLINE else me.timer.period
    return not s[armed]


def cycles_to_go(s: Sequence[int], me: TimedVcpu) -> int:
    """Return how many host cycles are left; of a deadline that has passed 0, of a count less."""
    if mode(s, me) != Mode.TSC_DEADLINE:
        return s[me.timer.target] - host_now(s, me)
    cycles = unscale(max(s[me.timer.tscdeadline] - guest_now(s, me), 0), me.timer.tsc.ratio)
    assert cycles is not None
    return cycles


def early(s: Sequence[int], me: TimedVcpu) -> int:
    """Return how many host cycles early the hrtimer fires: only for a deadline."""
    if mode(s, me) != Mode.TSC_DEADLINE:
        return 0
    cycles = unscale(advance_cycles(s, me), me.timer.tsc.ratio)
    assert cycles is not None
    return cycles


def passed_4_10(s: Sequence[int], me: TimedVcpu) -> bool:
    """A deadline that is here, or a single count that is over; a period always gets its hrtimer."""
    left, of = cycles_to_go(s, me), mode(s, me)
    return left <= 0 if of == Mode.TSC_DEADLINE else of == Mode.ONE_SHOT and left < 0


def passed_4_19(s: Sequence[int], me: TimedVcpu) -> bool:
    """The same, and a period that is over has passed too."""
    return cycles_to_go(s, me) < (1 if mode(s, me) == Mode.TSC_DEADLINE else 0)


def passed_6_1(s: Sequence[int], me: TimedVcpu) -> bool:
    """A deadline for which the hrtimer would be too late has passed, so far as it fires early."""
    deadline = mode(s, me) == Mode.TSC_DEADLINE
    return cycles_to_go(s, me) <= early(s, me) if deadline else passed_4_19(s, me)


def sw_start(passed: Guard, release: str) -> Step:
    """Return the start of the hrtimer, unless there is nothing to wait for."""

    def run(s: list[int], me: TimedVcpu) -> str | None:
        if is_off(s, me):
            return "start_sw"
        if passed(s, me):
            return None
        hrtimer.enqueue(s, me, max(host_now(s, me) + cycles_to_go(s, me) - early(s, me), 0))
        return "start_sw"

    return Step(
        "SW.start",
        run,
        says="hrtimer_start at the deadline; 0: the timer is off; in the past: it has expired",
        source=f"{release} lapic.c start_sw_tscdeadline, start_sw_period",
        leaves=("start_sw",),
        emits=trace.hrtimer_start,
    )


EXPIRE_NOW = call("apic_timer_expired", LAPIC + "start_sw_tscdeadline")
START_SW = block("start_sw", sw_start(passed_4_10, "v4.10"), EXPIRE_NOW)
"""The hrtimer that is queued already, if one is, stays so when the deadline has passed."""


def _already(s: list[int], me: TimedVcpu) -> str | None:
    return "apic_timer_expired" if s[me.timer.pending] else None


def remember(s: list[int], me: TimedVcpu) -> None:
    """Keep the deadline for wait_lapic_expire."""
    if mode(s, me) == Mode.TSC_DEADLINE:
        s[me.timer.expired] = s[me.timer.tscdeadline]


def expired_pending(remember: Effect, release: str) -> Step:
    """Return the step that keeps an expiry for the tail, and what there is to wait for."""

    def run(s: list[int], me: TimedVcpu) -> None:
        s[me.timer.pending] = 1
        remember(s, me)

    source = f"{release} lapic.c apic_timer_expired"
    return Step("EXPIRED.pending", run, says="pending := 1", source=source)


def _request(s: list[int], me: TimedVcpu) -> None:
    s[me.requests] |= KVM_REQ_PENDING_TIMER


def wake(s: list[int], me: TimedVcpu) -> None:
    """swake_up: out of the wait queue, if the thread is in it."""
    s[me.halt.waiting] = 0


EXPIRED_TEST = Step(
    "EXPIRED.test",
    _already,
    says="is one pending already? then this expiry is dropped",
    source=LAPIC + "apic_timer_expired",
    leaves=("apic_timer_expired",),
)
EXPIRED_REQUEST = Step(
    "EXPIRED.request",
    _request,
    says="KVM_REQ_PENDING_TIMER: no entry before the tail of vcpu_run",
    source="v4.10 x86.c kvm_set_pending_timer",
)
EXPIRED_WAKE = Step(
    "EXPIRED.wake",
    wake,
    says="is the thread in the wait queue? then wake it",
    source=LAPIC + "apic_timer_expired",
)
APIC_TIMER_EXPIRED = block(
    "apic_timer_expired",
    EXPIRED_TEST,
    expired_pending(remember, "v4.10"),
    EXPIRED_REQUEST,
    EXPIRED_WAKE,
)


def scaled(cycles: int, me: TimedVcpu) -> int:
    """Return host cycles as guest cycles, a negative number as a negative one."""
    return cycles * me.timer.tsc.ratio >> 48


def next_period_4_10(s: list[int], me: TimedVcpu) -> None:
    """advance_periodic_target_expiration: both clocks a period on; rounding lets them drift apart."""
    t = me.timer
    s[t.target] += s[t.period]
    s[t.tscdeadline] += scaled(s[t.period], me)


NEGATIVE_NS = 1 << 63
"""How much more pvclock_scale_delta makes of a negative number of ns, since it takes it as unsigned.

In a kernel 2^64 times a fraction that depends on the TSC's rate (0.4 at 400 MHz, 0.6 at 2.4 GHz). A half
stands for all: no preemption timer holds any of them.
"""


def next_period(s: list[int], me: TimedVcpu) -> None:
    """The same in v4.19: the guest's deadline is computed anew from the host's.

    A period that has passed already makes a deadline that no preemption timer can hold, and KVM falls back to
    the hrtimer; 18ab3fc8e880 (2025) mends that.
    """
    t = me.timer
    s[t.target] += s[t.period]
    left = s[t.target] - host_now(s, me)
    s[t.tscdeadline] = guest_now(s, me) + scaled(left, me) + (NEGATIVE_NS if left < 0 else 0)


def fn_again(advance: Effect, release: str) -> Step:
    """Return the end of the callback."""

    def run(s: list[int], me: TimedVcpu) -> None:
        if counts_periods(s, me):
            advance(s, me)
            hrtimer.requeue(s, me, s[me.timer.target])

    return Step(
        "FN.again",
        run,
        says="periodic: the next period begins, the hrtimer stays in its queue",
        source=f"{release} lapic.c apic_timer_fn",
        emits=trace.hrtimer_start,
    )


FN_AGAIN = fn_again(next_period, "v4.19")
APIC_TIMER_FN = block(
    "apic_timer_fn", call("apic_timer_expired", LAPIC + "apic_timer_fn"), fn_again(next_period_4_10, "v4.10")
)
"""The callback."""
