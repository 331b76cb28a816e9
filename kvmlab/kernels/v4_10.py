"""v4.10: posted interrupts as they were before patch 3.

It syncs before it looks at KVM_REQ_EVENT, switches interrupts off after IN_GUEST_MODE, and its sender
always makes KVM_REQ_EVENT.
"""

from dataclasses import replace

from kvmlab.kernels.kernel import NewPath, Patch, PathEdit, after, before, swap
from kvmlab.kernels.v3_10 import EVENT_WITH_IPI
from kvmlab.kvm import exits
from kvmlab.kvm.host import POSTED, RESCHEDULE, host_irq
from kvmlab.kvm.posted import SENDER_4_10, SYNC_4_10
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Step

SCOPE = frozenset({"posted-interrupts"})


def _run_pending(s: list[int], me: Vcpu) -> None:
    if s[me.nested_run_pending]:
        s[me.requests] |= KVM_REQ_EVENT
    s[me.nested_run_pending] = 0


def _run_pending_ends(s: list[int], me: Vcpu) -> None:
    s[me.nested_run_pending] = 0


def _vmresume(s: list[int], me: Vcpu) -> None:
    exits.VMRESUME.fn(s, me)
    s[me.nested_run_pending] = 1


RUN_PENDING = replace(
    exits.RUN_PENDING,
    fn=_run_pending,
    says="nested_run_pending was set: raise KVM_REQ_EVENT; now it is 0",
    source="v4.10 vmx.c vmx_vcpu_run",
)
VMRESUME = replace(
    exits.VMRESUME,
    fn=_vmresume,
    says=f"{exits.VMRESUME.says}; nested_run_pending := 1",
    source="v4.10 vmx.c nested_vmx_run",
)

RUN_PENDING_ENDS = replace(
    exits.RUN_PENDING,
    fn=_run_pending_ends,
    says="L2 has run: nested_run_pending := 0",
    source="v4.18 vmx.c vmx_vcpu_run",
)
"""By v4.18 the exit has stopped to raise KVM_REQ_EVENT: who asked for it has seen to that."""


def pending_ends_at_the_exit(ends: Step) -> tuple[PathEdit, ...]:
    """Return the edits: nested_run_pending ends in vmx_vcpu_run and is set where VMRESUME is handled."""
    return swap("RUN_PENDING"), after("VMEXIT", ends), swap("EXIT.vmresume", VMRESUME)


V4_10 = Patch(
    "v4.10",
    "before patch 3: a posted interrupt also makes KVM_REQ_EVENT",
    "v4.10 x86.c vcpu_enter_guest, vmx.c vmx_deliver_posted_interrupt",
    (
        *EVENT_WITH_IPI.edits,
        before("event", SYNC_4_10),
        *pending_ends_at_the_exit(RUN_PENDING),
        NewPath("post", SENDER_4_10),
        NewPath("host_irq", host_irq(RESCHEDULE, POSTED)),
    ),
    SCOPE,
)
