"""check_nested_events: what L1 is told before L2 may run on, in the real orders of three releases, as data.

Every one of them answers -EBUSY while L1's VMRESUME is owed an entry or an event of L2 has to be injected
again; its caller then asks for an immediate exit. Only 5.10's order is the processor's own.
Source: vmx.c vmx_check_nested_events of v4.11 and v4.19, nested.c of v5.10; x86.c inject_pending_event.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.kvm import events
from kvmlab.kvm.nested import is_guest_mode, nested_vmx_vmexit, vmcs12, waiting
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.step import Guard, Step
from kvmlab.processor import intr_info, lapic
from kvmlab.processor.controls import ACK_INTERRUPT_ON_EXIT, EXTERNAL_INTERRUPT_EXITING
from kvmlab.processor.exits import Exit


@dataclass(frozen=True, slots=True)
class NestedEvent:
    """Something that L1 has to hear of: when it is there, and the exit of L2 that L1 is told."""

    name: str
    pending: Guard
    reason: Exit


def _timer(s: Sequence[int], me: Vcpu) -> bool:
    return me.nested is not None and bool(s[me.nested.expired])


def _interrupt(s: Sequence[int], me: Vcpu) -> bool:
    """An interrupt waits for L1, and L1 exits on interrupts."""
    form = vmcs12(s, me)
    exits = form.pin is None or s[form.pin] & EXTERNAL_INTERRUPT_EXITING
    return bool(exits) and waiting(s, me)


EVENTS = {
    event.name: event
    for event in (
        NestedEvent("preemption_timer", _timer, Exit.PREEMPTION_TIMER),
        NestedEvent("interrupt", _interrupt, Exit.EXTERNAL_INTERRUPT),
    )
}

ORDER_4_11 = ("preemption_timer", "nmi", "interrupt")
ORDER_4_19 = ("exception", "preemption_timer", "nmi", "interrupt")
ORDER_5_10 = ("init", "fault", "mtf", "trap", "preemption_timer", "smi", "nmi", "interrupt")
"""Nested posted interrupts, the last of each, are not modelled."""


def tell_l1(s: list[int], me: Vcpu, reason: Exit, exit_intr: int = 0) -> None:
    """Make an exit of L2 to L1: what is still queued for L2 is told as IDT-vectoring information."""
    form = vmcs12(s, me)
    queued, s[me.queued] = s[me.queued], 0
    nested_vmx_vmexit(s, me, reason)
    s[form.exit_intr], s[form.idt_vectoring] = exit_intr, queued


def _acknowledged(s: list[int], me: Vcpu) -> int:
    """Return what L1 finds acknowledged, if its form asks for that."""
    if vmcs12(s, me).exit_controls & ACK_INTERRUPT_ON_EXIT:
        return intr_info.event(lapic.acknowledge(s, me.guests[0].cpu))
    return 0


def _exit(event: NestedEvent, source: str) -> Step:
    def run(s: list[int], me: Vcpu) -> None:
        interrupt = event.reason == Exit.EXTERNAL_INTERRUPT
        tell_l1(s, me, event.reason, _acknowledged(s, me) if interrupt else 0)

    def allowed(s: Sequence[int], me: Vcpu) -> bool:
        return bool(is_guest_mode(s, me)) and not busy(s, me) and bool(event.pending(s, me))

    return Step(
        f"NESTED.{event.name}",
        run,
        allowed,
        f"L2 -> L1 exit: L1 is told {event.reason.name}",
        source,
        emits=events.kvm_nested_vmexit_inject,
    )


def busy(s: Sequence[int], me: Vcpu) -> bool:
    """L1's VMRESUME is owed an entry, or an event of L2 has to be injected again."""
    return bool(s[me.nested_run_pending] or s[me.queued])


def check_nested_events(order: Sequence[str], source: str) -> tuple[Step, ...]:
    """Return the exits in their order, as alternatives of a row; what is not modelled is left out."""
    return tuple(_exit(EVENTS[name], source) for name in order if name in EVENTS)


def anything_for_l1(order: Sequence[str]) -> Guard:
    """Return the guard "L2 is active and L1 has to hear of something"."""
    known = tuple(EVENTS[name].pending for name in order if name in EVENTS)

    def when(s: Sequence[int], me: Vcpu) -> bool:
        return bool(is_guest_mode(s, me)) and any(pending(s, me) for pending in known)

    return when
