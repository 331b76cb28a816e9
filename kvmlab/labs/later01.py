"""Kernels of notebook 01b that are no stop of the course: one commit alone, and one taken early."""

from dataclasses import replace

from kvmlab.kernels.kernel import Kernel, Patch, swap
from kvmlab.kernels.names import kernel
from kvmlab.kernels.patch_1 import CHECK_IMMEDIATE
from kvmlab.kernels.v3_10 import QUEUES
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT

QUEUES_ALONE = Patch(
    "5f3d579",
    "2013: L2's events are queued, the wish to leave is still a request bit",
    "5f3d5799974b KVM: nVMX: Rework event injection and recovery",
    QUEUES,
)


def _ipi_and_event(s: list[int], me: Vcpu) -> None:
    CHECK_IMMEDIATE.fn(s, me)
    if s[me.immediate]:
        s[me.requests] |= KVM_REQ_EVENT


EVENT_WITH_IPI = Patch(
    "c43203c",
    "2016: KVM_REQ_EVENT is raised together with the self-IPI",
    "c43203cab1e2, read in v4.10 x86.c vcpu_enter_guest",
    (
        swap(
            CHECK_IMMEDIATE.label,
            replace(
                CHECK_IMMEDIATE,
                fn=_ipi_and_event,
                says="if req_immediate_exit: raise KVM_REQ_EVENT for the next lap, and the self-IPI",
                source="c43203cab1e2, read in v4.10 x86.c vcpu_enter_guest",
            ),
        ),
    ),
)


LATER = {patch.name: patch for patch in (QUEUES_ALONE, EVENT_WITH_IPI)}
"""What may stand behind a ``+`` here, besides the course's own edits."""


def named(name: str) -> Kernel:
    """Return a kernel of the course, with these two commits behind its ``+`` if ``name`` says so.

    Raises BadInput for a name nobody knows.
    """
    parts = name.split("+")
    result = kernel("+".join(part for part in parts if part not in LATER))
    for part in parts:
        result = LATER[part].on(result) if part in LATER else result
    if len(parts) > 2:  # Several edits: the last one's sentence, and its year, would be half the truth.
        result = replace(result, name=name, says=f"{parts[0]} with {' and '.join(parts[1:])}")
    return result
