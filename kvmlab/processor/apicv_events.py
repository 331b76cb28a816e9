"""APICv at the instruction boundary: posted-interrupt processing, and delivery of a virtual interrupt.

Source: SDM vol. 3 (June 2016), "Virtual-Interrupt Delivery", "Posted-Interrupt Processing".
"""

from collections.abc import Sequence

from kvmlab.machine.step import STAY, Step
from kvmlab.processor import apicv, entry
from kvmlab.processor.apicv import page
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING
from kvmlab.processor.records import Guest
from kvmlab.processor.shadow import blocked
from kvmlab.processor.vectors import bit, highest

SDM = "SDM vol. 3 (June 2016), "


def _notified(s: Sequence[int], me: Guest) -> bool:
    """The highest interrupt pending at the CPU is the notification vector."""
    return bool(s[me.host.irr]) and highest(s[me.host.irr]) == me.vmcs.notification


def _notify(s: list[int], me: Guest) -> str:
    """Acknowledge, clear ON, write EOI: the vector goes through the CPU's ISR and out again."""
    s[me.host.irr] &= ~bit(me.vmcs.notification)
    s[page(me).on] = 0
    s[page(me).posting] = 1
    return STAY


def _copy(s: list[int], me: Guest) -> str:
    a = page(me)
    posted, s[a.pir], s[a.posting] = s[a.pir], 0, 0
    apicv.raise_rvi(s, a, posted)
    apicv.evaluate(s, a, s[me.vmcs.proc])
    return STAY


def _deliverable(s: Sequence[int], me: Guest) -> object:
    waits = s[page(me).recognised] and s[me.cpu.irq]
    return waits and not blocked(s, me) and not s[me.vmcs.proc] & INTERRUPT_WINDOW_EXITING


def _deliver(s: list[int], me: Guest) -> str:
    """Deliver RVI; where the guest's handler has no path of its own, it runs whole within the step."""
    vector = apicv.deliver(s, page(me))
    if me.in_handler is None:
        _whole_handler(s, me)
    else:
        entry.deliver(s, me, vector)
    return STAY


def _whole_handler(s: list[int], me: Guest) -> None:
    """The handler counts, writes EOI (virtualized: no exit) and returns."""
    s[me.delivered] = min(s[me.delivered] + 1, 2)
    apicv.end_of_interrupt(s, page(me))
    apicv.evaluate(s, page(me), s[me.vmcs.proc])


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
