"""AVIC, the contrast to posted interrupts: the sender sets vIRR and rings, the receiver has nothing to do.

There is no descriptor to sync: looking at vIRR is part of VMRUN, so nothing can come between the look and
the entry, whatever the order of the receiver's steps: the two races of patch 3 have no counterpart here.
Source: v6.16 svm/svm.c svm_complete_interrupt_delivery, svm/avic.c avic_ring_doorbell.
"""

from dataclasses import dataclass

from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm.nested import current
from kvmlab.kvm.records import Sender, Vcpu
from kvmlab.kvm.run_loop import enter_faulting, entry, may_fault
from kvmlab.machine.step import Block, Step, block
from kvmlab.processor.apicv import page
from kvmlab.processor.doorbell import bell, vmrun
from kvmlab.processor.vectors import bit, legal

SVM = "v6.16 svm/svm.c svm_complete_interrupt_delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring(Sender):
    """A sender of one vector."""

    vector: int


def _virr(s: list[int], me: Ring) -> None:
    s[page(me.vcpu.guests[0]).virr] |= bit(legal(me.vector))


def _mode(s: list[int], me: Ring) -> str | None:
    return None if s[me.vcpu.mode] == vcpu_mode.IN_GUEST_MODE else "post"


def _ring(s: list[int], me: Ring) -> None:
    s[bell(me.vcpu.core)] = 1


def _vmrun(s: list[int], me: Vcpu) -> None:
    vmrun(s, current(s, me))


SENDER: Block = block(
    "post",
    Step("AVIC.irr", _virr, says="the sender sets its vector in the page's vIRR; a barrier", source=SVM),
    Step(
        "AVIC.mode",
        _mode,
        says="is the vCPU IN_GUEST_MODE? yes: ring; no: wake it if it sleeps, its VMRUN will look",
        source=SVM,
        leaves=("post",),
    ),
    Step(
        "AVIC.doorbell",
        _ring,
        says="the doorbell of the vCPU's CPU rings",
        source="v6.16 svm/avic.c avic_ring_doorbell",
    ),
)

ENTER = entry(_vmrun, enter_faulting, may_fault, "v6.16 svm/svm.c svm_vcpu_run")
"""The row that takes the place of VMX's entry."""
