"""Every kernel by its one name: a release or commit, then edits behind ``+``."""

from dataclasses import replace
from functools import cache

from kvmlab.errors import BadInput, ModelError, unknown
from kvmlab.kernels.after_patch_3 import FOLLOW_UPS
from kvmlab.kernels.alternatives import ACK_TOP_VECTOR, FAKE_EXIT, MTF
from kvmlab.kernels.avic import AVIC
from kvmlab.kernels.kernel import Kernel, Patch
from kvmlab.kernels.patch_1 import PATCH_1
from kvmlab.kernels.patch_2 import PATCH_2
from kvmlab.kernels.patch_3 import IRQ_OFF_HALF, NO_EVENT, PATCH_3, SYNC_HALF
from kvmlab.kernels.patch_4 import (
    BY_ARGUMENT,
    ONLY_ZERO,
    PATCH_4,
    PENDING_AT_ENTRY,
    RVI_AT_ENTRY,
    SOFT_DISABLE,
)
from kvmlab.kernels.posted_timer import POSTED_TIMERS
from kvmlab.kernels.v3_10 import CANCEL_FIX, EVENT_WITH_IPI, QUEUES_ALONE, V3_10
from kvmlab.kernels.v4_7 import V4_7
from kvmlab.kernels.v4_10 import V4_10
from kvmlab.kernels.v4_10_timer import V4_10_TIMER
from kvmlab.kernels.v4_18 import ORDERS, V4_18
from kvmlab.kernels.v4_19 import TIMER_2018, V4_19
from kvmlab.kernels.v6_1 import NOAPICV, PREEMPTION_TIMER_OFF, PREEMPTION_TIMER_ON, V6_1
from kvmlab.kernels.v6_1_timer import V6_1_TIMER
from kvmlab.kvm.host import HOST_IRQ, REQUEST_AND_KICK
from kvmlab.kvm.run_loop import VCPU_RUN

V3_2 = Kernel(
    "v3.2",
    "before patch 1: L2 runs on for as long as it likes",
    "v3.2; d6185f20a0ef with patch 1 taken back",
    {"vcpu_run": VCPU_RUN, "host_irq": HOST_IRQ, "request_and_kick": REQUEST_AND_KICK},
    scope=frozenset({"immediate-exit", "kick"}),
)


def _release(name: str, base: Kernel, *patches: Patch) -> Kernel:
    """Return ``base`` with all of these; the first one says what it is."""
    result = base
    for patch in patches:
        result = patch.on(result, name)
    return replace(result, says=patches[0].says, source=patches[0].source)


_3_10 = V3_10.on(V3_2, "v3.10")
_4_7 = V4_7.on(_3_10, "v4.7")
_4_10 = _release("v4.10", _3_10, V4_10, V4_10_TIMER)
_B95234C = PATCH_3.on(_4_10, "b95234c")
_B95234C = replace(_B95234C, scope=_B95234C.scope | _4_10.scope)
_4_18 = _release("v4.18", _B95234C, V4_18, TIMER_2018)
_D264EE0 = PATCH_4.on(_4_18, "d264ee0")

RELEASES: dict[str, Kernel] = {
    "v3.2": V3_2,
    "d6185f2": PATCH_1.on(V3_2, "d6185f2"),
    "v3.10": _3_10,
    "v4.7": _4_7,
    "64672c9": PATCH_2.on(_4_7, "64672c9"),
    "v4.10": _4_10,
    "b95234c": _B95234C,
    "v4.18": _4_18,
    "d264ee0": _D264EE0,
    "v4.19": _release("v4.19", _D264EE0, V4_19, PENDING_AT_ENTRY, RVI_AT_ENTRY, ONLY_ZERO),
    "v6.1": _release("v6.1", _3_10, V6_1, V6_1_TIMER),
}
"""What git calls by a name of its own, oldest first.

A commit's name means the release before it with this one patch, so that what a patch does is seen alone. In
git d264ee0c2ed2 has b5861e5cf2fc and 4c008127e471 beneath it, which came into the same 4.19.
"""

EDITS: dict[str, Patch] = {
    patch.name: patch
    for patch in (
        FAKE_EXIT,
        MTF,
        ACK_TOP_VECTOR,
        QUEUES_ALONE,
        EVENT_WITH_IPI,
        CANCEL_FIX,
        NO_EVENT,
        IRQ_OFF_HALF,
        SYNC_HALF,
        *FOLLOW_UPS,
        AVIC,
        NOAPICV,
        PREEMPTION_TIMER_OFF,
        PREEMPTION_TIMER_ON,
        POSTED_TIMERS,
        *ORDERS,
        PENDING_AT_ENTRY,
        RVI_AT_ENTRY,
        ONLY_ZERO,
        SOFT_DISABLE,
        BY_ARGUMENT,
    )
}
"""What may stand behind a ``+``."""

LISTED = (
    "v3.2",
    "v3.2+fake-exit",
    "d6185f2",
    "d6185f2+mtf",
    "d6185f2+ack-top-vector",
    "v3.10",
    "v3.10+8081ad0",
    "v4.7",
    "64672c9",
    "v4.10",
    "v4.10+no-event",
    "v4.10+no-event+irq-off-first",
    "v4.10+no-event+sync-late",
    "b95234c",
    "b95234c+f27a85c",
    "b95234c+c112b5f",
    "b95234c+17e433b",
    "b95234c+0f65a9d",
    "v4.18",
    "v4.18+b5861e5",
    "d264ee0",
    "d264ee0+b5861e5",
    "d264ee0+4c00812",
    "d264ee0+8081ad0",
    "d264ee0+804939e",
    "d264ee0+804939e+0ec3d6d",
    "v4.19",
    "v6.1",
    "v6.1+noapicv",
    "v6.1+pi-inject-timer=1",
)
"""The kernels of the course, in the order of its story."""


@cache
def kernel(name: str) -> Kernel:
    """Return the kernel called ``name``.

    Raises BadInput for an unknown name (with the nearest known one) or an edit that does not fit.
    """
    base, *edits = name.split("+")
    if base not in RELEASES:
        raise unknown("kernel", name, LISTED)
    result = RELEASES[base]
    for edit in edits:
        if edit not in EDITS:
            raise unknown("edit", edit, EDITS)
        result = _apply(EDITS[edit], result)
    if len(edits) > 1:  # the last edit's sentence alone would be half the truth
        result = replace(result, says=f"{base} with {' and '.join(edits)}")
    return result


def _apply(patch: Patch, base: Kernel) -> Kernel:
    try:
        return patch.on(base)
    except ModelError as why:
        raise BadInput(f"{patch.name} does not fit {base.name}: {why}") from None
