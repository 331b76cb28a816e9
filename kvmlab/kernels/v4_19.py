"""The timer of v4.19: one function restarts it, with preemption off, and a deadline of 0 is none.

A deadline that has passed expires at once, without an entry; and an exit of the timer first asks if it is
still in use, for a move to another CPU may have seen to it. v4.18's lapic.c has the same.
"""

from collections.abc import Callable

from kvmlab.kernels.kernel import NewPath, Patch, PathEdit
from kvmlab.kernels.timer_divide import DIVIDE
from kvmlab.kernels.timer_mode import CHANGE, COUNT
from kvmlab.kvm import hrtimer, tsc
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.hv_timer import cancel, cancel_if_in_use, set_hv_timer
from kvmlab.kvm.lapic_advance import WAIT_4_19
from kvmlab.kvm.lapic_timer import (
    EXPIRE_NOW,
    FN_AGAIN,
    counts_periods,
    dropped,
    mode,
    next_period,
    passed_4_19,
    sw_start,
)
from kvmlab.kvm.nested import nothing
from kvmlab.kvm.timer_records import BROKEN, TimedVcpu, host_now
from kvmlab.machine.call import call
from kvmlab.machine.edit import Swap
from kvmlab.machine.step import Block, Step, block
from kvmlab.processor.apic_timer import Mode

LAPIC = "v4.19 lapic.c "


def _preempt(by: int) -> Callable[[list[int], TimedVcpu], None]:
    """An ablation may lack one of the two: nothing is more allowed than allowed."""

    def run(s: list[int], me: TimedVcpu) -> None:
        s[me.timer.nopreempt] = max(s[me.timer.nopreempt] + by, 0)

    return run


PREEMPT_OFF = Step(
    "PREEMPT.off",
    _preempt(1),
    says="preempt_disable: the thread stays on this CPU",
    source=LAPIC + "restart_apic_timer",
)
PREEMPT_ON = Step("PREEMPT.on", _preempt(-1), says="preempt_enable", source=LAPIC + "restart_apic_timer")


def _set(s: list[int], me: TimedVcpu) -> str | None:
    if not set_hv_timer(s, me, tsc.advanced):
        return None
    passed = s[me.timer.hv_deadline] == host_now(s, me) and mode(s, me) != Mode.PERIODIC
    return "past" if passed else "armed"


START_HV_TIMER = block(
    "start_hv_timer",
    Step(
        "HV.pending",
        lambda s, me: "start_hv_timer" if dropped(s, me) else None,
        says="is an expiry pending? then no timer",
        source=LAPIC + "start_hv_timer",
        leaves=("start_hv_timer",),
    ),
    Step(
        "HV.deadline",
        lambda s, me: None if s[me.timer.tscdeadline] and me.timer.rate != BROKEN else "start_hv_timer",
        says="is there a hook, and a deadline at all? 0 is none",
        source=LAPIC + "start_hv_timer",
        leaves=("start_hv_timer",),
    ),
    Block(
        "set_hv_timer",
        (
            Step(
                "HV.set",
                _set,
                says="set_hv_timer: hv_deadline := now + what is left; does it fit? has it passed?",
                source="v4.19 vmx.c vmx_set_hv_timer",
                leaves=("armed", "past"),
            ),
            block(
                "armed",
                hrtimer.CANCEL,
                Step(
                    "HV.recheck",
                    lambda s, me: None if dropped(s, me) else "hv_else_sw",
                    says="did the hrtimer's callback come in between? if not, the hv timer it is",
                    source=LAPIC + "start_hv_timer",
                    leaves=("hv_else_sw",),
                    emits=trace.hv_timer_state,
                ),
            ),
            block("past", hrtimer.CANCEL, call("apic_timer_expired", LAPIC + "start_hv_timer", "HV.passed")),
        ),
        "cases",
    ),
)


def _go_on(s: list[int], me: TimedVcpu) -> None:
    if counts_periods(s, me):
        next_period(s, me)
        hrtimer.enqueue(s, me, s[me.timer.target])


