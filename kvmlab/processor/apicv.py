"""APICv: what the processor does on the virtual-APIC page instead of an exit.

Evaluation happens only where the SDM says: at VM entry, TPR, EOI and self-IPI virtualization, and
posted-interrupt processing. Writing RVI at any other time changes nothing until the next of these.
Where the page's SVI and VPPR are not stored, they are what VISR and VTPR say: that is so as long as software
does not write them apart.
Source: SDM vol. 3 (June 2016), "Virtual APIC State", "PPR Virtualization", "EOI Virtualization", "Self-IPI
Virtualization", "Evaluation and Delivery of Virtual Interrupts".
"""

from collections.abc import Sequence

from kvmlab.processor import priority
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING
from kvmlab.processor.records import Apicv, Guest
from kvmlab.processor.vectors import bit, highest, top


def page(guest: Guest) -> Apicv:
    """Return the guest's APICv state."""
    assert guest.apicv is not None
    return guest.apicv


def serving(s: Sequence[int], a: Apicv) -> int:
    """Return SVI, the vector in service, 0 if there is none."""
    return top(s[a.visr]) if a.svi is None else s[a.svi]


def _wanted_ppr(s: Sequence[int], a: Apicv) -> int:
    tpr = s[a.vtpr] if a.vtpr is not None else 0
    return priority.processor_priority(tpr, serving(s, a))


def processor_priority(s: Sequence[int], a: Apicv) -> int:
    """Return VPPR."""
    return _wanted_ppr(s, a) if a.vppr is None else s[a.vppr]


def virtualize_ppr(s: list[int], a: Apicv) -> None:
    """PPR virtualization: VPPR follows VTPR and SVI. Only VM entry, TPR and EOI virtualization cause it."""
    if a.vppr is not None:
        s[a.vppr] = _wanted_ppr(s, a)


def evaluate(s: list[int], a: Apicv, proc: int = 0) -> None:
    """Recognise RVI, or nothing: its class must be above VPPR's, and no interrupt window asked for.

    ``proc`` is the guest's processor-based controls.
    """
    s[a.recognised] = int(
        not proc & INTERRUPT_WINDOW_EXITING and priority.passes(s[a.rvi], processor_priority(s, a))
    )


def enter(s: list[int], guest: Guest) -> None:
    """VM entry: PPR virtualization, then evaluation of what software left in RVI."""
    a = page(guest)
    if a.delivery:
        virtualize_ppr(s, a)
        evaluate(s, a, s[guest.vmcs.proc])


def raise_rvi(s: list[int], a: Apicv, vectors: int) -> None:
    """Merge ``vectors`` into VIRR and raise RVI to the highest of them."""
    s[a.virr] |= vectors
    if vectors:
        s[a.rvi] = max(s[a.rvi], highest(vectors))


def deliver(s: list[int], a: Apicv) -> int:
    """Take RVI into service and return it; recognition ceases."""
    vector = s[a.rvi]
    s[a.visr] |= bit(vector)
    if a.svi is not None:
        s[a.svi] = vector
    if a.vppr is not None:
        s[a.vppr] = vector & 0xF0
    s[a.virr] &= ~bit(vector)
    s[a.rvi] = top(s[a.virr])
    s[a.recognised] = 0
    return vector


def end_of_interrupt(s: list[int], a: Apicv) -> int:
    """Take SVI out of service and return it; who evaluates what waits, :mod:`apic_write` says."""
    vector = serving(s, a)
    s[a.visr] &= ~bit(vector)
    if a.svi is not None:
        s[a.svi] = top(s[a.visr])
    virtualize_ppr(s, a)
    return vector


def self_ipi(s: list[int], guest: Guest, vector: int) -> None:
    """Self-IPI virtualization: the vector is pending, and is evaluated at once."""
    raise_rvi(s, page(guest), bit(vector))
    evaluate(s, page(guest), s[guest.vmcs.proc])


def interrupt_status(s: Sequence[int], a: Apicv) -> int:
    """Return the VMCS field "guest interrupt status": RVI in its low byte, SVI in its high one."""
    return serving(s, a) << 8 | s[a.rvi]
