"""Forcing the exit: the hook request_immediate_exit, and who gets which method.

The generic one is the self-IPI of 2011. VMX has a better one since d264ee0c2ed2, if the CPU's preemption
timer may be used at all: on CPUs of the errata list KVM leaves the timer alone, so there it keeps the
self-IPI although a value of 0 would work. Source: v4.19 vmx.c vmx_request_immediate_exit, hardware_setup,
cpu_has_broken_vmx_preemption_timer, vmx_update_hv_timer; svm.c svm_x86_ops; x86.c
__kvm_request_immediate_exit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kvmlab.kvm.ipi import smp_send_reschedule
from kvmlab.kvm.nested import current
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.x86_ops import X86Ops
from kvmlab.machine.step import Effect, Guard
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


SOFT_OFF = 0xFFFFFFFF
"""The largest value: the control stays on, and the exit it ends in is ignored (804939ea200d)."""


def endless(s: list[int], me: Vcpu) -> None:
    """The control stays on, with a value that never runs out."""
    preemption_timer.arm(s, current(s, me).vmcs, SOFT_OFF)


def hard_off(s: list[int], me: Vcpu) -> None:
    """The control is off, where a VMCS has one."""
    fields = current(s, me).vmcs
    if fields.pin is not None:
        preemption_timer.disarm(s, fields)


def soft_off(s: list[int], me: Vcpu) -> None:
    """The control is not touched once it is on; where the timer is not used, it stays off."""
    if me.ops is VMX:
        endless(s, me)


Left = Callable[[list[int], Any], int | None]


def no_deadline(s: list[int], me: Vcpu) -> None:
    """What a vCPU without a timer has left of a deadline."""


def is_forced(s: Sequence[int], me: Vcpu) -> bool:
    """Whether the hook was called for this entry."""
    return me.forced is not None and bool(s[me.forced])


def update_hv_timer(off: Effect, left: Left = no_deadline, asked: Guard = is_forced) -> Effect:
    """Return vmx_update_hv_timer: 0 if ``asked``; what is ``left`` of a deadline; else ``off``.

    Since patch 4 nobody else writes the timer's field of the VMCS that is about to run.
    """

    def run(s: list[int], me: Vcpu) -> None:
        ticks = 0 if asked(s, me) else left(s, me)
        if ticks is None:
            off(s, me)
        else:
            preemption_timer.arm(s, current(s, me).vmcs, ticks)

    return run


HARD, SOFT = update_hv_timer(hard_off), update_hv_timer(soft_off)
"""Of a vCPU without a timer: as patch 4 came, and since 804939ea200d."""
