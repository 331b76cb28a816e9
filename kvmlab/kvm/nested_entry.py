"""nested_vmx_run: from L1's VMRESUME to a loaded vmcs02.

Whatever waits on vmcs01 (a window asked for, RVI) stays behind there. L1's preemption timer is emulated;
a value too small for an hrtimer has expired at once. Source: v4.18 vmx.c nested_vmx_run, prepare_vmcs02,
vmx_start_preemption_timer; b5861e5cf2fc; 4c008127e471.
"""

from collections.abc import Callable

from kvmlab.kvm.exits import VMRESUME
from kvmlab.kvm.nested import current, vmcs12
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Step
from kvmlab.processor.controls import (
    ACTIVATE_PREEMPTION_TIMER,
    EXTERNAL_INTERRUPT_EXITING,
    INTERRUPT_WINDOW_EXITING,
)

VMX = "v4.18 vmx.c "


def load_vmcs02(s: list[int], me: Vcpu) -> str:
    """Load vmcs02: L1's injection, its controls but for the timer's, and L0's own; the entry is owed."""
    VMRESUME.fn(s, me)
    s[me.nested_run_pending] = 1
    form, fields = vmcs12(s, me), current(s, me).vmcs
    s[fields.proc] = s[form.proc]
    if form.pin is not None and fields.pin is not None:
        s[fields.pin] = s[form.pin] & ~ACTIVATE_PREEMPTION_TIMER | EXTERNAL_INTERRUPT_EXITING
    return "nested_vmx_run"


def start_preemption_timer(at_once: int) -> Callable[[list[int], Vcpu], None]:
    """Return the effect that starts L1's timer; values up to ``at_once`` have expired already."""

    def start(s: list[int], me: Vcpu) -> None:
        assert me.nested is not None
        form = vmcs12(s, me)
        assert form.pin is not None and form.timer is not None
        asked = s[form.pin] & ACTIVATE_PREEMPTION_TIMER
        s[me.nested.expired] = int(bool(asked) and s[form.timer] <= at_once)
        if s[me.nested.expired]:
            s[me.requests] |= KVM_REQ_EVENT

    return start


def evaluate_pending_interrupts(s: list[int], me: Vcpu) -> None:
    """Look at what stayed behind in vmcs01: a window that L1 could not open yet."""
    if s[me.guests[0].vmcs.proc] & INTERRUPT_WINDOW_EXITING:
        s[me.requests] |= KVM_REQ_EVENT


NESTED_TIMER = Step(
    "NESTED.timer",
    start_preemption_timer(1),
    says="L1's preemption timer starts, emulated; a value of 0 or 1 has expired at once: KVM_REQ_EVENT",
    source=VMX + "vmx_start_preemption_timer",
)
NESTED_TIMER_ZERO = Step(
    "NESTED.timer",
    start_preemption_timer(0),
    says="L1's preemption timer starts, emulated; a value of 0 has expired at once: KVM_REQ_EVENT",
    source="4c008127e471 vmx.c vmx_start_preemption_timer",
)
NESTED_EVALUATE = Step(
    "NESTED.evaluate",
    evaluate_pending_interrupts,
    says="does an interrupt for L1 still wait on vmcs01? yes: KVM_REQ_EVENT",
    source="b5861e5cf2fc vmx.c enter_vmx_non_root_mode",
)
