"""AMD's AVIC: the page's vIRR is all there is, and the doorbell says only "look at it again".

There is no RVI that software writes, no PIR and no ON: VMRUN reads vIRR itself, and so does a running guest
whose CPU hears its doorbell. A doorbell that rings in host mode changes nothing.
Source: AMD64 APM vol. 2, "Advanced Virtual Interrupt Controller" (from memory); v6.16 svm/avic.c.
"""

from kvmlab.machine.state import Cell
from kvmlab.machine.step import STAY, Step
from kvmlab.processor.apicv import evaluate, page, raise_rvi
from kvmlab.processor.apicv_events import DELIVERY
from kvmlab.processor.boundary import EVENTS
from kvmlab.processor.entry import vm_entry
from kvmlab.processor.records import Core, Guest

APM = 'AMD64 APM vol. 2, "Advanced Virtual Interrupt Controller" (from memory)'


def bell(core: Core) -> Cell:
    """Return the core's doorbell."""
    assert core.doorbell is not None
    return core.doorbell


def _look(s: list[int], guest: Guest) -> None:
    """Find the highest vector in vIRR."""
    s[bell(guest.core)] = 0
    raise_rvi(s, page(guest), s[page(guest).virr])


def vmrun(s: list[int], guest: Guest) -> None:
    """Enter the guest: whatever stands in vIRR is seen, rung for or not."""
    _look(s, guest)
    vm_entry(s, guest)


def _rung(s: list[int], me: Guest) -> str:
    _look(s, me)
    evaluate(s, page(me))
    return STAY


AVIC_EVENTS = {
    "VIRTUAL_INTERRUPT": DELIVERY["VIRTUAL_INTERRUPT"],
    "DOORBELL": Step(
        "DOORBELL",
        _rung,
        lambda s, me: s[bell(me.core)],
        "the doorbell: the CPU looks at the guest's vIRR again, no exit",
        APM,
    ),
    "EXTERNAL_INTERRUPT": EVENTS["EXTERNAL_INTERRUPT"],
}
"""What can happen at an instruction boundary of a guest with AVIC."""
