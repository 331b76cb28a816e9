"""What notebooks 03 and 03b watch in a stepper: the way of a post, from the sender to the guest."""

from kvmlab.show.places import Place

WATCH: tuple[tuple[Place, ...], ...] = (
    (Place("vcpu->mode", ("vcpu.mode",)), Place("vcpu->mode of the other", ("other.mode",))),
    (Place("host IF", ("L0.irq",), "IF"), Place("the asker's host IF", ("asker.L0.irq",), "IF")),
    (
        Place("vcpu->requests", ("vcpu.requests",), "requests"),
        Place("requests of the asker", ("asker.requests",), "requests"),
    ),
    (
        Place("pending at the CPU", ("L0.irr",), "for a CPU"),
        Place("IRR of the other", ("other.apicv.virr",), "interrupts"),
    ),
    (
        Place("PIR / ON of the other", ("other.apicv.pir", "other.apicv.on"), "interrupts"),
        Place("PIR / ON / SN", ("*.pir", "*.on", "*.sn"), "interrupts"),
        Place("PIR / ON", ("*.pir", "*.on"), "interrupts"),
    ),
    (
        Place("IRR / RVI of the asker", ("asker.apicv.virr", "asker.apicv.rvi"), "interrupts"),
        Place("IRR / RVI / ISR", ("*.virr", "*.rvi", "*.visr"), "interrupts"),
    ),
    (Place("the CPU runs", ("core.frame",)), Place("the asker's CPU runs", ("asker.core.frame",))),
)
"""Where two vCPUs are on the stage, the one that asks and the one to which is posted."""
