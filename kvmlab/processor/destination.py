"""Who an IPI is for: shorthands, physical and logical destinations, broadcast.

All local APICs are in one mode, xAPIC or x2APIC. Sources: SDM vol. 3 (June 2016), "Determining IPI
Destination", "Logical x2APIC ID".
"""

from dataclasses import dataclass

from kvmlab.processor.icr import ALL, OTHERS, SELF, Icr


@dataclass(frozen=True, slots=True)
class ApicId:
    """What a local APIC compares a destination with.

    ``ldr`` and ``flat`` (the destination format) are software's in xAPIC mode; in x2APIC mode the logical
    ID follows from the ID.
    """

    id: int
    ldr: int = 0
    flat: bool = True
    x2apic: bool = False

    @property
    def logical(self) -> int:
        """The logical ID: 8 bits in xAPIC mode; cluster << 16 and one of 16 bits in x2APIC mode."""
        return self.id >> 4 << 16 | 1 << (self.id & 0xF) if self.x2apic else self.ldr


def reaches(icr: Icr, sender: ApicId, target: ApicId) -> bool:
    """Whether the command that ``sender`` gives is for ``target``."""
    if icr.shorthand in (SELF, ALL, OTHERS):
        return icr.shorthand == ALL or (icr.shorthand == SELF) == (target == sender)
    if icr.destination == (0xFFFFFFFF if target.x2apic else 0xFF):
        return True
    return _logically(icr.destination, target) if icr.logical else icr.destination == target.id


def _logically(destination: int, target: ApicId) -> bool:
    """Whether a logical destination names ``target``: a common bit, in its cluster if there are any."""
    if target.flat and not target.x2apic:
        return bool(destination & target.ldr)
    width = 16 if target.x2apic else 4
    common = destination & target.logical & ((1 << width) - 1)
    return destination >> width == target.logical >> width and bool(common)
