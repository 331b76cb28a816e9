"""VM entry and VM exit.

Entry delivers the injected event first: the frame is on the guest's stack and RIP is at the handler
before anything else may happen. A VM exit clears the valid bit of the entry field; that is why an
injection is one-shot. Source: SDM vol. 3 (June 2016), "Event Injection" (VM entries) and
"VM-Entry Controls for Event Injection".
"""

from kvmlab.processor import apicv, flags, intr_info, preemption_timer
from kvmlab.processor.controls import MONITOR_TRAP_FLAG
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ACTIVE, OFFSET, ROOT, Guest, frame, handler
from kvmlab.processor.shadow import lift


def vm_entry(s: list[int], guest: Guest) -> None:
    """Enter ``guest``: load its frame, deliver the injected event if there is one."""
    s[guest.core.frame] = frame(guest.level) + (s[guest.in_handler] if guest.in_handler is not None else 0)
    s[guest.insns] = 0
    if guest.apicv is not None:
        apicv.enter(s, guest)
    if guest.timer is not None:
        preemption_timer.load(s, guest, guest.timer)
    info = s[guest.vmcs.intr_info]
    if intr_info.is_valid(info):
        pending_mtf = intr_info.kind(info) == intr_info.OTHER_EVENT
        if not pending_mtf:
            deliver(s, guest, intr_info.vector(info))
        s[guest.core.mtf] = int(pending_mtf or bool(s[guest.vmcs.proc] & MONITOR_TRAP_FLAG))


def deliver(s: list[int], guest: Guest, vector: int) -> None:
    """Deliver ``vector`` through the guest's IDT; TF ends, an interrupt gate clears IF. Nothing retires.

    A halted guest wakes.
    """
    if guest.activity is not None:
        s[guest.activity] = ACTIVE
    if guest.return_rip is not None:
        s[guest.return_rip] = s[guest.rip]
    if guest.flags is not None:
        flags.push(s, guest, guest.flags)
    s[guest.rip] = handler(vector)
    if vector not in guest.trap_gates:
        s[guest.cpu.irq] = 0
    if guest.in_handler is not None:
        s[guest.in_handler] = 1
        s[guest.core.frame] = frame(guest.level) + 1
    s[guest.delivered] = min(s[guest.delivered] + 1, 2)


def faulting_entry(s: list[int], guest: Guest) -> None:
    """Enter ``guest`` and leave at once: pushing the frame hits an EPT violation.

    The half-delivered event is reported in the IDT-vectoring field. Source: SDM vol. 3 (June 2016),
    "Information for VM Exits That Occur During Event Delivery".
    """
    half = s[guest.vmcs.intr_info]
    s[guest.faults] -= 1
    s[guest.insns] = 0
    vm_exit(s, guest, Exit.EPT_VIOLATION, idt_vectoring=half)


def vm_exit(s: list[int], guest: Guest, reason: Exit, *, exit_intr: int = 0, idt_vectoring: int = 0) -> None:
    """Leave ``guest`` for root mode, where IF is 0 (AMD's: GIF is 0, IF what it was); record why."""
    v = guest.vmcs
    if guest.timer is not None:
        preemption_timer.stop(s, guest, guest.timer)
    s[v.reason] = reason
    s[v.exit_intr] = exit_intr
    s[v.idt_vectoring] = idt_vectoring
    s[v.intr_info] = 0
    s[guest.core.frame] = ROOT
    s[guest.core.mtf] = 0
    s[guest.host.irq if guest.host.gif is None else guest.host.gif] = 0


def retire(s: list[int], guest: Guest) -> None:
    """Retire one instruction of the guest's body or handler, which are loops of ``guest.length``."""
    if s[guest.insns] < guest.cap:
        rip = s[guest.rip]
        s[guest.rip] = rip & ~OFFSET | (rip + 1 & OFFSET) % guest.length
    complete(s, guest)


def complete(s: list[int], guest: Guest) -> None:
    """An instruction has been executed, RIP has moved: a shadow on it is over; MTF takes the guest out."""
    lift(s, guest)
    if s[guest.insns] < guest.cap:
        s[guest.insns] += 1
    if s[guest.vmcs.proc] & MONITOR_TRAP_FLAG:
        s[guest.core.mtf] = 1
