"""lapic_timer_advance: the timer fires early, and KVM waits for the deadline just before the entry.

Only where the timer's vector is visible to the guest that is about to run. The adaptive variant shifts the
advance by an eighth of the error, unless that is tiny or a spike, and starts over when it gets out of hand.
Source: v6.1 lapic.c kvm_wait_lapic_expire, __kvm_wait_lapic_expire, adjust_lapic_timer_advance,
lapic_timer_int_injected (d0659d946be0, c5ce8235cffa, 3b8a5df6c4dc, ee66e453db13).
"""

from collections.abc import Sequence

from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.timer_records import TimedVcpu, advance_cycles, guest_khz, guest_now, host_now
from kvmlab.kvm.tsc import unscale
from kvmlab.machine.step import Step, block
from kvmlab.processor.vectors import bit

V6_1 = "v6.1 lapic.c kvm_wait_lapic_expire"

ADJUST_MIN, ADJUST_MAX, ADJUST_STEP = 100, 10_000, 8
"""Cycles, cycles, and the fraction of the error."""
ADVANCE_INIT, ADVANCE_MAX = 1_000, 5_000
"""Nanoseconds."""


def is_visible(s: Sequence[int], me: TimedVcpu) -> bool:
    """Whether the timer's vector stands where the guest will take it from: VIRR, or ISR without APICv."""
    guest = me.guests[0]
    pending = s[guest.cpu.isr] if guest.apicv is None else s[guest.apicv.virr]
    return bool(pending & bit(s[me.timer.lvtt] & 0xFF))


def adjusted(advance: int, late: int, khz: int) -> int:
    """Return the advance in nanoseconds after an expiry that was ``late`` cycles late (negative: early)."""
    if not ADJUST_MIN <= abs(late) <= ADJUST_MAX:
        return advance
    by = abs(late) * 1_000_000 // khz // ADJUST_STEP
    advance += by if late > 0 else -by
    return ADVANCE_INIT if advance > ADVANCE_MAX or advance < 0 else advance


def _wait(s: list[int], me: TimedVcpu) -> str | None:
    t = me.timer
    if not (s[t.expired] and s[t.advance] and is_visible(s, me)):
        return "wait_lapic_expire"
    late = guest_now(s, me) - s[t.expired]
    s[t.expired] = 0
    if t.adaptive:
        s[t.advance] = adjusted(s[t.advance], late, guest_khz(me))
    if late >= 0:
        return "wait_lapic_expire"
    left = unscale(min(-late, advance_cycles(s, me)), t.tsc.ratio)
    assert left is not None
    s[t.spin] = host_now(s, me) + left
    return None


def _waited(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> trace.Firing:
    waits = before[me.timer.expired] and not after[me.timer.expired]
    return trace.wait_lapic_expire(before, after, me) if waits else ()


def _spun(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.spin] = -1


WAIT = block(
    "wait_lapic_expire",
    Step(
        "WAIT.expire",
        _wait,
        says="has the timer fired, and will the guest see it? then how early or late; the advance is adapted",
        source=V6_1,
        leaves=("wait_lapic_expire",),
        emits=_waited,
    ),
    Step(
        "WAIT.spin",
        _spun,
        lambda s, me: s[me.timer.spin] <= host_now(s, me),
        "early: spin until the deadline",
        "v6.1 lapic.c __wait_lapic_expire",
    ),
)
