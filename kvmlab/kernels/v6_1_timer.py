"""v6.1's timer: what the recorded traces ran.

Off is a value that never runs out; the timer fires early, by an adaptive time; a change of mode and a new
count cancel both timers.
"""

from kvmlab.kernels.after_patch_3 import WAKE
from kvmlab.kernels.kernel import NewPath, Patch, PathEdit, Setting
from kvmlab.kernels.patch_2 import HANDLE_PREEMPTION_TIMER
from kvmlab.kernels.timer_divide import DIVIDE
from kvmlab.kernels.timer_mode import CANCEL_APIC_TIMER
from kvmlab.kernels.v4_7 import HRTIMER
from kvmlab.kernels.v4_19 import RESTART_ON_LOAD, RESTARTS
from kvmlab.kernels.v6_1_expiry import APIC_TIMER_EXPIRED, APIC_TIMER_FN
from kvmlab.kernels.v6_1_fastpath import FASTPATH
from kvmlab.kernels.v6_1_halt import ADAPT, CHECK, POLL_END, VCPU_BLOCK
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.hv_timer import cancel, soft_off, update
from kvmlab.kvm.lapic_advance import WAIT
from kvmlab.kvm.lapic_timer import dropped, passed_6_1, sw_start
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.kvm.timer_tail import TAIL_DELIVER, tail
from kvmlab.machine.edit import After, Before, Relocate, Swap
from kvmlab.machine.step import Step, block

LAPIC = "v6.1 lapic.c "
X86 = "v6.1 x86.c "


def _recheck(s: list[int], me: TimedVcpu) -> str:
    if dropped(s, me):
        cancel(s, me)
    return "hv_else_sw"


def _cancel(s: list[int], me: TimedVcpu) -> str:
    cancel(s, me)
    return "hv_else_sw"


START_SW = PathEdit("start_sw_timer", Swap("SW.start", (sw_start(passed_6_1, "v6.1"),)))
START_HV = (
    PathEdit("start_hv_timer", Swap("HV.pending")),
    PathEdit(
        "start_hv_timer",
        Swap(
            "HV.recheck",
            (
                Step(
                    "HV.recheck",
                    _recheck,
                    says="did the hrtimer's callback come in between? then the hv timer is given up again",
                    source=LAPIC + "start_hv_timer",
                    leaves=("hv_else_sw",),
                    emits=trace.hv_timer_state,
                ),
            ),
        ),
    ),
    PathEdit(
        "start_hv_timer",
        After(
            "HV.passed",
            (
                Step(
                    "HV.cancel",
                    _cancel,
                    says="it has expired: the hv timer is given up again",
                    source=LAPIC + "start_hv_timer",
                    leaves=("hv_else_sw",),
                    emits=trace.hv_timer_state,
                ),
            ),
        ),
    ),
)
RESTART = PathEdit(
    "restart_apic_timer",
    Before(
        "start_hv_timer()",
        (
            Step(
                "RESTART.pending",
                lambda s, me: "hv_else_sw" if dropped(s, me) else None,
                says="is an expiry pending? then there is nothing to wait for",
                source=LAPIC + "restart_apic_timer",
                leaves=("hv_else_sw",),
            ),
        ),
    ),
)
EXPIRED = PathEdit("expired_hv_timer", Relocate("HV.expired", after="apic_timer_expired()"))
"""It is in use still while it expires, so that apic_timer_expired knows which timer it was."""

V6_1_TIMER = Patch(
    "v6.1",
    "the kernel of the recorded traces (Debian 6.1)",
    "v6.1 x86.c vcpu_enter_guest, lapic.c, vmx.c",
    (
        *HRTIMER,
        *WAKE.edits,
        NewPath("apic_timer_expired", APIC_TIMER_EXPIRED),
        NewPath("apic_timer_fn", APIC_TIMER_FN),
        *RESTARTS,
        *START_HV,
        START_SW,
        RESTART,
        EXPIRED,
        *CANCEL_APIC_TIMER,
        DIVIDE,
        NewPath("vcpu_block", VCPU_BLOCK),
        PathEdit("kvm_vcpu_block", Swap("SWAIT.check", (CHECK,))),
        PathEdit("kvm_vcpu_block", Swap("POLL.end", (POLL_END,))),
        PathEdit("kvm_vcpu_block", Swap("POLL.adapt", (ADAPT,))),
        PathEdit("kvm_arch_vcpu_load", Before("LOAD.request", (RESTART_ON_LOAD,))),
        *HANDLE_PREEMPTION_TIMER,
        NewPath("inject_pending_timer_irqs", tail(TAIL_DELIVER)),
        NewPath("vmx_arm_hv_timer", block("vmx_arm_hv_timer", update(soft_off))),
        NewPath("wait_lapic_expire", WAIT),
        NewPath("fastpath", FASTPATH),
        Setting("pi_inject_timer", 0, "timers are not posted", X86 + "module parameter pi_inject_timer"),
        Setting("lapic_timer_advance", -1, "the timer fires early, by an adaptive time", LAPIC.strip()),
    ),
    frozenset({"self-ipi", "levels", "pending-smi", "hv-timer", "tsc-deadline"}),
)
