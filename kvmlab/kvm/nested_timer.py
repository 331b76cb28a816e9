"""L1's preemption timer, emulated by an hrtimer in units of 32 cycles of L1's own TSC.

Only a time is counted, so an offset of L1's TSC cancels, and its ratio does not.

The hrtimer's interrupt and its callback are one step of the host's, and wake a halted L2. Above level 0
the interrupt comes to the hypervisor's CPU like any other: how the timers of the levels below bring it
about is not modelled. Source: v4.18 vmx.c vmx_start_preemption_timer, vmx_preemption_timer_fn,
vmx_get_preemption_timer_value; nested_vmx_setup_ctls_msrs (the rate is 5 for every L1).
"""

from collections.abc import Callable, Sequence

from kvmlab.kvm.ipi import reach
from kvmlab.kvm.nested import vmcs12
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Block, Step, loop
from kvmlab.processor.controls import ACTIVATE_PREEMPTION_TIMER
from kvmlab.processor.preemption_timer import SAVE_PREEMPTION_TIMER
from kvmlab.processor.records import Vmcs
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR

EMULATED_RATE = 5


def counts(s: Sequence[int], form: Vmcs) -> bool:
    """Whether the form asks for a timer."""
    return form.pin is not None and bool(s[form.pin] & ACTIVATE_PREEMPTION_TIMER)


def saves(s: Sequence[int], form: Vmcs) -> bool:
    """Whether the form asks for what is left to be written back."""
    if form.saves_timer is not None:
        return bool(s[form.saves_timer])
    return bool(form.exit_controls & SAVE_PREEMPTION_TIMER)


def start(at_once: int) -> Callable[[list[int], Vcpu], None]:
    """Return the effect that starts L1's timer; values up to ``at_once`` have expired already."""

    def run(s: list[int], me: Vcpu) -> None:
        form = vmcs12(s, me)
        assert me.nested is not None and form.timer is not None
        asked, value, clock = counts(s, form), s[form.timer], me.nested.clock
        s[me.nested.expired] = int(asked and value <= at_once)
        if s[me.nested.expired]:
            s[me.requests] |= KVM_REQ_EVENT
        elif asked and clock is not None:
            s[clock.deadline] = s[clock.now] + clock.tsc.takes(value << EMULATED_RATE)

    return run


def stop(s: list[int], me: Vcpu, form: Vmcs) -> None:
    """L2 leaves for L1: cancel the hrtimer; write back what is left if the form asks for it."""
    clock = me.nested.clock if me.nested is not None else None
    if clock is None:
        return
    if counts(s, form) and saves(s, form) and form.timer is not None:
        s[form.timer] = clock.tsc.took(max(s[clock.deadline] - s[clock.now], 0)) >> EMULATED_RATE
    s[clock.deadline] = -1


def _due(s: Sequence[int], me: Vcpu) -> bool:
    assert me.nested is not None and me.nested.clock is not None
    return 0 <= s[me.nested.clock.deadline] <= s[me.nested.clock.now]


def _expire(s: list[int], me: Vcpu) -> None:
    assert me.nested is not None and me.nested.clock is not None
    s[me.nested.clock.deadline] = -1
    s[me.nested.expired] = 1
    s[me.requests] |= KVM_REQ_EVENT
    reach(s, me, LOCAL_TIMER_VECTOR)


HRTIMER: Block = loop(
    "hrtimer",
    Step(
        "HRTIMER",
        _expire,
        _due,
        "L1's preemption timer has run out: preemption_timer_expired, KVM_REQ_EVENT, an interrupt",
        "v4.18 vmx.c vmx_preemption_timer_fn",
    ),
)
