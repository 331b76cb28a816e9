"""Whose exit is it? Every exit of L2 comes to level 0; what L1 asked for is told to L1, the rest is kept.

Told level by level, the exit of L(n+1) reaches the hypervisor at level n, whatever n is. What is never
L1's: an interrupt for the hypervisor's own CPU, its own preemption timer (L1's is emulated), a page to
map. Source: v4.18 vmx.c nested_vmx_exit_reflected, nested_vmx_exit_handled.
"""

from collections.abc import Sequence

from kvmlab.kvm.check_nested_events import tell_l1
from kvmlab.kvm.events import kvm_nested_vmexit_inject
from kvmlab.kvm.nested import current, is_guest_mode, vmcs12
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.step import Step
from kvmlab.processor.controls import (
    HLT_EXITING,
    INTERRUPT_WINDOW_EXITING,
    NMI_WINDOW_EXITING,
    UNCONDITIONAL_IO_EXITING,
)
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import vector
from kvmlab.processor.timer_events import intercepts

ALWAYS = frozenset(
    {
        Exit.MONITOR_TRAP_FLAG,
        Exit.CPUID,
        Exit.VMCALL,
        Exit.VMLAUNCH,
        Exit.VMRESUME,
        Exit.VMREAD,
        Exit.VMWRITE,
        Exit.MSR_WRITE,
    }
)
"""L1 is told these whatever its controls say. Of MSR_WRITE that holds for the local APIC's MSRs, as KVM at L1
sets its bitmap; nobody but L1 asks for MTF exits, by its control or by an injection."""

IF_ASKED = {
    Exit.INTERRUPT_WINDOW: INTERRUPT_WINDOW_EXITING,
    Exit.NMI_WINDOW: NMI_WINDOW_EXITING,
    Exit.HLT: HLT_EXITING,
    Exit.IO_INSTRUCTION: UNCONDITIONAL_IO_EXITING,
}
"""L1 is told these if its processor-based controls ask for them."""


def is_for_l1(s: Sequence[int], me: Vcpu) -> bool:
    """Whether the last exit is L2's and L1 asked for it."""
    if not is_guest_mode(s, me):
        return False
    fields, form = current(s, me).vmcs, vmcs12(s, me)
    reason = s[fields.reason]
    if reason == Exit.EXCEPTION_NMI:
        return intercepts(s, form, vector(s[fields.exit_intr]))
    return reason in ALWAYS or bool(s[form.proc] & IF_ASKED.get(Exit(reason), 0))


def _reflect(s: list[int], me: Vcpu) -> None:
    fields = current(s, me).vmcs
    tell_l1(s, me, Exit(s[fields.reason]), s[fields.exit_intr])


REFLECT = Step(
    "EXIT.reflect",
    _reflect,
    is_for_l1,
    "L2 -> L1 exit: L1 asked for this one and is told it",
    "v4.18 vmx.c nested_vmx_exit_reflected, nested_vmx_reflect_vmexit",
    emits=kvm_nested_vmexit_inject,
)
