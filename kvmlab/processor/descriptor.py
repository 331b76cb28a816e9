"""The posted-interrupt descriptor as memory has it: 64 bytes that CPUs, VT-d and the processor share.

Bits 255:0 PIR, 256 ON, 257 SN, 279:272 NV, 319:288 NDST. The processor knows PIR and ON; the rest
belongs to software and the chipset. Sources: SDM vol. 3 (June 2016), table "Format of Posted-Interrupt
Descriptor"; v4.11 vmx.c struct pi_desc.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.machine.state import Cell
from kvmlab.processor.records import PiDesc
from kvmlab.processor.vectors import POSTED_INTR_VECTOR

SIZE = 64
FIELDS = {"pir": (0, 256), "on": (256, 1), "sn": (257, 1), "nv": (272, 8), "ndst": (288, 32)}
"""Field -> (lowest bit, number of bits)."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """The descriptor's fields; raises BadInput for a value that its bits cannot hold."""

    pir: int = 0
    on: int = 0
    sn: int = 0
    nv: int = POSTED_INTR_VECTOR
    ndst: int = 0

    def __post_init__(self) -> None:
        for name, (_, bits) in FIELDS.items():
            if getattr(self, name) >> bits:
                raise BadInput(f"posted-interrupt descriptor: {name} has {bits} bits")

    def pack(self) -> bytes:
        """Return its 64 bytes."""
        value: int = sum(getattr(self, name) << at for name, (at, _) in FIELDS.items())
        return value.to_bytes(SIZE, "little")


def unpack(memory: bytes) -> Descriptor:
    """Return the fields of 64 bytes; raise BadInput for another number of bytes or a reserved bit set."""
    if len(memory) != SIZE:
        raise BadInput(f"a posted-interrupt descriptor has {SIZE} bytes, not {len(memory)}")
    value = int.from_bytes(memory, "little")
    found = Descriptor(**{name: value >> at & (1 << bits) - 1 for name, (at, bits) in FIELDS.items()})
    if found.pack() != memory:
        raise BadInput("a reserved bit of the posted-interrupt descriptor is set")
    return found


def xapic_ndst(apic_id: int) -> int:
    """Return NDST for an 8-bit APIC ID: in xAPIC mode it stands in bits 15:8."""
    return apic_id << 8


def read(s: Sequence[int], pid: PiDesc) -> Descriptor:
    """Return the descriptor in a state; a field that has no cell is 0, NV Linux's vector."""

    def value(cell: Cell | None, otherwise: int = 0) -> int:
        return otherwise if cell is None else s[cell]

    return Descriptor(
        s[pid.pir], s[pid.on], value(pid.sn), value(pid.nv, POSTED_INTR_VECTOR), value(pid.ndst)
    )
