"""svm_vcpu_run as a path: what stands around AMD's entry in the place of VMX's.

The vCPU's thread comes with IF=0, like on Intel's. But a guest that is entered with IF=0 is not left for an
interrupt, so IF has to be 1; and for the time between that and the entry CLGI holds what is pending. v6.1
sets IF in its assembly, in the same order. Source: v4.19 svm.c svm_vcpu_run; v6.1 svm/svm.c, svm/vmenter.S.
"""

from dataclasses import replace

from kvmlab.kvm import exits, nested
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.step import Step, prioritised
from kvmlab.processor import svm

RUN = "v4.19 svm.c svm_vcpu_run"


def _clgi(s: list[int], me: Vcpu) -> None:
    svm.clgi(s, me.cpu)


def _stgi(s: list[int], me: Vcpu) -> None:
    svm.stgi(s, me.cpu)


def _irq_on(s: list[int], me: Vcpu) -> None:
    s[me.cpu.irq] = 1


def _irq_off(s: list[int], me: Vcpu) -> None:
    s[me.cpu.irq] = 0


def _vmrun(s: list[int], me: Vcpu) -> None:
    svm.vmrun(s, nested.current(s, me))


CLGI = Step("CLGI", _clgi, says="GIF := 0: whatever is pending waits, IF or not", source=RUN)
SVM_IRQ_ON = Step("SVM.irq_on", _irq_on, says="IF := 1: in the guest it is this IF that counts", source=RUN)
VMRUN = Step(
    "VMRUN", _vmrun, says="VMRUN: GIF := 1; the event is delivered, then the guest may run", source=RUN
)
SVM_IRQ_OFF = Step("SVM.irq_off", _irq_off, says="behind #VMEXIT, with GIF=0: IF := 0", source=RUN)
STGI = Step("STGI", _stgi, says="GIF := 1: from here on IF alone decides", source=RUN)

AROUND = {step.label: step for step in (CLGI, SVM_IRQ_ON, VMRUN, SVM_IRQ_OFF, STGI)}
"""The steps at the entry by label, in their order."""
IRQ_ON = Step(
    "IRQ_ON",
    _irq_on,
    says="IF := 1; the host takes what is pending",
    source="v4.19 svm.c svm_handle_external_intr, x86.c vcpu_enter_guest",
)
COMPLETE = Step(
    "VMEXIT",
    nested.complete_interrupts,
    says="after the exit: was an event only half delivered?",
    source="v4.19 svm.c svm_complete_interrupts",
)
HANDLE_EXIT = prioritised(
    "HANDLE_EXIT",
    replace(exits.EXTERNAL_INTERRUPT, source="v4.19 svm.c intr_interception"),
    replace(exits.CPUID, source="v4.19 svm.c cpuid_interception"),
    exits.UNKNOWN,
)
"""handle_exit for a guest that is no hypervisor: SVM's nesting is not modelled."""
CANCEL = "v4.19 svm.c svm_cancel_injection"
"""Where the injection is taken back when an entry is called off; the step is the same as VMX's."""
