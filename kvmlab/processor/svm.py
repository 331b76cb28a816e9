"""AMD's entry: CLGI, VMRUN, #VMEXIT, STGI, and the flag that they turn, GIF.

GIF=0 holds every interrupt, whatever IF says. VMRUN sets it, #VMEXIT clears it. In the guest the IF that
the host had at its VMRUN masks physical interrupts, if V_INTR_MASKING is set, and the guest's own masks
virtual ones; the event to inject goes before an interrupt that is intercepted.
Source: AMD64 APM vol. 2, "Global Interrupt Flag, STGI and CLGI Instructions", "Physical (INTR) Interrupt
Masking in EFLAGS" (titles and content from memory); read in v4.19 svm.c: init_vmcb sets V_INTR_MASKING and
the INTR intercept, svm_vcpu_run relies on the order of injection and exit.
"""

from kvmlab.machine.state import Cell
from kvmlab.processor.boundary import EVENTS
from kvmlab.processor.entry import vm_entry
from kvmlab.processor.records import Cpu, Guest


def gif(cpu: Cpu) -> Cell:
    """Return the place of the global interrupt flag."""
    assert cpu.gif is not None
    return cpu.gif


def clgi(s: list[int], cpu: Cpu) -> None:
    """Clear GIF: interrupts wait in the local APIC."""
    s[gif(cpu)] = 0


def stgi(s: list[int], cpu: Cpu) -> None:
    """Set GIF: what waits is taken, if IF is 1."""
    s[gif(cpu)] = 1


def vmrun(s: list[int], guest: Guest) -> None:
    """Enter ``guest`` with GIF=1; the host's IF stays what it is."""
    stgi(s, guest.host)
    vm_entry(s, guest)


SVM_EVENTS = {"EXTERNAL_INTERRUPT": EVENTS["EXTERNAL_INTERRUPT"]}
"""What can take such a guest away here: INTR, and no countdown of any kind."""
