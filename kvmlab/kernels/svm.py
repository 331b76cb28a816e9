"""A kernel whose module is kvm_amd: the same vcpu_enter_guest, with SVM's entry in the place of VMX's.

What is taken out has no counterpart here: the look at PIR, the VMX-preemption timer, VMX's nesting.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import RUN_LOOP, Kernel, Patch, Setting, swap
from kvmlab.kvm import svm
from kvmlab.kvm.immediate_exit import HARD, SOFT
from kvmlab.machine.step import Step

VMX_ONLY = (HARD, SOFT)
"""Steps before the entry that are VMX's own; since 0ec3d6d1f169 SVM has one there, too."""

NO_ACK = Setting(
    "exit_controls", 0, "an exit leaves the interrupt pending: SVM acknowledges none", "v4.19 svm.c init_vmcb"
)
SVM = Patch(
    "svm",
    "kvm_amd: CLGI, IF := 1, VMRUN, IF := 0, STGI",
    svm.RUN,
    (
        swap("sync_pir_to_irr"),
        swap("VMEXIT", svm.COMPLETE),
        swap("RUN_PENDING"),
        swap("IRQ_ON", svm.IRQ_ON),
        swap("handle_exit", svm.HANDLE_EXIT),
        NO_ACK,
    ),
)

AROUND = tuple(svm.AROUND)
"""VMRUN and what stands around it, in the kernel's order."""


def on_svm(kernel: Kernel, around: Sequence[str] = AROUND) -> Kernel:
    """Return ``kernel`` as it runs on AMD's CPU; ``around`` is VMRUN and what stands around it, by label.

    Raises BadInput for a label that is none of :data:`AROUND`, one that is there twice, or no VMRUN.
    """
    for label in around:
        if label not in svm.AROUND:
            raise unknown("step of svm_vcpu_run", label, svm.AROUND)
    if len({*around}) < len(around) or svm.VMRUN.label not in around:
        raise BadInput("around: VMRUN, and each of the other steps once or not at all")
    timer, cancel = _step(kernel, "HV_TIMER"), _step(kernel, "CANCEL.inject")
    own = [swap("HV_TIMER")] if timer and timer.fn in VMX_ONLY else []
    own += [swap("CANCEL.inject", replace(cancel, source=svm.CANCEL))] if cancel else []
    own.append(swap("ENTER", *(svm.AROUND[label] for label in around)))
    name = kernel.name if tuple(around) == AROUND else f"{kernel.name} with {' '.join(around)}"
    return replace(SVM, edits=(*SVM.edits, *own)).on(kernel, name)


def _step(kernel: Kernel, label: str) -> Step | None:
    path = kernel.paths[RUN_LOOP]
    return next((node for node in path.walk() if isinstance(node, Step) and node.label == label), None)
