"""APICv: evaluation and delivery of virtual interrupts, and posted-interrupt processing.

Evaluation happens only where the SDM says: at VM entry and after posted-interrupt processing (and
at TPR, EOI and self-IPI virtualization, which the model does not have yet). Writing RVI at any
other time changes nothing until the next of these. The virtual task priority is 0 here.
Source: SDM vol. 3 (June 2016), "Evaluation of Pending Virtual Interrupts", "Virtual-Interrupt
Delivery", "Posted-Interrupt Processing".
"""

from collections.abc import Sequence

from kvmlab.machine.step import STAY, Step
from kvmlab.processor.records import Apicv, Guest
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, bit, highest

SDM = "SDM vol. 3 (June 2016), "


def evaluate(s: list[int], a: Apicv) -> None:
    """Recognise RVI if its class is above that of everything in service."""
    serving = highest(s[a.visr]) >> 4 if s[a.visr] else 0
    s[a.recognised] = int(s[a.rvi] >> 4 > serving)


def raise_rvi(s: list[int], a: Apicv, vectors: int) -> None:
    """Merge ``vectors`` into VIRR and raise RVI to the highest of them."""
    s[a.virr] |= vectors
    if vectors:
        s[a.rvi] = max(s[a.rvi], highest(vectors))


def page(guest: Guest) -> Apicv:
    """Return the guest's APICv state."""
    assert guest.apicv is not None
    return guest.apicv


def _notified(s: Sequence[int], me: Guest) -> bool:
    """The highest interrupt pending at the CPU is the notification vector."""
    return bool(s[me.host.irr]) and highest(s[me.host.irr]) == POSTED_INTR_VECTOR


def _notify(s: list[int], me: Guest) -> str:
    s[me.host.irr] &= ~bit(POSTED_INTR_VECTOR)
    s[page(me).on] = 0
    s[page(me).posting] = 1
    return STAY


def _copy(s: list[int], me: Guest) -> str:
    a = page(me)
    posted, s[a.pir], s[a.posting] = s[a.pir], 0, 0
    raise_rvi(s, a, posted)
    evaluate(s, a)
    return STAY


def _deliverable(s: Sequence[int], me: Guest) -> int:
    return s[page(me).recognised] and s[me.cpu.irq]


def _deliver(s: list[int], me: Guest) -> str:
    """Deliver RVI; the guest's handler, its EOI (virtualized: no exit) and IRET are part of the step."""
    a = page(me)
    s[a.virr] &= ~bit(s[a.rvi])
    s[a.rvi] = highest(s[a.virr]) if s[a.virr] else 0
    s[me.delivered] = min(s[me.delivered] + 1, 2)
    evaluate(s, a)
    return STAY


POSTED = {
    "POSTED.copy": Step(
        "POSTED.copy",
        _copy,
        lambda s, me: s[page(me).posting],
        "posted-interrupt processing: PIR into VIRR, RVI raised, no exit",
        SDM + '"Posted-Interrupt Processing"',
    ),
    "POSTED.notify": Step(
        "POSTED.notify",
        _notify,
        _notified,
        "posted-interrupt processing: the notification is acknowledged, ON := 0",
        SDM + '"Posted-Interrupt Processing"',
    ),
}
"""Processing is two steps, because a sender may post between them; the second one cannot be delayed."""

DELIVERY = {
    "VIRTUAL_INTERRUPT": Step(
        "VIRTUAL_INTERRUPT",
        _deliver,
        _deliverable,
        "the virtual interrupt is delivered; the guest's handler counts it",
        SDM + '"Virtual-Interrupt Delivery"',
    ),
}
