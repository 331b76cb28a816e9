"""Injection and nesting, 2011: who may be given an interrupt, and how L2 is left for L1.

``nested_run_pending`` is the rule of the first lesson: while it is set, L1's VMRESUME has been
accepted but L2 has not been entered yet, and no L2 -> L1 exit may be made up. L1's injection is
one-shot: the entry delivers it and the exit clears its valid bit.

Half-delivered events of L2 (2011): after each exit of L2 its IDT-vectoring field is kept in vmcs12,
which is not L1's to read before L1 runs, and vmx_vcpu_run injects it again at the next entry.
Sources: d6185f20a0ef vmx.c (vmx_interrupt_allowed, enable_irq_window, vmx_cancel_injection,
vmx_vcpu_run, nested_vmx_vmexit) and x86.c inject_pending_event.
"""

from collections.abc import Sequence

from kvmlab.kvm import events
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Step, prioritised
from kvmlab.processor import intr_info, lapic
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest, Vmcs

VMX = "d6185f20a0ef vmx.c "


def current(s: Sequence[int], me: Vcpu) -> Guest:
    """Return the guest whose VMCS is loaded."""
    return me.guests[s[me.current]]


def is_guest_mode(s: Sequence[int], me: Vcpu) -> int:
    """Whether L2 is active."""
    return s[me.current]


def waiting(s: Sequence[int], me: Vcpu) -> bool:
    """Whether an interrupt for L1 waits that its local APIC would let through."""
    return lapic.deliverable(s, me.guests[0].cpu)


def form_number(s: Sequence[int], me: Vcpu) -> int:
    """Return which of L1's forms is in use: for the guest that runs, or the one that L1 has loaded."""
    if s[me.current]:
        return s[me.current] - 1
    return s[me.loaded] if me.loaded is not None else 0


def vmcs12(s: Sequence[int], me: Vcpu) -> Vmcs:
    """Return L1's form for its guest."""
    return me.forms[form_number(s, me)]


def nested_vmx_vmexit(s: list[int], me: Vcpu, reason: Exit) -> None:
    """Switch to vmcs01 and report an exit of L2 to L1; L1's host code starts with IF=0.

    The valid bit in vmcs12 is cleared, as hardware would have done, whether L2 ran or not.
    """
    v12 = vmcs12(s, me)
    s[me.current] = 0
    s[v12.reason] = reason
    s[v12.exit_intr] = 0
    s[v12.intr_info] = 0
    s[me.guests[0].cpu.irq] = 0


def _reinject(s: list[int], me: Vcpu) -> None:
    s[current(s, me).vmcs.intr_info] = s[me.queued]


def _external_to_l1(s: list[int], me: Vcpu) -> None:
    nested_vmx_vmexit(s, me, Exit.EXTERNAL_INTERRUPT)


def may_leave_l2(s: Sequence[int], me: Vcpu) -> bool:
    """L2 is active, something waits for L1, and L2 has really been entered."""
    return bool(is_guest_mode(s, me) and waiting(s, me) and not s[me.nested_run_pending])


def in_l2_for_l1(s: Sequence[int], me: Vcpu) -> bool:
    """L2 is active and something waits for L1."""
    return bool(is_guest_mode(s, me) and waiting(s, me))


def _l1_takes_interrupts(s: Sequence[int], me: Vcpu) -> bool:
    return bool(not is_guest_mode(s, me) and waiting(s, me) and s[me.guests[0].cpu.irq])


def _inject_irq(s: list[int], me: Vcpu) -> None:
    l1 = me.guests[0]
    s[me.queued] = s[l1.vmcs.intr_info] = intr_info.event(lapic.acknowledge(s, l1.cpu))


def _irq_window(s: list[int], me: Vcpu) -> None:
    s[current(s, me).vmcs.proc] |= INTERRUPT_WINDOW_EXITING


def nothing(s: list[int], me: Vcpu) -> None:
    """Change nothing."""


REINJECT = Step(
    "REINJECT",
    _reinject,
    lambda s, me: s[me.queued],
    "inject again what was injected and not delivered",
    "d6185f20a0ef x86.c inject_pending_event",
    emits=events.kvm_inj_virq,
)
NESTED_VMEXIT = Step(
    "NESTED_VMEXIT",
    _external_to_l1,
    may_leave_l2,
    "L2 -> L1 exit: L1 is told EXTERNAL_INTERRUPT",
    VMX + "vmx_interrupt_allowed",
    emits=events.kvm_nested_vmexit_inject,
)
INJECT_IRQ = Step(
    "INJECT_IRQ",
    _inject_irq,
    _l1_takes_interrupts,
    "the interrupt moves from L1's IRR into the VM-entry field",
    "d6185f20a0ef x86.c inject_pending_event",
    emits=events.kvm_inj_virq,
)
INJECT_NONE = Step(
    "INJECT.none",
    nothing,
    says="nothing can be injected now",
    source="d6185f20a0ef x86.c inject_pending_event",
)
INJECT = prioritised("INJECT", REINJECT, NESTED_VMEXIT, INJECT_IRQ, INJECT_NONE)
WINDOW_NESTED = Step(
    "WINDOW.nested",
    nothing,
    in_l2_for_l1,
    "enable_irq_window: L1 exits on interrupts, so it simply returns; L2 will run",
    "v3.2 vmx.c enable_irq_window",
)
WINDOW = prioritised(
    "WINDOW",
    WINDOW_NESTED,
    Step(
        "IRQ_WINDOW",
        _irq_window,
        waiting,
        "enable_irq_window: ask for an exit as soon as L1 can take it",
        VMX + "enable_irq_window",
    ),
    Step("WINDOW.none", nothing, says="nothing waits: no window needed", source=VMX + "enable_irq_window"),
)


def take_back(s: list[int], me: Vcpu) -> None:
    """Turn a valid entry field into the queued event again and raise KVM_REQ_EVENT."""
    field = current(s, me).vmcs.intr_info
    if intr_info.is_valid(s[field]):
        s[me.queued] = s[field]
        s[me.requests] |= KVM_REQ_EVENT
    s[field] = 0


def cancel_injection_2011(s: list[int], me: Vcpu) -> str:
    """Take the injection back, but leave L2's alone (it stays in vmcs02's entry field)."""
    if not is_guest_mode(s, me):
        take_back(s, me)
    return "vcpu_enter_guest"


def complete_interrupts(s: list[int], me: Vcpu) -> None:
    """Queue a half-delivered event again and raise KVM_REQ_EVENT; else nothing is queued any more."""
    s[me.queued] = half = s[current(s, me).vmcs.idt_vectoring]
    if intr_info.is_valid(half):
        s[me.requests] |= KVM_REQ_EVENT


def _vmexit_2011(s: list[int], me: Vcpu) -> None:
    if is_guest_mode(s, me):
        s[vmcs12(s, me).idt_vectoring] = s[current(s, me).vmcs.idt_vectoring]
    else:
        complete_interrupts(s, me)


VMEXIT_2011 = Step(
    "VMEXIT",
    _vmexit_2011,
    says="after the exit: was an event only half delivered?",
    source=VMX + "vmx_vcpu_run, vmx_complete_interrupts",
    emits=events.kvm_exit,
)


def reinject_l2_2011(s: list[int], me: Vcpu) -> None:
    """Inject L2's half-delivered event again, unless L1 has just filled in the form anew."""
    if is_guest_mode(s, me) and not s[me.nested_run_pending]:
        half = s[vmcs12(s, me).idt_vectoring]
        if intr_info.is_valid(half):
            s[current(s, me).vmcs.intr_info] = half
