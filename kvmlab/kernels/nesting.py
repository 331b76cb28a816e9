"""Nesting in v6.1, put into its run loop where a scenario has a guest that is a hypervisor.

A vCPU with a plain guest does not pay for it: the kernel stays what it is under its name. The order of
L1's events is the processor's own since v5.8; the exit is forced through the hook since v4.19; an
instruction of L2 that was emulated is shown to an L1 with MTF since v5.6. What L1 has to hear is no longer
asked at the top of every lap, but only where a halted L2 wakes.
"""

from dataclasses import replace

from kvmlab.kernels.kernel import Kernel, Patch, before, swap
from kvmlab.kernels.patch_4 import CHECK_IMMEDIATE, EXIT_TIMER, SOFT_HV_TIMER
from kvmlab.kernels.v4_18 import VMRESUME, handle_exit
from kvmlab.kvm import emulated
from kvmlab.kvm.apic import WRMSR_ICR_EITHER
from kvmlab.kvm.check_nested_events import ORDER_5_10
from kvmlab.kvm.injection import asleep, injection, running
from kvmlab.kvm.nested_entry import (
    NESTED_EVALUATE,
    NESTED_RVI,
    NESTED_TIMER_ZERO,
    load_vmcs02,
    nothing_wakes,
)
from kvmlab.machine.step import Block

NESTED_C = "v6.1 nested.c "

NESTED_6_1 = Patch(
    "nesting",
    "v6.1 with a guest that is a hypervisor",
    NESTED_C + "nested_vmx_run, vmx_check_nested_events, nested_vmx_reflect_vmexit",
    (
        swap("REQ.other", running(ORDER_5_10, "v6.1 x86.c vcpu_block", asleep)),
        swap("INJECT", injection(ORDER_5_10, NESTED_C + "vmx_check_nested_events")),
        swap("WINDOW.nested"),
        swap(
            "HANDLE_EXIT",
            handle_exit(
                replace(VMRESUME, fn=load_vmcs02(nothing_wakes), source=NESTED_C + "nested_vmx_run"),
                NESTED_TIMER_ZERO,
                EXIT_TIMER,
                WRMSR_ICR_EITHER,
                emulated.IO_WITH_MTF,
            ),
        ),
        before("NESTED.timer", NESTED_EVALUATE, NESTED_RVI),
        swap("CHECK_IMMEDIATE", replace(CHECK_IMMEDIATE, source="v6.1 x86.c vcpu_enter_guest")),
        before("ENTER", replace(SOFT_HV_TIMER, source="v6.1 vmx.c vmx_update_hv_timer")),
    ),
)


def nested(kernel: Kernel) -> Kernel:
    """Return ``kernel`` with what a guest needs that is a hypervisor, under its own name."""
    path = kernel.paths["vcpu_run"]
    if any(isinstance(node, Block) and node.name == "nested_vmx_run" for node in path.walk()):
        return kernel
    return replace(NESTED_6_1.on(kernel, kernel.name), says=kernel.says)
