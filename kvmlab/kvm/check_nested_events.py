"""check_nested_events: what L1 is told before L2 may run on, in the real orders of three releases, as data.

Every one of them answers -EBUSY while L1's VMRESUME is owed an entry or an event of L2 has to be injected
again; its caller then asks for an immediate exit. 4.11 counts among these an exception that is still to be
injected. Only 5.10's order is the processor's own, but for SMIs: in 4.19 the timer goes before a debug trap
of L2 that is still to be injected, and the trap is lost. Source: vmx.c vmx_check_nested_events of v4.18 and
v4.19, nested.c of v5.10; for v4.11, v4.10 vmx.c and acc9ab601327; x86.c inject_pending_event.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.kvm import events, nested_timer
from kvmlab.kvm.nested import current, is_guest_mode, nested_vmx_vmexit, vmcs12, waiting
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.step import Effect, Guard, Step
from kvmlab.processor import apicv, intr_info, lapic, priority
from kvmlab.processor.apicv import page
from kvmlab.processor.controls import ACK_INTERRUPT_ON_EXIT, EXTERNAL_INTERRUPT_EXITING
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import vector
from kvmlab.processor.timer_events import intercepts
from kvmlab.processor.vectors import top


def tell_l1(s: list[int], me: Vcpu, reason: Exit, exit_intr: int = 0) -> None:
    """Make an exit of L2 to L1: what is still queued for L2 is told as IDT-vectoring information.

    An exception that was not injected yet is dropped, and so is the rest of what concerned L2 alone.
    """
    form = vmcs12(s, me)
    queued, s[me.queued] = s[me.queued], 0
    nested_timer.stop(s, me, form)
    for cell in (me.exception, *((me.nested.halted, me.nested.mtf_pending) if me.nested else ())):
        if cell is not None:
            s[cell] = 0
    nested_vmx_vmexit(s, me, reason)
    s[form.exit_intr], s[form.idt_vectoring] = exit_intr, queued


def _acknowledged(s: list[int], me: Vcpu) -> int:
    """Return what L1 finds acknowledged, if its form asks for that."""
    if not vmcs12(s, me).exit_controls & ACK_INTERRUPT_ON_EXIT:
        return 0
    l1 = me.guests[0]
    on_page = l1.apicv is not None and s[l1.apicv.virr]
    return intr_info.event(apicv.deliver(s, page(l1)) if on_page else lapic.acknowledge(s, l1.cpu))


def _tell_exception(s: list[int], me: Vcpu) -> None:
    assert me.exception is not None
    tell_l1(s, me, Exit.EXCEPTION_NMI, s[me.exception])


def _tell_timer(s: list[int], me: Vcpu) -> None:
    tell_l1(s, me, Exit.PREEMPTION_TIMER)


def _tell_interrupt(s: list[int], me: Vcpu) -> None:
    tell_l1(s, me, Exit.EXTERNAL_INTERRUPT, _acknowledged(s, me))


def _tell_mtf(s: list[int], me: Vcpu) -> None:
    """A debug trap of the same instruction goes into the pending debug exceptions."""
    debug = current(s, me).debug
    if me.exception is not None and debug is not None and s[me.exception]:
        s[debug] = 1
    tell_l1(s, me, Exit.MONITOR_TRAP_FLAG)


def _tell_init(s: list[int], me: Vcpu) -> None:
    """The exit consumes it."""
    assert me.nested is not None and me.nested.init is not None
    s[me.nested.init] = 0
    tell_l1(s, me, Exit.INIT_SIGNAL)


def queued_exception(s: Sequence[int], me: Vcpu) -> bool:
    """An exception is still to be injected."""
    return me.exception is not None and bool(s[me.exception])


def _exception(s: Sequence[int], me: Vcpu) -> bool:
    """One that KVM has queued for L2, and L1 intercepts."""
    if me.exception is None or not queued_exception(s, me):
        return False
    return intercepts(s, vmcs12(s, me), vector(s[me.exception]))


def _timer(s: Sequence[int], me: Vcpu) -> bool:
    return me.nested is not None and bool(s[me.nested.expired])


def _interrupt(s: Sequence[int], me: Vcpu) -> bool:
    """An interrupt waits for L1, in KVM's local APIC or on the APIC page, and L1 exits on interrupts."""
    form, a = vmcs12(s, me), me.guests[0].apicv
    if form.pin is not None and not s[form.pin] & EXTERNAL_INTERRUPT_EXITING:
        return False
    on_page = a is not None and priority.passes(top(s[a.virr]), apicv.processor_priority(s, a))
    return on_page or waiting(s, me)


