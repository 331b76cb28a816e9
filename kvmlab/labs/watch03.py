"""What notebooks 03 and 03b watch in a stepper: the way of a post, from the sender to the guest."""

from kvmlab.show.places import Place

WATCH: tuple[tuple[Place, ...], ...] = (
    (Place("vcpu->mode", ("vcpu.mode",)),),
    (Place("host IF", ("L0.irq",), "IF"),),
    (Place("vcpu->requests", ("vcpu.requests",), "requests"),),
    (
        Place("the other's IRR", ("other.apicv.virr",), "interrupts"),
        Place("pending at the CPU", ("L0.irr",), "for a CPU"),
    ),
    (
        Place("the other's PIR / ON", ("other.apicv.pir", "other.apicv.on"), "interrupts"),
        Place("PIR / ON / SN", ("apicv.pir", "apicv.on", "apicv.sn"), "interrupts"),
        Place("PIR / ON", ("apicv.pir", "apicv.on"), "interrupts"),
    ),
    (Place("IRR / RVI / ISR", ("apicv.virr", "apicv.rvi", "apicv.visr"), "interrupts"),),
    (Place("the CPU runs", ("core.frame",)),),
)
"""Where there are two vCPUs the plain names are those of the one that asks; to the other is posted."""
