"""How a timer expires in v6.1: in the vCPU's own thread straight to the guest, else by way of ``pending``.

Posting to oneself needs no notification; a callback on another CPU has to kick. Source: v6.1 lapic.c
apic_timer_expired, apic_timer_fn; kvm_main.c kvm_vcpu_kick.
"""

from collections.abc import Sequence

from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.lapic_timer import (
    EXPIRED_REQUEST,
    EXPIRED_TEST,
    EXPIRED_WAKE,
    FN_AGAIN,
    expired_pending,
    mode,
)
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.kvm.timer_tail import deliver
from kvmlab.machine.step import Step, block
from kvmlab.processor.apic_timer import Mode
from kvmlab.processor.vectors import RESCHEDULE_VECTOR, bit

LAPIC = "v6.1 lapic.c "


def remember(s: list[int], me: TimedVcpu) -> None:
    """Keep the deadline for wait_lapic_expire; of the hv timer in every mode, since ee66e453db13."""
    if mode(s, me) == Mode.TSC_DEADLINE or s[me.timer.in_use]:
        s[me.timer.expired] = s[me.timer.tscdeadline]


def _deliver_now(s: list[int], me: TimedVcpu) -> str | None:
    if me.guests[0].apicv is None:
        return None
    remember(s, me)
    deliver(s, me)
    return "apic_timer_expired"


EXPIRED_PENDING = expired_pending(remember, "v6.1")


def _delivered(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> trace.Firing:
    return trace.accept_irq(before, after, me) if me.guests[0].apicv is not None else ()


APIC_TIMER_EXPIRED = block(
    "apic_timer_expired",
    EXPIRED_TEST,
    Step(
        "EXPIRED.deliver",
        _deliver_now,
        says="in the vCPU's own thread, with APICv: the vector is posted at once, nothing is pending",
        source=LAPIC + "apic_timer_expired, kvm_apic_inject_pending_timer_irqs",
        leaves=("apic_timer_expired",),
        emits=_delivered,
    ),
    EXPIRED_PENDING,
    EXPIRED_REQUEST,
)


def _kick(s: list[int], me: TimedVcpu) -> str | None:
    """On the thread's own CPU there is nobody to be called out of the guest."""
    if not s[me.timer.hrtimer.away] or s[me.mode] != vcpu_mode.IN_GUEST_MODE:
        return "apic_timer_expired"
    vcpu_mode.change(s, me.mode, vcpu_mode.EXITING_GUEST_MODE)
    return None


def _ipi(s: list[int], me: TimedVcpu) -> None:
    s[me.cpu.irr] |= bit(RESCHEDULE_VECTOR)


APIC_TIMER_FN = block(
    "apic_timer_fn",
    block(
        "apic_timer_expired",
        EXPIRED_TEST,
        EXPIRED_PENDING,
        EXPIRED_REQUEST,
        EXPIRED_WAKE,
        Step(
            "EXPIRED.kick",
            _kick,
            says="is the vCPU in the guest, on another CPU? then kick it",
            source="v6.1 kvm_main.c kvm_vcpu_kick",
            leaves=("apic_timer_expired",),
        ),
        Step("EXPIRED.ipi", _ipi, says="the reschedule IPI reaches its CPU", source="v6.1 kvm_vcpu_kick"),
    ),
    FN_AGAIN,
)
