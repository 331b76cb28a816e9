"""Forcing the exit: the hook request_immediate_exit, and who gets which method.

The generic one is the self-IPI of 2011. VMX has a better one since d264ee0c2ed2, if the CPU's preemption
timer may be used at all: on CPUs of the errata list KVM leaves the timer alone, so there it keeps the
self-IPI although a value of 0 would work. Source: v4.19 vmx.c vmx_request_immediate_exit, hardware_setup,
cpu_has_broken_vmx_preemption_timer, vmx_update_hv_timer; svm.c svm_x86_ops; x86.c
__kvm_request_immediate_exit.
"""

from dataclasses import dataclass

from kvmlab.kvm.ipi import smp_send_reschedule
from kvmlab.kvm.nested import current
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.x86_ops import X86Ops
from kvmlab.processor import preemption_timer
from kvmlab.processor.errata import has_broken_preemption_timer


@dataclass(frozen=True, slots=True)
class CpuModel:
    """The CPU that a KVM finds: its vendor, CPUID.1:EAX, and whether VMX offers the preemption timer.

    KVM at level 0 always offers the timer to a guest with VMX, whatever its own CPU has: it emulates it.
    """

    vendor: str = "intel"
    signature: int = 0x50654
    preemption_timer: bool = True


def timer_usable(cpu: CpuModel) -> bool:
    """cpu_has_vmx_preemption_timer, after setup_vmcs_config has struck it out on the errata list."""
    there = cpu.vendor == "intel" and cpu.preemption_timer
    return there and not has_broken_preemption_timer(cpu.signature)


def _ask_vmx(s: list[int], me: Vcpu) -> None:
    assert me.forced is not None
    s[me.forced] = 1


SVM = X86Ops(name="kvm_amd", request_immediate_exit=smp_send_reschedule)
VMX_BY_IPI = X86Ops(name="kvm_intel", request_immediate_exit=smp_send_reschedule)
VMX = X86Ops(name="kvm_intel", request_immediate_exit=_ask_vmx)


def hardware_setup(cpu: CpuModel, *, timer_allowed: bool = True) -> X86Ops:
    """Return the table of hooks for ``cpu``; ``timer_allowed`` is the module parameter, where it counts."""
    if cpu.vendor == "amd":
        return SVM
    return VMX if timer_allowed and timer_usable(cpu) else VMX_BY_IPI


def update_hv_timer(s: list[int], me: Vcpu) -> None:
    """Set the timer of the VMCS that is about to run: 0 if an exit was asked for, else off."""
    fields = current(s, me).vmcs
    if me.forced is None or fields.pin is None:
        return
    if s[me.forced]:
        preemption_timer.arm(s, fields, 0)
    else:
        preemption_timer.disarm(s, fields)


SOFT_OFF = 0xFFFFFFFF
"""The largest value: the control stays on, and the exit it ends in is ignored (804939ea200d)."""


def update_hv_timer_softly(s: list[int], me: Vcpu) -> None:
    """The same without touching the control once it is on; where the timer is not used, it stays off."""
    if me.ops is VMX and me.forced is not None:
        preemption_timer.arm(s, current(s, me).vmcs, 0 if s[me.forced] else SOFT_OFF)
