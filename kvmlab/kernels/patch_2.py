"""Patch 2 (2016): the guest's TSC deadline on the preemption timer, as it was merged.

Deadline mode only. Nobody thinks of a timer that is set already, and the difference to a deadline that has
passed underflows: it does not fit, so the hrtimer's path expires it at once, by luck.
"""

from kvmlab.kernels.kernel import NewPath, Patch, PathEdit
from kvmlab.kvm import hrtimer, tsc
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.hv_timer import (
    ARM,
    EXIT_TIMER,
    PATCH,
    VMX,
    cancel,
    cancel_if_in_use,
    set_hv_timer,
    state_if_in_use,
    state_if_not,
)
from kvmlab.kvm.lapic_timer import mode
from kvmlab.kvm.timer_records import BROKEN, TimedVcpu
from kvmlab.machine.call import call
from kvmlab.machine.edit import Before
from kvmlab.machine.step import Step, block
from kvmlab.processor.apic_timer import Mode


def _fits(s: list[int], me: TimedVcpu) -> bool:
    return mode(s, me) == Mode.TSC_DEADLINE and set_hv_timer(s, me, tsc.plain_difference)


def _try(s: list[int], me: TimedVcpu) -> str | None:
    return "hv_else_sw" if _fits(s, me) else None


def _set(s: list[int], me: TimedVcpu) -> str | None:
    return None if _fits(s, me) else "switch_to_hv_timer"


def _pending(s: list[int], me: TimedVcpu) -> str | None:
    wanted = mode(s, me) == Mode.TSC_DEADLINE and not s[me.timer.pending]
    return None if wanted else "switch_to_hv_timer"


def _recheck(s: list[int], me: TimedVcpu) -> None:
    if s[me.timer.pending]:
        cancel(s, me)


START_APIC_TIMER = block(
    "start_apic_timer",
    block(
        "hv_else_sw",
        Step(
            "HV.try",
            _try,
            says="set_hv_timer: hv_deadline := now + what is left; it does not fit: the hrtimer it is",
            source=PATCH + "start_apic_timer, " + VMX + "vmx_set_hv_timer",
            leaves=("hv_else_sw",),
            emits=state_if_in_use,
        ),
        call("start_sw_timer", PATCH + "start_apic_timer"),
    ),
)
SWITCH_TO_HV = block(
    "switch_to_hv_timer",
    Step(
        "HV.pending",
        _pending,
        says="is an expiry pending? then there is nothing to wait for",
        source=PATCH + "kvm_lapic_switch_to_hv_timer",
        leaves=("switch_to_hv_timer",),
    ),
    Step(
        "HV.set",
        _set,
        says="set_hv_timer: hv_deadline := now + what is left; it does not fit: stay with the hrtimer",
        source=PATCH + "kvm_lapic_switch_to_hv_timer, " + VMX + "vmx_set_hv_timer",
        leaves=("switch_to_hv_timer",),
        emits=state_if_not,
    ),
    hrtimer.CANCEL,
    Step(
        "HV.recheck",
        _recheck,
        says="did the hrtimer's callback come in between? then the hv timer is given up again",
        source=PATCH + "kvm_lapic_switch_to_hv_timer",
        emits=trace.hv_timer_state,
    ),
)


def _give_up(s: list[int], me: TimedVcpu) -> str | None:
    if not s[me.timer.in_use]:
        return "switch_to_sw_timer"
    cancel(s, me)
    return None


SWITCH_TO_SW = block(
    "switch_to_sw_timer",
    Step(
        "SW.cancel_hv",
        _give_up,
        says="is the hv timer in use? then give it up: it counts in the guest only",
        source=PATCH + "kvm_lapic_switch_to_sw_timer",
        leaves=("switch_to_sw_timer",),
    ),
    Step(
        "SW.pending",
        lambda s, me: "switch_to_sw_timer" if s[me.timer.pending] else None,
        says="is an expiry pending? then there is nothing to wait for",
        source=PATCH + "kvm_lapic_switch_to_sw_timer",
        leaves=("switch_to_sw_timer",),
    ),
    call("start_sw_timer", PATCH + "kvm_lapic_switch_to_sw_timer"),
)
EXPIRED = block(
    "expired_hv_timer",
    Step(
        "HV.expired",
        cancel_if_in_use,
        says="the hv timer is not in use any more",
        source=PATCH + "kvm_lapic_expired_hv_timer",
    ),
    call("apic_timer_expired", PATCH + "kvm_lapic_expired_hv_timer"),
)


def _set_again(s: list[int], me: TimedVcpu) -> str | None:
    again = not s[me.timer.in_use] or set_hv_timer(s, me, tsc.plain_difference)
    return "set_again" if again else None


SET_AGAIN = block(
    "set_again",
    Step(
        "LOAD.set_hv",
        _set_again,
        says="if the hv timer is in use: set it again on this CPU; it does not fit: the hrtimer it is",
        source="ce7a058a2117 x86.c kvm_arch_vcpu_load",
        leaves=("set_again",),
    ),
    call("switch_to_sw_timer", "ce7a058a2117 x86.c kvm_arch_vcpu_load"),
)

POST_BLOCK = block(
    "post_block",
    Step(
        "HV.hook",
        lambda s, me: "post_block" if me.timer.rate == BROKEN else None,
        says="is there a usable preemption timer, that is, a hook set_hv_timer?",
        source=VMX + "vmx_post_block",
        leaves=("post_block",),
    ),
    call("switch_to_hv_timer", VMX + "vmx_post_block"),
)

HANDLE_PREEMPTION_TIMER = (
    PathEdit("timer_exits", Before("EXIT.hlt", (EXIT_TIMER,))),
    PathEdit(
        "timer_exits",
        Before("set_tscdeadline()", (call("expired_hv_timer", VMX + "handle_preemption_timer"),)),
    ),
)

PATCH_2 = Patch(
    "64672c9",
    "patch 2 (2016): a deadline that fits is given to the preemption timer; a halt switches to the hrtimer",
    "ce7a058a2117 and 64672c95ea4c KVM: vmx: hook preemption timer support",
    (
        NewPath("start_apic_timer", START_APIC_TIMER),
        NewPath("switch_to_hv_timer", SWITCH_TO_HV),
        NewPath("switch_to_sw_timer", SWITCH_TO_SW),
        NewPath("expired_hv_timer", EXPIRED),
        NewPath("vmx_arm_hv_timer", block("vmx_arm_hv_timer", ARM)),
        NewPath("pre_block", block("pre_block", call("switch_to_sw_timer", VMX + "vmx_pre_block"))),
        NewPath("post_block", POST_BLOCK),
        PathEdit("vcpu_block", Before("BLOCK.wait", (call("pre_block", "v4.8 x86.c vcpu_block"),))),
        PathEdit("vcpu_block", Before("BLOCK.unhalt", (call("post_block", "v4.8 x86.c vcpu_block"),))),
        PathEdit("kvm_arch_vcpu_load", Before("LOAD.request", (SET_AGAIN,))),
        *HANDLE_PREEMPTION_TIMER,
    ),
)