def _mtf(s: Sequence[int], me: Vcpu) -> bool:
    return me.nested is not None and me.nested.mtf_pending is not None and bool(s[me.nested.mtf_pending])


def _init(s: Sequence[int], me: Vcpu) -> bool:
    return me.nested is not None and me.nested.init is not None and bool(s[me.nested.init])


@dataclass(frozen=True, slots=True)
class NestedEvent:
    """Something that L1 has to hear of: when it is there, and how L1 is told by which exit of L2."""

    name: str
    pending: Guard
    tell: Effect
    reason: Exit


TRAP = "trap"
"""A debug trap: told to L1 if that intercepts it; else it is L2's own, and what stands behind it waits until
it is injected."""

QUEUED = "queued"
"""4.11's first question: whatever is still to be injected into L2, all that stands behind it waits."""

EVENTS = {
    event.name: event
    for event in (
        NestedEvent("init", _init, _tell_init, Exit.INIT_SIGNAL),
        NestedEvent("exception", _exception, _tell_exception, Exit.EXCEPTION_NMI),
        NestedEvent("mtf", _mtf, _tell_mtf, Exit.MONITOR_TRAP_FLAG),
        NestedEvent(TRAP, _exception, _tell_exception, Exit.EXCEPTION_NMI),
        NestedEvent("preemption_timer", _timer, _tell_timer, Exit.PREEMPTION_TIMER),
        NestedEvent("interrupt", _interrupt, _tell_interrupt, Exit.EXTERNAL_INTERRUPT),
    )
}

ORDER_4_11 = (QUEUED, "preemption_timer", "nmi", "interrupt")
ORDER_4_19 = ("exception", "preemption_timer", "nmi", "interrupt")
ORDER_5_10 = ("init", "fault", "mtf", TRAP, "preemption_timer", "smi", "nmi", "interrupt")
"""Not modelled: nested posted interrupts, the last of each; NMIs and SMIs for L1; of what KVM queues for L2,
any exception but #DB, so that 5.10 knows no fault here. What hardware intercepts for L1 is told at once and
never gets so far."""


def nested_exit(event: NestedEvent, source: str, waits: bool = False) -> Step:
    """Return the exit of L2 that tells L1; it may have to wait until L2's exception is injected."""

    def allowed(s: Sequence[int], me: Vcpu) -> bool:
        if not is_guest_mode(s, me) or busy(s, me) or not event.pending(s, me):
            return False
        return not (waits and queued_exception(s, me))

    return Step(
        f"NESTED.{event.name}",
        event.tell,
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
    first = next((n for n, name in enumerate(order) if name in (TRAP, QUEUED)), len(order))
    return tuple(
        nested_exit(EVENTS[name], source, waits=n > first) for n, name in enumerate(order) if name in EVENTS
    )


def anything_for_l1(order: Sequence[str]) -> Guard:
    """Return the guard "L2 is active and L1 has to hear of something"."""
    known = tuple(EVENTS[name].pending for name in order if name in EVENTS)

    def when(s: Sequence[int], me: Vcpu) -> bool:
        return bool(is_guest_mode(s, me)) and any(pending(s, me) for pending in known)

    return when
