"""handle_exit: what L0 does with an exit, and the bookkeeping of nested_run_pending before it.

Source: d6185f20a0ef vmx.c vmx_handle_exit, nested_vmx_run, nested_vmx_exit_handled.
"""

from collections.abc import Sequence

from kvmlab.errors import ModelError
from kvmlab.kvm.events import kvm_nested_vmexit_inject
from kvmlab.kvm.nested import current, form_number, is_guest_mode, nested_vmx_vmexit, nothing, vmcs12
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Guard, Step, prioritised
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING, MONITOR_TRAP_FLAG
from kvmlab.processor.exits import Exit, show

VMX = "d6185f20a0ef vmx.c "


def because(reason: Exit) -> Guard:
    """Return the guard "the last exit had this reason"."""
    return lambda s, me: s[current(s, me).vmcs.reason] == reason


def _run_pending(s: list[int], me: Vcpu) -> None:
    """An interrupt for L1 that had to wait for the entry spent its KVM_REQ_EVENT: raise it again."""
    if s[me.nested_run_pending]:
        s[me.requests] |= KVM_REQ_EVENT
    resumed = s[current(s, me).vmcs.reason] in (Exit.VMRESUME, Exit.VMLAUNCH)
    s[me.nested_run_pending] = int(resumed and not is_guest_mode(s, me))


def _nested_vmx_run(s: list[int], me: Vcpu) -> None:
    """prepare_vmcs02: load vmcs02 and copy L1's injection into it."""
    s[me.current] = form_number(s, me) + 1
    s[current(s, me).vmcs.intr_info] = s[vmcs12(s, me).intr_info]


def _to_l1(s: Sequence[int], me: Vcpu) -> bool:
    return bool(is_guest_mode(s, me)) and s[current(s, me).vmcs.reason] == Exit.VMCALL


def _reflect(s: list[int], me: Vcpu) -> None:
    nested_vmx_vmexit(s, me, Exit.VMCALL)


def _window_opened(s: list[int], me: Vcpu) -> None:
    s[current(s, me).vmcs.proc] &= ~INTERRUPT_WINDOW_EXITING
    s[me.requests] |= KVM_REQ_EVENT


def _mtf(s: list[int], me: Vcpu) -> None:
    s[current(s, me).vmcs.proc] &= ~MONITOR_TRAP_FLAG


def _unknown(s: list[int], me: Vcpu) -> None:
    raise ModelError(f"no handler for exit {show(s[current(s, me).vmcs.reason])}")


RUN_PENDING = Step(
    "RUN_PENDING",
    _run_pending,
    says="nested_run_pending was set: raise KVM_REQ_EVENT; now it is 1 only after VMRESUME",
    source=VMX + "vmx_handle_exit",
)

VMRESUME = Step(
    "EXIT.vmresume",
    _nested_vmx_run,
    because(Exit.VMRESUME),
    "nested_vmx_run: vmcs02 is loaded, L1's injection copied into it",
    VMX + "nested_vmx_run, prepare_vmcs02",
)

EXTERNAL_INTERRUPT = Step(
    "EXIT.external_interrupt",
    nothing,
    because(Exit.EXTERNAL_INTERRUPT),
    "an interrupt for the host: nothing is left to do",
    VMX + "handle_external_interrupt",
)
CPUID = Step(
    "EXIT.cpuid",
    nothing,
    because(Exit.CPUID),
    "emulate CPUID and step over it",
    "d6185f20a0ef vmx.c handle_cpuid",
)
INTERRUPT_WINDOW = Step(
    "EXIT.interrupt_window",
    _window_opened,
    because(Exit.INTERRUPT_WINDOW),
    "the window is open: close the request, raise KVM_REQ_EVENT",
    VMX + "handle_interrupt_window",
)
EPT_VIOLATION = Step(
    "EXIT.ept_violation",
    nothing,
    because(Exit.EPT_VIOLATION),
    "map the page",
    VMX + "handle_ept_violation",
)
UNKNOWN = Step("EXIT.unknown", _unknown, says="the model has no handler for this exit")

HANDLE_EXIT = prioritised(
    "HANDLE_EXIT",
    VMRESUME,
    Step(
        "EXIT.reflect",
        _reflect,
        _to_l1,
        "L2 -> L1 exit: L1 is told VMCALL",
        VMX + "nested_vmx_exit_handled",
        emits=kvm_nested_vmexit_inject,
    ),
    EXTERNAL_INTERRUPT,
    CPUID,
    INTERRUPT_WINDOW,
    Step(
        "EXIT.mtf",
        _mtf,
        because(Exit.MONITOR_TRAP_FLAG),
        "switch the monitor trap flag off",
        "assumed: no kernel did this",
    ),
    EPT_VIOLATION,
    UNKNOWN,
)
