"""Delivery without APICv, as another CPU does it: the vector, the request, the kick.

The three stand in this order for a reason: the request says "look at IRR", so IRR comes first; the kick says
"look at the requests", so the request comes before it. Where APICv is used, :mod:`posted` has the senders.
Source: v4.11 lapic.c __apic_accept_irq; v6.1 vmx.c vmx_deliver_interrupt.
"""

from dataclasses import dataclass

from kvmlab.kvm.host import KICK
from kvmlab.kvm.records import Sender
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Block, Step, block
from kvmlab.processor import lapic

ACCEPT = "v4.11 lapic.c __apic_accept_irq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Sender):
    """A sender of one vector."""

    vector: int
    level: bool = False


def _irr(s: list[int], me: Delivery) -> None:
    lapic.accept(s, me.vcpu.guests[0].cpu, me.vector, level=me.level)


def _request(s: list[int], me: Delivery) -> None:
    s[me.vcpu.requests] |= KVM_REQ_EVENT


DELIVER: Block = block(
    "deliver",
    Step("DELIVER.irr", _irr, says="the sender sets its vector in the guest's IRR", source=ACCEPT),
    Step("DELIVER.request", _request, says="the sender makes KVM_REQ_EVENT", source=ACCEPT),
    KICK,
)
