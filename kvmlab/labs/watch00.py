"""What notebook 00 watches in a stepper: the four places of the kick, and how far the guest has got."""

from kvmlab.show.places import Place

WATCH: tuple[tuple[Place, ...], ...] = (
    (Place("vcpu->mode", ("vcpu.mode",)),),
    (Place("host IF", ("L0.irq",), "IF"),),
    (Place("vcpu->requests", ("vcpu.requests",), "requests"),),
    (Place("pending at the CPU", ("L0.irr",), "for a CPU"),),
    (Place("guest: instructions since entry", ("guest1.insns",)),),
    (Place("last exit", ("vmcs01.reason",)),),
)
