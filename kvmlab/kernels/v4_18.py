"""v4.18, the release before patch 4: nesting as it had become since 2014.

What changed since v4.10 and b95234c84004 as far as it is modelled: L1's events have an order of their own
(check_nested_events), L2's exits are told to L1 by what L1 asked for, L1's preemption timer is emulated, an
event that is injected into L2 again does not hide one for L1 (v4.16).
"""

from kvmlab.kernels.kernel import Patch, swap
from kvmlab.kvm import emulated, exits, nested
from kvmlab.kvm.apic import WRMSR_ICR
from kvmlab.kvm.check_nested_events import ORDER_4_19
from kvmlab.kvm.injection import injection, running
from kvmlab.kvm.nested_entry import NESTED_TIMER, load_vmcs02, nothing_injected
from kvmlab.kvm.reflect import REFLECT
from kvmlab.machine.step import Block, Step, block, prioritised
from kvmlab.processor.exits import Exit

X86 = "v4.18 x86.c "
VMX = "v4.18 vmx.c "
SCOPE = frozenset({"levels"})

VMCS_ACCESS = Step(
    "EXIT.vmcs_access",
    nested.nothing,
    lambda s, me: s[nested.current(s, me).vmcs.reason] in (Exit.VMREAD, Exit.VMWRITE),
    "emulate L1's access to its form and step over it",
    VMX + "handle_vmread, handle_vmwrite",
)
VMRESUME = Step(
    "EXIT.vmresume",
    load_vmcs02(nothing_injected),
    exits.VMRESUME.when,
    "nested_vmx_run: vmcs02 is loaded with L1's injection and controls; nested_run_pending := 1",
    VMX + "nested_vmx_run, prepare_vmcs02",
    leaves=("nested_vmx_run",),
)


def handle_exit(vmresume: Step, timer: Step, *others: Step) -> Block:
    """Return vmx_handle_exit: L1's exits are told first; VMRESUME goes on in a block of its own."""
    row = prioritised(
        "HANDLE_EXIT",
        REFLECT,
        vmresume,
        VMCS_ACCESS,
        exits.EXTERNAL_INTERRUPT,
        exits.CPUID,
        exits.INTERRUPT_WINDOW,
        *others,
        emulated.HALT,
        emulated.EXCEPTION,
        exits.EPT_VIOLATION,
        exits.UNKNOWN,
    )
    return Block("handle_exit", (row, block("nested_vmx_run", timer)), "cases")


V4_18 = Patch(
    "v4.18",
    "before patch 4: an immediate exit is forced by a self-IPI, at every level",
    "v4.18 x86.c vcpu_enter_guest, vmx.c",
    (
        swap("REQ.other", running(ORDER_4_19, X86 + "kvm_vcpu_running")),
        swap("INJECT", injection(ORDER_4_19, VMX + "vmx_check_nested_events")),
        swap("WINDOW.nested"),
        swap("HANDLE_EXIT", handle_exit(VMRESUME, NESTED_TIMER, WRMSR_ICR, emulated.IO)),
    ),
    SCOPE,
)
