"""KVM's local APIC timer on the host's hrtimer: it is started, it expires.

``pending`` is 0 or 1: an expiry that finds it set is dropped.
Source: v4.10 lapic.c start_sw_tscdeadline, start_sw_period, apic_timer_expired, apic_timer_fn; for the state
before patch 2, ce7a058a2117 lapic.c.
"""

from collections.abc import Sequence

from kvmlab.kvm import hrtimer
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.requests import KVM_REQ_PENDING_TIMER
from kvmlab.kvm.timer_records import TimedVcpu, advance_cycles, guest_now, host_now
from kvmlab.kvm.tsc import unscale
from kvmlab.machine.call import call
from kvmlab.machine.step import Step, block
from kvmlab.processor.apic_timer import Mode, mode_of

LAPIC = "v4.10 lapic.c "


def mode(s: Sequence[int], me: TimedVcpu) -> Mode:
    """Return the timer's mode."""
    return mode_of(s[me.timer.lvtt])


def dropped(s: Sequence[int], me: TimedVcpu) -> bool:
    """Whether an expiry waits that makes another one superfluous; a periodic timer goes on."""
    return bool(s[me.timer.pending]) and mode(s, me) != Mode.PERIODIC


def is_off(s: Sequence[int], me: TimedVcpu) -> bool:
    """Whether the guest has disarmed its timer."""
    armed = me.timer.tscdeadline if mode(s, me) == Mode.TSC_DEADLINE else me.timer.period
    return not s[armed]


def cycles_to_go(s: Sequence[int], me: TimedVcpu) -> int:
    """Return in how many host cycles the hrtimer has to expire; 0 or less: it is too late for one."""
    if mode(s, me) != Mode.TSC_DEADLINE:
        return s[me.timer.target] - host_now(s, me)
    left = s[me.timer.tscdeadline] - guest_now(s, me) - advance_cycles(s, me)
    cycles = unscale(max(left, 0), me.timer.tsc.ratio)
    assert cycles is not None
    return cycles


def _start_sw(s: list[int], me: TimedVcpu) -> str | None:
    if is_off(s, me):
        return "start_sw"
    left = cycles_to_go(s, me)
    if left <= 0:
        return None
    hrtimer.enqueue(s, me, host_now(s, me) + left)
    return "start_sw"


SW_START = Step(
    "SW.start",
    _start_sw,
    says="hrtimer_start at the deadline; 0: the timer is off; in the past: it has expired",
    source=LAPIC + "start_sw_tscdeadline, start_sw_period",
    leaves=("start_sw",),
    emits=trace.hrtimer_start,
)
EXPIRE_NOW = call("apic_timer_expired", LAPIC + "start_sw_tscdeadline")
START_SW = block("start_sw", SW_START, EXPIRE_NOW)


def _already(s: list[int], me: TimedVcpu) -> str | None:
    return "apic_timer_expired" if s[me.timer.pending] else None


def remember(s: list[int], me: TimedVcpu) -> None:
    """Keep the deadline for wait_lapic_expire."""
    if mode(s, me) == Mode.TSC_DEADLINE:
        s[me.timer.expired] = s[me.timer.tscdeadline]


def _pending(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.pending] = 1
    remember(s, me)


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
EXPIRED_PENDING = Step("EXPIRED.pending", _pending, says="pending := 1", source=LAPIC + "apic_timer_expired")
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
APIC_TIMER_EXPIRED = block("apic_timer_expired", EXPIRED_TEST, EXPIRED_PENDING, EXPIRED_REQUEST, EXPIRED_WAKE)


def next_period(s: list[int], me: TimedVcpu) -> None:
    """advance_periodic_target_expiration: the next target, and the same point in guest TSC."""
    t = me.timer
    s[t.target] += s[t.period]
    s[t.tscdeadline] = guest_now(s, me) + scaled(s[t.target] - host_now(s, me), me)


def scaled(cycles: int, me: TimedVcpu) -> int:
    """Return host cycles as guest cycles, a negative number as a negative one."""
    return cycles * me.timer.tsc.ratio >> 48


def _again(s: list[int], me: TimedVcpu) -> None:
    if mode(s, me) == Mode.PERIODIC:
        next_period(s, me)
        hrtimer.requeue(s, me, s[me.timer.target])


def _go_on(s: list[int], me: TimedVcpu) -> None:
    if mode(s, me) == Mode.PERIODIC:
        next_period(s, me)
        hrtimer.enqueue(s, me, s[me.timer.target])


SW_AGAIN = Step(
    "SW.again",
    _go_on,
    says="periodic: the next period begins",
    source=LAPIC + "start_sw_period",
    emits=trace.hrtimer_start,
)
FN_AGAIN = Step(
    "FN.again",
    _again,
    says="periodic: the next period begins, the hrtimer stays in its queue",
    source=LAPIC + "apic_timer_fn",
    emits=trace.hrtimer_start,
)
APIC_TIMER_FN = block("apic_timer_fn", call("apic_timer_expired", LAPIC + "apic_timer_fn"), FN_AGAIN)
"""The callback."""