SW_AGAIN = Step(
    "SW.again",
    _go_on,
    says="periodic: the next period begins",
    source=LAPIC + "start_sw_period",
    emits=trace.hrtimer_start,
)
START_SW_TIMER = block(
    "start_sw_timer",
    Step(
        "SW.cancel_hv",
        cancel_if_in_use,
        says="if the hv timer is in use, give it up",
        source=LAPIC + "start_sw_timer",
    ),
    Step(
        "SW.pending",
        lambda s, me: "start_sw_timer" if dropped(s, me) else None,
        says="is an expiry pending? then there is nothing to wait for",
        source=LAPIC + "start_sw_timer",
        leaves=("start_sw_timer",),
    ),
    block("start_sw", sw_start(passed_4_19, "v4.19"), EXPIRE_NOW, SW_AGAIN),
    Step(
        "SW.state",
        nothing,
        says="the hv timer is not in use",
        source=LAPIC + "start_sw_timer",
        emits=trace.hv_timer_state,
    ),
)
RESTART = block(
    "restart_apic_timer",
    PREEMPT_OFF,
    block(
        "hv_else_sw",
        call("start_hv_timer", LAPIC + "restart_apic_timer"),
        call("start_sw_timer", LAPIC + "restart_apic_timer"),
    ),
    PREEMPT_ON,
)


def _in_use(s: list[int], me: TimedVcpu) -> str | None:
    return None if s[me.timer.in_use] else "if_in_use"


SWITCH_TO_SW = block(
    "switch_to_sw_timer",
    PREEMPT_OFF,
    block(
        "if_in_use",
        Step(
            "SW.in_use",
            _in_use,
            says="is the hv timer in use?",
            source=LAPIC + "kvm_lapic_switch_to_sw_timer",
            leaves=("if_in_use",),
        ),
        call("start_sw_timer", LAPIC + "kvm_lapic_switch_to_sw_timer", "SW.switch"),
    ),
    PREEMPT_ON,
)


def _next(s: list[int], me: TimedVcpu) -> str | None:
    if not counts_periods(s, me):
        return "if_in_use"
    next_period(s, me)
    return None


EXPIRED = block(
    "expired_hv_timer",
    PREEMPT_OFF,
    block(
        "if_in_use",
        Step(
            "HV.in_use",
            _in_use,
            says="is it in use still? a move to another CPU may have seen to it",
            source=LAPIC + "kvm_lapic_expired_hv_timer",
            leaves=("if_in_use",),
        ),
        Step(
            "HV.expired",
            cancel,
            says="it is not in use any more",
            source=LAPIC + "kvm_lapic_expired_hv_timer",
        ),
        call("apic_timer_expired", LAPIC + "kvm_lapic_expired_hv_timer"),
        Step(
            "HV.again",
            _next,
            says="periodic: the next period begins",
            source=LAPIC + "kvm_lapic_expired_hv_timer",
            leaves=("if_in_use",),
        ),
        call("restart_apic_timer", LAPIC + "kvm_lapic_expired_hv_timer", "HV.restart"),
    ),
    PREEMPT_ON,
)
RESTART_ON_LOAD = block(
    "if_in_use",
    Step(
        "LOAD.in_use",
        _in_use,
        says="is the hv timer in use?",
        source="v4.19 x86.c kvm_arch_vcpu_load",
        leaves=("if_in_use",),
    ),
    call("restart_apic_timer", LAPIC + "kvm_lapic_restart_hv_timer", "LOAD.restart"),
)


def restarted(label: str, function: str) -> Block:
    """Return a function that does nothing but restart the timer."""
    return block(label, call("restart_apic_timer", LAPIC + function, f"{label}.restart"))


RESTARTS = (
    NewPath("start_hv_timer", START_HV_TIMER),
    NewPath("start_sw_timer", START_SW_TIMER),
    NewPath("restart_apic_timer", RESTART),
    NewPath("start_apic_timer", restarted("start_apic_timer", "start_apic_timer")),
    NewPath("switch_to_hv_timer", restarted("switch_to_hv_timer", "kvm_lapic_switch_to_hv_timer")),
    NewPath("switch_to_sw_timer", SWITCH_TO_SW),
    NewPath("expired_hv_timer", EXPIRED),
)
"""The functions around restart_apic_timer."""

TIMER_2018 = Patch(
    "timer-2018",
    "2018: a deadline of 0 is none, one that has passed expires at once, preemption is off meanwhile",
    "v4.18, v4.19 lapic.c restart_apic_timer, vmx.c vmx_set_hv_timer",
    (
        *RESTARTS,
        PathEdit("kvm_arch_vcpu_load", Swap("set_again", (RESTART_ON_LOAD,))),
        PathEdit("apic_timer_fn", Swap("FN.again", (FN_AGAIN,))),
        CHANGE,
        COUNT,
        DIVIDE,
        NewPath("wait_lapic_expire", WAIT_4_19),
    ),
    frozenset({"levels", "pending-smi", "hv-timer", "tsc-deadline"}),
)

V4_19 = Patch(
    "v4.19",
    "the release with patch 4 and what came with it; a deadline of 0 arms nothing",
    "v4.19 x86.c vcpu_enter_guest, vmx.c, lapic.c",
    (),
)
