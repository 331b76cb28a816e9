"""2013 and later: the return value, the queues, acknowledge-on-exit; and the fix of 2020.

Read in v3.11 (x86.c vcpu_enter_guest, vmx.c), which has all of v3.10's changes.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kernels.kernel import Patch, Setting, before, swap
from kvmlab.kernels.patch_1 import CHECK_IMMEDIATE
from kvmlab.kvm import events, nested
from kvmlab.kvm.ipi import end_of_interrupt
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.kvm.run_loop import enter, enter_faulting, entry, may_fault
from kvmlab.machine.step import Fired, Step
from kvmlab.processor import lapic
from kvmlab.processor.controls import ACK_INTERRUPT_ON_EXIT
from kvmlab.processor.intr_info import event, is_valid
from kvmlab.processor.vectors import RESCHEDULE_VECTOR

X86 = "v3.11 x86.c vcpu_enter_guest"
VMX = "v3.11 vmx.c "
QUEUES_COMMIT = "5f3d5799974b vmx.c "


def _check_event(s: list[int], me: Vcpu) -> str | None:
    wanted = s[me.requests] & KVM_REQ_EVENT
    s[me.requests] &= ~KVM_REQ_EVENT
    s[me.immediate] = 0
    return None if wanted else "event"


def _busy(s: list[int], me: Vcpu) -> None:
    s[me.immediate] = 1


def _cancel(s: list[int], me: Vcpu) -> str:
    nested.take_back(s, me)
    return "vcpu_enter_guest"


def _remember(s: list[int], me: Vcpu) -> None:
    # Between CHECK_EVENT and here another thread's request threw the entry away; KVM_REQ_EVENT was
    # consumed, so without this line the next lap would enter L2 and forget what waits for L1.
    if s[me.immediate]:
        s[me.requests] |= KVM_REQ_EVENT


def _acked(s: Sequence[int], me: Vcpu) -> int:
    """Return what the exit says it acknowledged."""
    return s[nested.current(s, me).vmcs.exit_intr]


def _external_intr(s: list[int], me: Vcpu) -> None:
    """The handler's own part is its EOI; what else it does does not reach KVM."""
    if is_valid(_acked(s, me)):
        if me.under is None:
            lapic.end_of_interrupt(s, me.cpu)
        else:
            end_of_interrupt(s, me.under)
    s[me.cpu.irq] = 1


def _handler_fires(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Sequence[Fired]:
    rescheduled = _acked(before, me) == event(RESCHEDULE_VECTOR)
    return events.reschedule_entry(before, after, me) if rescheduled else ()


def _nested_vmexit(s: list[int], me: Vcpu) -> None:
    """What is still queued for L2 is told to L1 as IDT-vectoring information."""
    s[nested.vmcs12(s, me).idt_vectoring] = s[me.queued]
    s[me.queued] = 0
    nested.NESTED_VMEXIT.fn(s, me)


RETURN_VALUE = (
    swap(
        "CHECK_EVENT",
        Step(
            "CHECK_EVENT",
            _check_event,
            says="req_immediate_exit := 0; test and clear KVM_REQ_EVENT",
            source=X86,
            leaves=("event",),
        ),
    ),
    swap(
        "WINDOW.nested",
        Step(
            "WINDOW.nested",
            _busy,
            nested.in_l2_for_l1,
            "enable_irq_window returns -EBUSY: req_immediate_exit := 1",
            VMX + "enable_irq_window",
        ),
    ),
    before("ENTER", replace(CHECK_IMMEDIATE, source=X86)),
)
"""730dca42c1d3: the wish is the return value of enable_irq_window, not a request bit."""

QUEUES = (
    swap(
        "VMEXIT",
        Step(
            "VMEXIT",
            nested.complete_interrupts,
            says="after the exit: a half-delivered event goes back to the queue",
            source=QUEUES_COMMIT + "vmx_complete_interrupts",
            emits=events.kvm_exit,
        ),
    ),
    swap("ENTER", entry(enter, enter_faulting, may_fault, VMX + "vmx_vcpu_run")),
    swap(
        "CANCEL.inject",
        Step(
            "CANCEL.inject",
            _cancel,
            says="cancel_injection: an injected event is queued again (KVM_REQ_EVENT)",
            source=QUEUES_COMMIT + "vmx_cancel_injection",
            leaves=("vcpu_enter_guest",),
        ),
    ),
    swap(
        "NESTED_VMEXIT",
        replace(
            nested.NESTED_VMEXIT,
            fn=_nested_vmexit,
            source=QUEUES_COMMIT + "prepare_vmcs12, vmcs12_save_pending_event",
        ),
    ),
)
"""5f3d5799974b: L2's half-delivered events live in the vCPU's own queue, not in vmcs12."""

ACK_ON_EXIT = (
    Setting(
        "exit_controls", ACK_INTERRUPT_ON_EXIT, "acknowledge interrupt on exit", VMX + "setup_vmcs_config"
    ),
    swap(
        "IRQ_ON",
        Step(
            "IRQ_ON",
            _external_intr,
            says="handle_external_intr: call the acknowledged vector's handler; IF := 1",
            source=VMX + "vmx_handle_external_intr",
            emits=_handler_fires,
        ),
    ),
)
"""a547c6db4d2f: the exit acknowledges the interrupt, and KVM calls its handler itself."""

V3_10 = Patch(
    "v3.10",
    "2013: the wish is a return value, L2's events are queued, exits acknowledge interrupts",
    "v3.10, read in v3.11: x86.c vcpu_enter_guest, vmx.c",
    (*RETURN_VALUE, *QUEUES, *ACK_ON_EXIT),
)

QUEUES_ALONE = Patch(
    "5f3d579",
    "2013: L2's events are queued, the wish to leave is still a request bit",
    "5f3d5799974b KVM: nVMX: Rework event injection and recovery",
    QUEUES,
)


def _ipi_and_event(s: list[int], me: Vcpu) -> None:
    if s[me.immediate]:
        s[me.requests] |= KVM_REQ_EVENT
    CHECK_IMMEDIATE.fn(s, me)


EVENT_WITH_IPI = Patch(
    "c43203c",
    "2016: KVM_REQ_EVENT is raised together with the self-IPI",
    "c43203cab1e2, read in v4.10 x86.c vcpu_enter_guest",
    (
        swap(
            "CHECK_IMMEDIATE",
            replace(
                CHECK_IMMEDIATE,
                fn=_ipi_and_event,
                says="if req_immediate_exit: raise KVM_REQ_EVENT for the next lap, and the self-IPI",
                source="c43203cab1e2, read in v4.10 x86.c vcpu_enter_guest",
            ),
        ),
    ),
)

CANCEL_FIX = Patch(
    "8081ad0",
    "2020: an entry cancelled after an immediate exit was decided raises KVM_REQ_EVENT again",
    "8081ad06b68a KVM: x86: Set KVM_REQ_EVENT if run is canceled with req_immediate_exit set",
    (
        before(
            "CANCEL.inject",
            Step(
                "CANCEL.event",
                _remember,
                says="if req_immediate_exit: raise KVM_REQ_EVENT again, the wish is not forgotten",
                source="8081ad06b68a x86.c vcpu_enter_guest",
            ),
        ),
    ),
)
