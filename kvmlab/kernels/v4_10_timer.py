"""v4.10's timer: patch 2 with what the two releases behind it mended, and one thing they did not.

A deadline that has passed leaves nothing to wait for instead of underflowing, and whoever cannot set the
timer cancels the one that was set. But 0, which means "no deadline", is a deadline that has passed: writing
it, and a halt behind the interrupt, arm the timer with 0. One-shot and periodic mode use the hv timer too,
where a count of 0 cancels the hrtimer only. Read in v4.10.17 lapic.c, vmx.c.
"""

from collections.abc import Sequence

from kvmlab.kernels.kernel import NewPath, Patch, PathEdit
from kvmlab.kernels.patch_2 import PATCH_2
from kvmlab.kernels.v4_7 import HRTIMER
from kvmlab.kvm import hrtimer, tsc
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.hv_timer import cancel, cancel_if_in_use, set_hv_timer, state_if_not
from kvmlab.kvm.lapic_timer import counts_periods, dropped, next_period_4_10
from kvmlab.kvm.timer_records import BROKEN, TimedVcpu
from kvmlab.machine.call import call
from kvmlab.machine.edit import After, Swap
from kvmlab.machine.step import Step, block

LAPIC = "v4.10 lapic.c "


def _pending(s: list[int], me: TimedVcpu) -> str | None:
    """Nobody calls it where there is no hook: then it is left at once."""
    if me.timer.rate != BROKEN and not dropped(s, me):
        return None
    cancel_if_in_use(s, me)
    return "start_hv_timer"


def _given_up(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> trace.Firing:
    there = me.timer.rate != BROKEN and dropped(after, me)
    return trace.hv_timer_state(before, after, me) if there else ()


def _set(s: list[int], me: TimedVcpu) -> str | None:
    if set_hv_timer(s, me, tsc.clamped):
        return None
    cancel_if_in_use(s, me)
    return "start_hv_timer"


def _recheck(s: list[int], me: TimedVcpu) -> None:
    if dropped(s, me):
        cancel(s, me)


def _return(s: list[int], me: TimedVcpu) -> str | None:
    return "hv_else_sw" if s[me.timer.in_use] else None


START_HV_TIMER = block(
    "start_hv_timer",
    Step(
        "HV.pending",
        _pending,
        says="is an expiry pending? then no timer, and not the one that is set either",
        source=LAPIC + "start_hv_timer",
        leaves=("start_hv_timer",),
        emits=_given_up,
    ),
    Step(
        "HV.set",
        _set,
        says="set_hv_timer: hv_deadline := now + what is left, nothing if it has passed; does it fit?",
        source=LAPIC + "start_hv_timer; vmx.c vmx_set_hv_timer",
        leaves=("start_hv_timer",),
        emits=state_if_not,
    ),
    hrtimer.CANCEL,
    Step(
        "HV.recheck",
        _recheck,
        says="did the hrtimer's callback come in between? then the hv timer is given up again",
        source=LAPIC + "start_hv_timer",
    ),
    Step(
        "HV.return",
        _return,
        says="is the hv timer in use? then the caller is done",
        source=LAPIC + "start_hv_timer",
        leaves=("hv_else_sw",),
        emits=trace.hv_timer_state,
    ),
)
START_APIC_TIMER = block(
    "start_apic_timer",
    block(
        "hv_else_sw",
        call("start_hv_timer", LAPIC + "start_apic_timer"),
        call("start_sw_timer", LAPIC + "start_apic_timer"),
    ),
)
SWITCH_TO_HV = block(
    "switch_to_hv_timer",
    block("hv_else_sw", call("start_hv_timer", LAPIC + "kvm_lapic_switch_to_hv_timer")),
)
"""If it cannot be set, the hrtimer stays what it is."""


def _next(s: list[int], me: TimedVcpu) -> str | None:
    if not counts_periods(s, me):
        return "next_period"
    next_period_4_10(s, me)
    return None


NEXT_PERIOD = block(
    "next_period",
    Step(
        "HV.again",
        _next,
        says="periodic: the next period begins",
        source=LAPIC + "kvm_lapic_expired_hv_timer",
        leaves=("next_period",),
    ),
    block(
        "hv_else_sw",
        call("start_hv_timer", LAPIC + "kvm_lapic_expired_hv_timer"),
        call("start_sw_timer", LAPIC + "kvm_lapic_expired_hv_timer"),
    ),
)


def _set_again(s: list[int], me: TimedVcpu) -> str | None:
    again = not s[me.timer.in_use] or set_hv_timer(s, me, tsc.clamped)
    return "set_again" if again else None


LOAD_SET_HV = Step(
    "LOAD.set_hv",
    _set_again,
    says="if the hv timer is in use: set it again on this CPU; it does not fit: the hrtimer it is",
    source="v4.10 x86.c kvm_arch_vcpu_load",
    leaves=("set_again",),
)

V4_10_TIMER = Patch(
    "v4.10",
    "before patch 3: a posted interrupt also makes KVM_REQ_EVENT; a deadline of 0 arms the hv timer",
    "v4.10 x86.c vcpu_enter_guest, vmx.c vmx_deliver_posted_interrupt, lapic.c",
    (
        *HRTIMER,
        *PATCH_2.edits,
        NewPath("start_hv_timer", START_HV_TIMER),
        NewPath("start_apic_timer", START_APIC_TIMER),
        NewPath("switch_to_hv_timer", SWITCH_TO_HV),
        PathEdit("expired_hv_timer", After("apic_timer_expired()", (NEXT_PERIOD,))),
        PathEdit("kvm_arch_vcpu_load", Swap("LOAD.set_hv", (LOAD_SET_HV,))),
    ),
    frozenset({"posted-interrupts", "hv-timer", "tsc-deadline"}),
)
