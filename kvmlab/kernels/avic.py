"""AMD's AVIC on any order of the entry path: the sync goes, VMRUN takes the entry's place, a sender rings."""

from kvmlab.kernels.kernel import NewPath, Patch, swap
from kvmlab.kvm.avic import ENTER, SENDER

AVIC = Patch(
    "avic",
    "AVIC instead of posted interrupts: no sync, VMRUN looks at vIRR itself, a sender rings the doorbell",
    "no kernel did this: the steps of v6.16 svm/avic.c in the order of an older vcpu_enter_guest",
    (swap("sync_pir_to_irr"), swap("ENTER", ENTER), NewPath("post", SENDER)),
    frozenset({"avic"}),
)
