"""v4.10: posted interrupts as they were before patch 3.

It syncs before it looks at KVM_REQ_EVENT, switches interrupts off after IN_GUEST_MODE, and its sender
always makes KVM_REQ_EVENT.
"""

from dataclasses import replace

from kvmlab.kernels.kernel import NewPath, Patch, after, before, swap
from kvmlab.kernels.v3_10 import EVENT_WITH_IPI
from kvmlab.kvm import exits
from kvmlab.kvm.host import POSTED, RESCHEDULE, host_irq
from kvmlab.kvm.posted import SENDER_4_10, SYNC_4_10
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT

SCOPE = frozenset({"posted-interrupts"})


def _run_pending(s: list[int], me: Vcpu) -> None:
    if s[me.nested_run_pending]:
        s[me.requests] |= KVM_REQ_EVENT
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

PENDING_ENDS_AT_THE_EXIT = (
    swap("RUN_PENDING"),
    after("VMEXIT", RUN_PENDING),
    swap("EXIT.vmresume", VMRESUME),
)
"""In v4.10 and later nested_run_pending ends inside vmx_vcpu_run and is set where VMRESUME is handled."""

V4_10 = Patch(
    "v4.10",
    "before patch 3: a posted interrupt also makes KVM_REQ_EVENT",
    "v4.10 x86.c vcpu_enter_guest, vmx.c vmx_deliver_posted_interrupt",
    (
        *EVENT_WITH_IPI.edits,
        before("event", SYNC_4_10),
        *PENDING_ENDS_AT_THE_EXIT,
        NewPath("post", SENDER_4_10),
        NewPath("host_irq", host_irq(RESCHEDULE, POSTED)),
    ),
    SCOPE,
)
