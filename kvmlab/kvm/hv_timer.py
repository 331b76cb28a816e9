"""The VMX-preemption timer as the guest's deadline: what every kernel from patch 2 on does with it.

``in_use`` says that it is; ``hv_deadline``, host TSC, is what the entry will make of it. Both and the
pin-based control are the thread's own. Only a move of the thread to another CPU can come in between, and that
looks at ``in_use`` alone, so each change of the three is one step.
Source: ce7a058a2117 lapic.c, 64672c95ea4c vmx.c vmx_set_hv_timer, vmx_cancel_hv_timer, vmx_arm_hv_timer.
"""

from collections.abc import Callable, Sequence

from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm import tsc
from kvmlab.kvm.exits import because
from kvmlab.kvm.immediate_exit import endless, is_forced, update_hv_timer
from kvmlab.kvm.timer_records import BROKEN, TimedVcpu, advance_cycles, guest_now, host_now
from kvmlab.kvm.tsc import Delta
from kvmlab.machine.step import Effect, Step
from kvmlab.processor import preemption_timer
from kvmlab.processor.exits import Exit

PATCH = "ce7a058a2117 lapic.c "
VMX = "64672c95ea4c vmx.c "

Maybe = Callable[[list[int], TimedVcpu], str | None]


def set_hv_timer(s: list[int], me: TimedVcpu, delta: Delta) -> bool:
    """vmx_set_hv_timer: whether the deadline fits; if so it is set."""
    t, now = me.timer, host_now(s, me)
    if t.rate == BROKEN:
        return False
    left = delta(s[t.tscdeadline], guest_now(s, me), advance_cycles(s, me))
    deadline = tsc.hv_deadline(left, now, t.tsc.ratio, t.rate)
    if deadline is None:
        return False
    s[t.hv_deadline], s[t.in_use] = deadline, 1
    return True


def cancel(s: list[int], me: TimedVcpu) -> None:
    """cancel_hv_timer: nothing is set any more, and up to v4.18 the control is off at once."""
    s[me.timer.hv_deadline], s[me.timer.in_use] = -1, 0
    if not me.timer.lazy:
        preemption_timer.disarm(s, me.guests[0].vmcs)


def cancel_if_in_use(s: list[int], me: TimedVcpu) -> None:
    """The same where it is not known to be set."""
    if s[me.timer.in_use]:
        cancel(s, me)


def ticks_left(s: list[int], me: TimedVcpu) -> int | None:
    """Return what is left of the deadline now, 0 if it has passed; ``None``: there is none."""
    t = me.timer
    return tsc.ticks(s[t.hv_deadline], host_now(s, me), t.rate) if s[t.hv_deadline] >= 0 else None


def arm(s: list[int], me: TimedVcpu) -> None:
    """The field holds what is left of the deadline."""
    left = ticks_left(s, me)
    if left is not None:
        preemption_timer.arm(s, me.guests[0].vmcs, left)


ARM = Step(
    "HV.arm",
    arm,
    says="the preemption timer's field := what is left of the deadline, computed anew at every entry",
    source=VMX + "vmx_arm_hv_timer",
)


def soft_off(s: list[int], me: TimedVcpu) -> None:
    """The control stays on, where the preemption timer is used."""
    if me.timer.rate != BROKEN:
        endless(s, me)


def update(off: Effect) -> Step:
    """Return vmx_update_hv_timer of a vCPU that has a timer; ``off``: nothing is wanted."""
    return Step(
        "HV_TIMER",
        update_hv_timer(off, ticks_left),
        says="vmx_update_hv_timer: an exit was asked for: value 0; a deadline: what is left of it; else off",
        source="v4.19 vmx.c vmx_update_hv_timer",
    )


EXIT_TIMER = Step(
    "EXIT.preemption_timer",
    lambda s, me: None if is_forced(s, me) else "expired_hv_timer",
    because(Exit.PREEMPTION_TIMER),
    "the preemption timer: the guest's deadline is here",
    VMX + "handle_preemption_timer",
    leaves=("expired_hv_timer",),
)


def state_if_in_use(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> trace.Firing:
    """kvm_hv_timer_state, where a kernel prints it only on success."""
    return trace.hv_timer_state(before, after, me) if after[me.timer.in_use] else ()


def state_if_not(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> trace.Firing:
    """kvm_hv_timer_state, where the step that succeeds is not the last one."""
    return () if after[me.timer.in_use] else trace.hv_timer_state(before, after, me)
