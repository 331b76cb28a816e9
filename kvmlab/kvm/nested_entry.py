"""nested_vmx_run: from L1's VMRESUME to a loaded vmcs02.

Whatever waits on vmcs01 (a window asked for, RVI) stays behind there. L1's preemption timer is emulated;
a value too small for an hrtimer has expired at once. Source: v4.18 vmx.c nested_vmx_run, prepare_vmcs02,
vmx_start_preemption_timer; b5861e5cf2fc; 4c008127e471.
"""

from collections.abc import Callable, Sequence

from kvmlab.kvm import nested_timer
from kvmlab.kvm.exits import VMRESUME
from kvmlab.kvm.nested import current, vmcs12
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Step
from kvmlab.processor import apicv, priority
from kvmlab.processor.controls import (
    ACTIVATE_PREEMPTION_TIMER,
    EXTERNAL_INTERRUPT_EXITING,
    HLT_EXITING,
    INTERRUPT_WINDOW_EXITING,
    NMI_WINDOW_EXITING,
    UNCONDITIONAL_IO_EXITING,
)
from kvmlab.processor.intr_info import is_valid
from kvmlab.processor.records import HLT, Guest, Vmcs
from kvmlab.processor.timer_events import DEBUG_VECTOR

VMX = "v4.18 vmx.c "


OWN_PROC = HLT_EXITING | UNCONDITIONAL_IO_EXITING
OWN_EXCEPTIONS = 1 << DEBUG_VECTOR
"""What KVM makes exit in its guests, whatever L1 says: halts, port I/O, and of the exceptions here #DB."""

Halts = Callable[[Sequence[int], Guest, Vmcs], bool]
"""Does an entry into a halted L2 (its context, L1's form) sleep rather than run?"""


def nothing_injected(s: Sequence[int], l2: Guest, form: Vmcs) -> bool:
    """The entry brings nothing that would wake L2."""
    return not is_valid(s[form.intr_info])


def nothing_wakes(s: Sequence[int], l2: Guest, form: Vmcs) -> bool:
    """Neither an injection nor a window that is open would wake L2."""
    proc = s[form.proc]
    window = proc & NMI_WINDOW_EXITING or (proc & INTERRUPT_WINDOW_EXITING and s[l2.cpu.irq])
    return nothing_injected(s, l2, form) and not window


def _halts(s: list[int], me: Vcpu, asleep: Halts) -> None:
    """Entered with the activity state HLT: L2 is not run but blocks, and no entry is owed."""
    l2, cell = current(s, me), me.nested.halted if me.nested is not None else None
    if cell is not None and l2.activity is not None and s[l2.activity] == HLT:
        s[cell] = int(asleep(s, l2, vmcs12(s, me)))
        s[me.nested_run_pending] = 1 - s[cell]


def load_vmcs02(asleep: Halts) -> Callable[[list[int], Vcpu], str]:
    """Return the effect of nested_vmx_run: L1's injection, its controls but for the timer's, and L0's own."""

    def load(s: list[int], me: Vcpu) -> str:
        VMRESUME.fn(s, me)
        s[me.nested_run_pending] = 1
        form, fields = vmcs12(s, me), current(s, me).vmcs
        s[fields.proc] = s[form.proc] | OWN_PROC
        if form.pin is not None and fields.pin is not None:
            s[fields.pin] = s[form.pin] & ~ACTIVATE_PREEMPTION_TIMER | EXTERNAL_INTERRUPT_EXITING
        if form.exception_bitmap is not None and fields.exception_bitmap is not None:
            s[fields.exception_bitmap] = s[form.exception_bitmap] | OWN_EXCEPTIONS
        _halts(s, me, asleep)
        return "nested_vmx_run"

    return load


def evaluate_pending_interrupts(s: list[int], me: Vcpu) -> None:
    """Look at what stayed behind in vmcs01: a window that L1 could not open yet."""
    if s[me.guests[0].vmcs.proc] & INTERRUPT_WINDOW_EXITING:
        s[me.requests] |= KVM_REQ_EVENT


def evaluate_rvi(s: list[int], me: Vcpu) -> None:
    """The same with APICv: RVI, which L1 could not take yet."""
    a = me.guests[0].apicv
    if a is not None and priority.passes(s[a.rvi], apicv.processor_priority(s, a)):
        s[me.requests] |= KVM_REQ_EVENT


NESTED_TIMER = Step(
    "NESTED.timer",
    nested_timer.start(at_once=1),
    says="L1's preemption timer starts, emulated; a value of 0 or 1 has expired at once: KVM_REQ_EVENT",
    source=VMX + "vmx_start_preemption_timer",
)
NESTED_TIMER_ZERO = Step(
    "NESTED.timer",
    nested_timer.start(at_once=0),
    says="L1's preemption timer starts, emulated; a value of 0 has expired at once: KVM_REQ_EVENT",
    source="4c008127e471 vmx.c vmx_start_preemption_timer",
)
NESTED_RVI = Step(
    "NESTED.rvi",
    evaluate_rvi,
    says="is RVI on vmcs01 above L1's priority? yes: KVM_REQ_EVENT",
    source="v4.19 vmx.c vmx_has_apicv_interrupt, enter_vmx_non_root_mode",
)
NESTED_EVALUATE = Step(
    "NESTED.evaluate",
    evaluate_pending_interrupts,
    says="does an interrupt for L1 still wait on vmcs01? yes: KVM_REQ_EVENT",
    source="b5861e5cf2fc vmx.c enter_vmx_non_root_mode",
)
