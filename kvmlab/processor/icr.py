"""The interrupt command register: what an IPI is, as one integer in xAPIC and in x2APIC mode.

Bits 7:0 vector, 10:8 delivery mode, 11 logical destination, 12 delivery status (xAPIC only, read-only),
14 assert, 15 level-triggered, 19:18 shorthand; the destination is 63:56 in xAPIC and 63:32 in x2APIC mode.
Source: SDM vol. 3 (June 2016), "Interrupt Command Register (ICR)", "ICR Operation in x2APIC Mode".
"""

from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.processor.vectors import legal

FIXED, LOWEST_PRIORITY, SMI, NMI, INIT, SIPI = 0, 1, 2, 4, 5, 6
MODES = ("Fixed", "LowPrio", "SMI", "Res3", "NMI", "INIT", "SIPI", "ExtINT")
"""Delivery modes as ftrace prints them."""

NO_SHORTHAND, SELF, ALL, OTHERS = 0, 1, 2, 3
SHORTHANDS = ("dst", "self", "all", "all-but-self")
"""Shorthands as ftrace prints them."""

LOGICAL, DELIVERY_STATUS, ASSERT, LEVEL = 1 << 11, 1 << 12, 1 << 14, 1 << 15
RESERVED = 1 << 13 | 3 << 16 | 0xFFF << 20
"""The bits of the low half that must be 0."""


@dataclass(frozen=True, slots=True)
class Icr:
    """A command; raises BadInput for a field that its bits cannot hold.

    ``destination`` is an APIC ID, or a logical destination if ``logical``; a shorthand overrules it.
    """

    vector: int
    mode: int = FIXED
    logical: bool = False
    asserted: bool = False
    level: bool = False
    shorthand: int = NO_SHORTHAND
    destination: int = 0

    def __post_init__(self) -> None:
        sizes = ((self.vector, 8), (self.mode, 3), (self.shorthand, 2), (self.destination, 32))
        for value, bits in sizes:
            if value >> bits:
                raise BadInput(f"ICR: {value:#x} does not fit into {bits} bits")

    def encode(self, *, x2apic: bool) -> int:
        """Return the register's 64 bits; raise BadInput if xAPIC mode has no room for the destination."""
        if not x2apic and self.destination > 0xFF:
            raise BadInput(f"ICR: xAPIC mode has 8 bits for a destination, not {self.destination:#x}")
        flags = self.logical * LOGICAL | self.asserted * ASSERT | self.level * LEVEL
        low = self.vector | self.mode << 8 | flags | self.shorthand << 18
        return low | self.destination << (32 if x2apic else 56)


def decode(value: int, *, x2apic: bool) -> Icr:
    """Return the command in ``value``; delivery status and reserved bits are not looked at."""
    return Icr(
        vector=value & 0xFF,
        mode=value >> 8 & 7,
        logical=bool(value & LOGICAL),
        asserted=bool(value & ASSERT),
        level=bool(value & LEVEL),
        shorthand=value >> 18 & 3,
        destination=value >> 32 & 0xFFFFFFFF if x2apic else value >> 56 & 0xFF,
    )


def self_ipi(vector: int) -> int:
    """Return the value that sends ``vector`` to the CPU that writes it; raise BadInput if it is illegal."""
    return Icr(legal(vector), shorthand=SELF).encode(x2apic=True)


def is_virtual_self_ipi(low: int) -> bool:
    """Whether a write of ``low`` to the virtual-APIC page's ICR is virtualized: self, edge, fixed, legal.

    Assert and the destination mode do not matter. Source: SDM vol. 3 (June 2016), "APIC-Write Emulation".
    """
    wanted = low & ~(0xFF | LOGICAL | ASSERT) == SELF << 18
    return wanted and bool(low & 0xF0)
