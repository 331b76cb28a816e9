"""The tail of vcpu_run: an expiry that is pending becomes an interrupt of the guest.

Until posted timers this is the only place where one does: nothing is delivered while the guest runs.
Source: v4.10 x86.c vcpu_run; lapic.c kvm_inject_apic_timer_irqs, kvm_apic_local_deliver.
"""

from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.lapic_timer import has_pending_timer, mode
from kvmlab.kvm.posted import POST_PIR, Post, pid
from kvmlab.kvm.requests import KVM_REQ_EVENT, KVM_REQ_PENDING_TIMER
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.step import Block, Step, block
from kvmlab.processor import lapic
from kvmlab.processor.apic_timer import MASKED, Mode

LAPIC = "v4.10 lapic.c "


def _accept(s: list[int], me: TimedVcpu, vector: int) -> None:
    """With APICv the thread posts to itself, outside the guest: nobody looks between PIR and ON."""
    if me.guests[0].apicv is None:
        lapic.accept(s, me.guests[0].cpu, vector)
        s[me.requests] |= KVM_REQ_EVENT
    else:
        POST_PIR.fn(s, Post(vcpu=me, vector=vector))
        s[pid(me).on] = 1


def injected(s: list[int], me: TimedVcpu) -> None:
    """Count an interrupt; who asks wants to tell none, one, two and more."""
    s[me.timer.injected] = min(s[me.timer.injected] + 1, 3)


def disarm(s: list[int], me: TimedVcpu) -> None:
    """The deadline is over, and so is a single shot."""
    if mode(s, me) != Mode.PERIODIC:
        s[me.timer.tscdeadline], s[me.timer.target] = 0, -1


def deliver(s: list[int], me: TimedVcpu) -> None:
    """The timer's vector, unless it is masked."""
    if not s[me.timer.lvtt] & MASKED:
        injected(s, me)
        _accept(s, me, s[me.timer.lvtt] & 0xFF)
    disarm(s, me)


def _deliver_4_10(s: list[int], me: TimedVcpu) -> None:
    """Every post makes KVM_REQ_EVENT there, the thread's own too."""
    deliver(s, me)
    s[me.requests] |= KVM_REQ_EVENT


def _clear(s: list[int], me: TimedVcpu) -> None:
    s[me.requests] &= ~KVM_REQ_PENDING_TIMER


def _any(s: list[int], me: TimedVcpu) -> str | None:
    return None if has_pending_timer(s, me) else "inject_pending_timer_irqs"


def _done(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.pending] = 0


TAIL_DELIVER = Step(
    "TAIL.deliver",
    deliver,
    says="the timer's vector goes to the guest's local APIC; tscdeadline := 0",
    source=LAPIC + "kvm_inject_apic_timer_irqs",
    emits=trace.accept_irq,
)
TAIL_DELIVER_4_10 = Step(
    "TAIL.deliver",
    _deliver_4_10,
    says="the timer's vector goes to the guest's local APIC, with KVM_REQ_EVENT; tscdeadline := 0",
    source=LAPIC + "kvm_inject_apic_timer_irqs",
    emits=trace.accept_irq,
)


def tail(deliver: Step) -> Block:
    """Return the tail of vcpu_run with this step of delivery."""
    return block(
        "inject_pending_timer_irqs",
        Step("TAIL.clear", _clear, says="clear KVM_REQ_PENDING_TIMER", source="v4.10 x86.c vcpu_run"),
        Step(
            "TAIL.pending",
            _any,
            says="is an expiry pending, and the timer not masked?",
            source="v4.10 x86.c vcpu_run, lapic.c apic_has_pending_timer",
            leaves=("inject_pending_timer_irqs",),
        ),
        deliver,
        Step("TAIL.done", _done, says="pending := 0", source=LAPIC + "kvm_inject_apic_timer_irqs"),
    )
