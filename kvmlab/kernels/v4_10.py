"""v4.10 and patch 3 (2017): posted interrupts before, without the request, and with the fix.

v4.10 syncs before it looks at KVM_REQ_EVENT, switches interrupts off after IN_GUEST_MODE, and its
sender always makes KVM_REQ_EVENT. Taking only the request away exposes two races; b95234c84004 moves
two steps to close them.
"""

from dataclasses import replace

from kvmlab.kernels.kernel import RUN_LOOP, NewPath, Patch, PathEdit, after, before, swap
from kvmlab.kernels.v3_10 import EVENT_WITH_IPI
from kvmlab.kvm import exits
from kvmlab.kvm.host import POSTED, RESCHEDULE, host_irq
from kvmlab.kvm.posted import SENDER, SENDER_4_10, SYNC, SYNC_4_10
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.edit import Relocate

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

NO_EVENT = Patch(
    "no-event",
    "the naive removal: the sender makes no request any more, nothing else changes",
    "no kernel did this: b95234c84004 without its two moves",
    (swap("sync_pir_to_irr", SYNC), NewPath("post", SENDER)),
)

IRQ_OFF_FIRST = PathEdit(RUN_LOOP, Relocate("IRQ_OFF", before="MODE_IN"))
"""Interrupts off before IN_GUEST_MODE: a notification cannot be eaten by the host any more."""

SYNC_LATE = PathEdit(RUN_LOOP, Relocate("sync_pir_to_irr", after="MODE_IN"))
"""The sync after IN_GUEST_MODE: whoever found the vCPU outside has posted before the sync."""

PATCH_3 = Patch(
    "b95234c",
    "patch 3 (2017): no request; interrupts off before IN_GUEST_MODE, the sync behind it",
    "b95234c84004 KVM: x86: do not use KVM_REQ_EVENT for APICv interrupt injection",
    (*NO_EVENT.edits, IRQ_OFF_FIRST, SYNC_LATE),
)
