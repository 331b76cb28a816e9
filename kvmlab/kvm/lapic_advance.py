"""lapic_timer_advance: the timer fires early, and KVM waits for the deadline just before the entry.

Only where the timer's vector is visible to the guest that is about to run. It waits for what the expiry has
left in ``expired``, whichever timer it was; until ee66e453db13 that was nothing unless in deadline mode: so a
count on the preemption timer, which c5ce8235cffa lets fire early too, was not waited for. The adaptive
variant shifts the advance by an eighth of the error, unless that is tiny or a spike, and starts over when it
gets out of hand. Source: v4.10, v4.19 x86.c vcpu_enter_guest, lapic.c wait_lapic_expire; v6.1 lapic.c
kvm_wait_lapic_expire, __wait_lapic_expire, adjust_lapic_timer_advance, lapic_timer_int_injected
(d0659d946be0, 3b8a5df6c4dc).
"""

from collections.abc import Callable, Sequence

from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.timer_records import TimedVcpu, advance_cycles, guest_khz, guest_now, host_now
from kvmlab.kvm.tsc import unscale
from kvmlab.machine.step import Block, Guard, Step, block
from kvmlab.processor.vectors import bit

ADJUST_MIN, ADJUST_MAX, ADJUST_STEP = 100, 10_000, 8
"""Cycles, cycles, and the fraction of the error."""
ADVANCE_INIT, ADVANCE_MAX = 1_000, 5_000
"""Nanoseconds."""

Spins = Callable[[int, TimedVcpu], int]
"""(guest cycles) -> the host's TSC cycles that the wait takes."""


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


def is_advanced(s: Sequence[int], me: TimedVcpu) -> bool:
    """Whether the timer fires early at all."""
    return bool(s[me.timer.advance])


def _as_they_are(cycles: int, me: TimedVcpu) -> int:
    """Up to v4.19 the guest's cycles are counted on the host's TSC."""
    return cycles


def _on_the_host(cycles: int, me: TimedVcpu) -> int:
    """Since v5.2 a guest whose TSC is scaled waits as long as it should."""
    left = unscale(cycles, me.timer.tsc.ratio)
    assert left is not None
    return left


def _wait(s: list[int], me: TimedVcpu, spins: Spins) -> str | None:
    t = me.timer
    late = guest_now(s, me) - s[t.expired]
    s[t.expired] = 0
    if t.adaptive:
        s[t.advance] = adjusted(s[t.advance], late, guest_khz(me))
    if late >= 0:
        return "wait_lapic_expire"
    s[t.spin] = host_now(s, me) + spins(min(-late, advance_cycles(s, me)), me)
    return None


def _waited(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> trace.Firing:
    waits = before[me.timer.expired] and not after[me.timer.expired]
    return trace.wait_lapic_expire(before, after, me) if waits else ()


def _spun(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.spin] = -1


SPIN = Step(
    "WAIT.spin",
    _spun,
    lambda s, me: s[me.timer.spin] <= host_now(s, me),
    "early: spin until the deadline",
    "v6.1 lapic.c __wait_lapic_expire",
)


def wait_lapic_expire(source: str, *conditions: Guard, spins: Spins = _on_the_host) -> Block:
    """Return the wait, if all of ``conditions`` hold and an expiry has not been waited for."""

    def run(s: list[int], me: TimedVcpu) -> str | None:
        wanted = s[me.timer.expired] and all(holds(s, me) for holds in conditions)
        return _wait(s, me, spins) if wanted else "wait_lapic_expire"

    return block(
        "wait_lapic_expire",
        Step(
            "WAIT.expire",
            run,
            says="has the timer fired, and will the guest see it? then how early or late; it may be adapted",
            source=source,
            leaves=("wait_lapic_expire",),
            emits=_waited,
        ),
        SPIN,
    )


WAIT_4_10 = wait_lapic_expire("v4.10 lapic.c wait_lapic_expire", is_visible, spins=_as_they_are)
"""It is asked at every entry, and traced with an advance of 0 too."""
WAIT_4_19 = wait_lapic_expire(
    "v4.19 x86.c vcpu_enter_guest, lapic.c wait_lapic_expire", is_advanced, is_visible, spins=_as_they_are
)
WAIT = wait_lapic_expire("v6.1 lapic.c kvm_wait_lapic_expire", is_advanced, is_visible)
