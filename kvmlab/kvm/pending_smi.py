"""An SMI that has to wait: the other reason for an immediate exit, and the only one that needs no nesting.

What was half delivered is injected again first, and one entry injects one event. So the SMI is due behind
that entry, and before the guest's next instruction: neither vendor could ask for a window that opens then.
Source: v4.19 x86.c inject_pending_event, vcpu_enter_guest (the third case it names), enter_smm; vmx.c and
svm.c enable_smi_window; c43203cab1e2 (2016).
"""

from collections.abc import Sequence

from kvmlab.kvm import nested
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.smi import Smi
from kvmlab.machine.step import Step, prioritised

X86 = "v4.19 x86.c "


def smi_of(me: Vcpu) -> Smi:
    """Return what KVM keeps of the guest's SMI."""
    assert me.smi is not None
    return me.smi


def _reinject(s: list[int], me: Vcpu) -> None:
    nested.REINJECT.fn(s, me)
    s[me.immediate] = s[smi_of(me).pending]


def _enter_smm(s: list[int], me: Vcpu) -> None:
    s[smi_of(me).pending], s[smi_of(me).smm] = 0, 1


def _due(s: Sequence[int], me: Vcpu) -> int:
    return s[smi_of(me).pending]


REINJECT = Step(
    "REINJECT",
    _reinject,
    nested.REINJECT.when,
    "inject again what was not delivered; an SMI waits and has no window: req_immediate_exit := 1",
    X86 + "inject_pending_event, vcpu_enter_guest; svm.c enable_smi_window, vmx.c enable_smi_window",
    emits=nested.REINJECT.emits,
)
ENTER_SMM = Step(
    "ENTER_SMM", _enter_smm, _due, "the SMI: the guest goes on in its SMI handler", X86 + "enter_smm"
)
INJECT = prioritised("INJECT", REINJECT, ENTER_SMM, nested.INJECT_IRQ, nested.INJECT_NONE)
"""inject_pending_event for a guest that has no guest of its own and may get an SMI."""
