"""Patch 3 (2017): posted interrupts without the request, each half of the fix, and the fix.

v4.10's sender always makes KVM_REQ_EVENT. Taking only the request away exposes two races; b95234c84004
moves two steps to close them. Each move is an edit of its own, so that either can be had without the other.
"""

from kvmlab.kernels.after_patch_3 import SCOPE, SURROUNDINGS
from kvmlab.kernels.kernel import RUN_LOOP, NewPath, Patch, PathEdit, swap
from kvmlab.kvm.posted import SENDER, SYNC
from kvmlab.kvm.timer_tail import TAIL_DELIVER
from kvmlab.machine.edit import Relocate, Swap

NO_EVENT = Patch(
    "no-event",
    "the naive removal: the sender makes no request any more, nothing else changes",
    "no kernel did this: b95234c84004 without its two moves",
    (
        swap("sync_pir_to_irr", SYNC),
        NewPath("post", SENDER),
        PathEdit("inject_pending_timer_irqs", Swap("TAIL.deliver", (TAIL_DELIVER,))),
    ),
)

IRQ_OFF_FIRST = PathEdit(RUN_LOOP, Relocate("IRQ_OFF", before="MODE_IN"))
"""Interrupts off before IN_GUEST_MODE: a notification cannot be eaten by the host any more."""

SYNC_LATE = PathEdit(RUN_LOOP, Relocate("sync_pir_to_irr", after="MODE_IN"))
"""The sync after IN_GUEST_MODE: whoever found the vCPU outside has posted before the sync."""

HALF = "no kernel did this: one of the two moves of b95234c84004"
IRQ_OFF_HALF = Patch(
    "irq-off-first", "only half of the fix: interrupts off before IN_GUEST_MODE", HALF, (IRQ_OFF_FIRST,)
)
SYNC_HALF = Patch("sync-late", "only half of the fix: the sync behind IN_GUEST_MODE", HALF, (SYNC_LATE,))

PATCH_3 = Patch(
    "b95234c",
    "patch 3 (2017): no request; interrupts off before IN_GUEST_MODE, the sync behind it",
    "b95234c84004 KVM: x86: do not use KVM_REQ_EVENT for APICv interrupt injection",
    (*NO_EVENT.edits, IRQ_OFF_FIRST, SYNC_LATE, *SURROUNDINGS),
    SCOPE,
)
