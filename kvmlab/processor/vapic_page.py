"""The virtual-APIC page as a reader of registers sees it: offset -> 32 bits.

A set of 256 vectors is eight registers, 32 vectors each, 16 bytes apart.
Source: SDM vol. 3 (June 2016), "Virtualized APIC Registers"; "Local APIC Register Address Map".
"""

from collections.abc import Sequence

from kvmlab.errors import BadInput
from kvmlab.machine.state import Cell
from kvmlab.processor import apicv
from kvmlab.processor.records import Apicv

VTPR, VPPR, VISR, VTMR, VIRR = 0x80, 0xA0, 0x100, 0x180, 0x200


def word(vectors: int, at: int) -> int:
    """Return the 32 vectors of a set that stand ``at`` bytes behind its first register."""
    return vectors >> (at >> 4) * 32 & 0xFFFFFFFF


def read(s: Sequence[int], a: Apicv, offset: int) -> int:
    """Return a register of the page; raise BadInput for an offset that the model does not have."""
    if offset == VTPR:
        return _value(s, a.vtpr)
    if offset == VPPR:
        return apicv.processor_priority(s, a)
    sets = {VISR: s[a.visr], VTMR: _value(s, a.vtmr), VIRR: s[a.virr]}
    first = offset & ~0x7F
    if offset & 0xF or first not in sets:
        raise BadInput(f"no register of the virtual-APIC page at {offset:#x}")
    return word(sets[first], offset - first)


def _value(s: Sequence[int], cell: Cell | None) -> int:
    return 0 if cell is None else s[cell]
