"""Exits of a guest that KVM handles itself: a halt, port I/O, a debug exception.

An instruction that KVM emulates retires without the processor noticing, so what TF and MTF would have
done is KVM's to do. L1's MTF was forgotten here until v5.6. Source: v4.18 x86.c
kvm_skip_emulated_instruction, kvm_vcpu_halt; vmx.c handle_exception, handle_io; v5.10 vmx.c
vmx_update_emulated_instruction.
"""

from dataclasses import replace

from kvmlab.kvm.exits import because
from kvmlab.kvm.injection import queue_debug_exception
from kvmlab.kvm.nested import current, is_guest_mode, vmcs12
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Step
from kvmlab.processor.code import step_over
from kvmlab.processor.controls import MONITOR_TRAP_FLAG
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import PRIVILEGED_SOFTWARE_EXCEPTION, kind
from kvmlab.processor.records import HLT

VMX = "v4.18 vmx.c "


def skip_emulated_instruction(s: list[int], me: Vcpu) -> None:
    """Step over it; single-stepping goes on."""
    guest = current(s, me)
    step_over(s, guest)
    if guest.flags is not None and s[guest.flags.tf]:
        queue_debug_exception(s, me)


def _io(s: list[int], me: Vcpu) -> None:
    skip_emulated_instruction(s, me)


def _io_with_mtf(s: list[int], me: Vcpu) -> None:
    _io(s, me)
    if is_guest_mode(s, me) and s[vmcs12(s, me).proc] & MONITOR_TRAP_FLAG:
        assert me.nested is not None and me.nested.mtf_pending is not None
        s[me.nested.mtf_pending] = 1
        s[me.requests] |= KVM_REQ_EVENT


def _halt(s: list[int], me: Vcpu) -> None:
    guest = current(s, me)
    assert guest.activity is not None and me.nested is not None and me.nested.halted is not None
    step_over(s, guest)
    s[guest.activity] = HLT
    s[me.nested.halted] = 1


def _exception(s: list[int], me: Vcpu) -> None:
    """INT1 is stepped over; the #DB is the guest's own."""
    guest = current(s, me)
    if kind(s[guest.vmcs.exit_intr]) == PRIVILEGED_SOFTWARE_EXCEPTION:
        step_over(s, guest)
    queue_debug_exception(s, me)


IO = Step(
    "EXIT.io",
    _io,
    because(Exit.IO_INSTRUCTION),
    "emulate the access and step over it",
    VMX + "handle_io",
)
IO_WITH_MTF = replace(
    IO,
    fn=_io_with_mtf,
    says="emulate the access and step over it; L1 wants to see each instruction: mtf_pending",
    source="v5.10 vmx.c handle_io, vmx_update_emulated_instruction",
)
HALT = Step(
    "EXIT.hlt",
    _halt,
    because(Exit.HLT),
    "step over HLT; the vCPU's thread blocks until somebody wakes it",
    "v4.18 x86.c kvm_vcpu_halt, vcpu_block",
)
EXCEPTION = Step(
    "EXIT.exception",
    _exception,
    because(Exit.EXCEPTION_NMI),
    "the #DB is the guest's: queue it again, KVM_REQ_EVENT",
    VMX + "handle_exception",
)
