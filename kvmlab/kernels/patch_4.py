"""Patch 4 (2018): the exit is forced through a hook; VMX answers it with a preemption timer of 0.

A promise of the architecture, which every level below keeps in its turn. The self-IPI was none: that it is
pending before the entry is an accident of timing.
"""

from kvmlab.kernels.kernel import Kernel, Patch, PathEdit, Setting, after, before, swap
from kvmlab.kvm import exits, nested
from kvmlab.kvm.immediate_exit import (
    HARD,
    SOFT,
    SVM,
    VMX,
    VMX_BY_IPI,
    CpuModel,
    hardware_setup,
    soft_off,
    update_hv_timer,
)
from kvmlab.kvm.ipi import smp_send_reschedule
from kvmlab.kvm.nested_entry import NESTED_EVALUATE, NESTED_RVI, NESTED_TIMER_ZERO
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.kvm.x86_ops import X86Ops
from kvmlab.machine.step import Step
from kvmlab.processor.exits import Exit

COMMIT = "d264ee0c2ed2"


def _request_immediate_exit(s: list[int], me: Vcpu) -> None:
    """prepare_guest_switch clears the vendor's flag, the hook may set it: nobody looks in between."""
    if me.forced is not None:
        s[me.forced] = 0
    if s[me.immediate]:
        assert me.ops is not None
        s[me.requests] |= KVM_REQ_EVENT
        me.ops.request_immediate_exit(s, me)


CHECK_IMMEDIATE = Step(
    "CHECK_IMMEDIATE",
    _request_immediate_exit,
    says="if req_immediate_exit: KVM_REQ_EVENT, and kvm_x86_ops.request_immediate_exit",
    source=COMMIT + " x86.c vcpu_enter_guest",
)
HV_TIMER = Step(
    "HV_TIMER",
    HARD,
    says="vmx_update_hv_timer: an exit was asked for: timer on, value 0; else off",
    source=COMMIT + " vmx.c vmx_update_hv_timer",
)
EXIT_TIMER = Step(
    "EXIT.preemption_timer",
    nested.nothing,
    exits.because(Exit.PREEMPTION_TIMER),
    "the timer that forced the exit: nothing is left to do",
    COMMIT + " vmx.c handle_preemption_timer",
)

HV_TIMER_EXIT = Setting(
    "hv_timer_exit", 1, "an exit may be forced by the preemption timer", COMMIT + " vmx.c"
)
EDITS: tuple[PathEdit | Setting, ...] = (
    swap("CHECK_IMMEDIATE", CHECK_IMMEDIATE),
    before("ENTER", HV_TIMER),
    after("EXIT.external_interrupt", EXIT_TIMER),
    HV_TIMER_EXIT,
    Setting(
        "preemption_timer", 1, "the preemption timer is used for deadlines", "v4.19 vmx.c module parameter"
    ),
)

PATCH_4 = Patch(
    "d264ee0",
    "patch 4 (2018): an immediate exit is forced by a preemption timer of 0",
    f"{COMMIT} KVM: VMX: use preemption timer to force immediate VMExit",
    EDITS,
)

PENDING_AT_ENTRY = Patch(
    "b5861e5",
    "2018: a nested entry looks at what waits for L1 on vmcs01",
    "b5861e5cf2fc KVM: nVMX: Fix loss of pending IRQ/NMI before entering L2",
    (before("NESTED.timer", NESTED_EVALUATE),),
)

RVI_AT_ENTRY = Patch(
    "evaluate-rvi",
    "2018: with APICv a nested entry looks at RVI too, which stays behind on vmcs01",
    "v4.19 kvm: nVMX: fix entry with pending interrupt if APICv is enabled",
    (before("NESTED.timer", NESTED_RVI),),
)

ONLY_ZERO = Patch(
    "4c00812",
    "2018: of L1's emulated timer only the value 0 has expired at once",
    "4c008127e471 KVM: VMX: immediately mark preemption timer expired only for zero value",
    (swap("NESTED.timer", NESTED_TIMER_ZERO),),
)

SOFT_HV_TIMER = Step(
    "HV_TIMER",
    SOFT,
    says="vmx_update_hv_timer: an exit was asked for: value 0; else the largest, whose exit is ignored",
    source="804939ea200d vmx.c vmx_update_hv_timer",
)
TIMER_STAYS_ON = Setting(
    "soft_disable", 1, "preemption_timer=0 takes the hook away too", "804939ea200d vmx.c hardware_setup"
)
SOFT_DISABLE = Patch(
    "804939e",
    "2019: the timer stays on, off is the largest value; preemption_timer=0 means the self-IPI",
    "804939ea200d KVM: VMX: Leave preemption timer running when it's disabled",
    (
        swap("HV_TIMER", SOFT_HV_TIMER),
        TIMER_STAYS_ON,
    ),
    needs="hv_timer_exit",
)


def _event(s: list[int], me: Vcpu) -> None:
    if s[me.immediate]:
        s[me.requests] |= KVM_REQ_EVENT


UPDATE_BY_ARGUMENT = update_hv_timer(soft_off, asked=lambda s, me: s[me.immediate])


def _run_by_argument(s: list[int], me: Vcpu) -> None:
    """The vendor's code does at once what its hook used to prepare."""
    if me.ops is VMX:
        UPDATE_BY_ARGUMENT(s, me)
    elif s[me.immediate]:
        smp_send_reschedule(s, me)


BY_ARGUMENT = Patch(
    "0ec3d6d",
    "2024: the wish is an argument of the vendor's run function, no hook and no flag",
    "0ec3d6d1f169 and 9c9025ea003a, read in 6.1.158 and v6.16 x86.c vcpu_enter_guest, vmx.c vmx_vcpu_run",
    (
        swap(
            "CHECK_IMMEDIATE",
            Step(
                "CHECK_IMMEDIATE",
                _event,
                says="if req_immediate_exit: KVM_REQ_EVENT; the wish itself goes along as an argument",
                source="read in v6.16 x86.c vcpu_enter_guest",
            ),
        ),
        swap(
            "HV_TIMER",
            Step(
                "HV_TIMER",
                _run_by_argument,
                says="vcpu_run(force_immediate_exit): timer 0 on VMX, the self-IPI elsewhere",
                source="read in v6.16 vmx.c vmx_update_hv_timer, svm.c svm_vcpu_run",
            ),
        ),
    ),
    needs="soft_disable",
)


def hooks(kernel: Kernel, cpu: CpuModel) -> X86Ops:
    """Return what setup code of ``kernel`` installs on ``cpu``; before patch 4 that was the self-IPI."""
    if not kernel.setting("hv_timer_exit"):
        return SVM if cpu.vendor == "amd" else VMX_BY_IPI
    parameter = kernel.setting("preemption_timer") or not kernel.setting("soft_disable")
    return hardware_setup(cpu, timer_allowed=bool(parameter))
