"""The posted-interrupt descriptor and the virtual-APIC page as memory has them."""

import pytest
from apic_bench import bench
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import BadInput
from kvmlab.processor import vapic_page
from kvmlab.processor.descriptor import SIZE, Descriptor, read, unpack, xapic_ndst
from kvmlab.processor.vectors import bit

DESCRIPTORS = st.builds(
    Descriptor,
    pir=st.integers(0, 2**256 - 1),
    on=st.integers(0, 1),
    sn=st.integers(0, 1),
    nv=st.integers(0, 255),
    ndst=st.integers(0, 2**32 - 1),
)


@given(DESCRIPTORS)
def test_a_descriptor_reads_back(descriptor: Descriptor) -> None:
    """64 bytes hold all of it."""
    memory = descriptor.pack()
    assert len(memory) == SIZE == 64 and unpack(memory) == descriptor


@pytest.mark.parametrize(
    ("descriptor", "byte", "value"),
    [
        (Descriptor(pir=bit(0x31), nv=0), 6, 0x02),
        (Descriptor(pir=bit(0xFF), nv=0), 31, 0x80),
        (Descriptor(on=1, nv=0), 32, 0x01),
        (Descriptor(sn=1, nv=0), 32, 0x02),
        (Descriptor(), 34, 0xF2),
        (Descriptor(ndst=0x12, nv=0), 36, 0x12),
        (Descriptor(ndst=xapic_ndst(0x12), nv=0), 37, 0x12),
    ],
)
def test_where_each_field_stands(descriptor: Descriptor, byte: int, value: int) -> None:
    """PIR from byte 0, ON and SN in byte 32, NV in byte 34, NDST from byte 36 (xAPIC: byte 37)."""
    assert descriptor.pack() == bytes(byte) + bytes([value]) + bytes(SIZE - byte - 1)


def test_what_is_no_descriptor_is_refused() -> None:
    """A wrong size, a reserved bit, a field that does not fit."""
    with pytest.raises(BadInput, match="64 bytes, not 63"):
        unpack(bytes(63))
    for at in (33, 35, 40, 63):
        with pytest.raises(BadInput, match="reserved bit"):
            unpack(bytes(at) + b"\1" + bytes(SIZE - at - 1))
    for wrong in ({"on": 2}, {"nv": 256}, {"ndst": -1}):
        with pytest.raises(BadInput, match="bits"):
            Descriptor(**wrong)


def test_a_state_is_read_as_a_descriptor() -> None:
    """Cells that a scenario does not have read as software set them up: NV Linux's, the rest 0."""
    b = bench()
    b.s[b.page.pir], b.s[b.page.on] = bit(0x31), 1
    assert read(b.s, b.page) == Descriptor(pir=bit(0x31), on=1)
    full = bench(page=("sn", "nv", "ndst"))
    assert full.page.sn is not None and full.page.nv is not None and full.page.ndst is not None
    full.s[full.page.sn], full.s[full.page.nv], full.s[full.page.ndst] = 1, 0xF1, 3
    assert read(full.s, full.page) == Descriptor(sn=1, nv=0xF1, ndst=3)


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_the_page_spreads_a_set_over_eight_registers(irr: int, isr: int, tmr: int) -> None:
    """Bit x of a set is bit x & 31 of the register at first + (x & 0xe0) / 2."""
    b = bench(page=("vtmr",))
    assert b.page.vtmr is not None
    b.s[b.page.virr], b.s[b.page.visr], b.s[b.page.vtmr] = irr, isr, tmr
    for first, vectors in ((0x200, irr), (0x100, isr), (0x180, tmr)):
        for x in range(256):
            register = vapic_page.read(b.s, b.page, first | (x & 0xE0) >> 1)
            assert register >> (x & 0x1F) & 1 == vectors >> x & 1


def test_the_page_shows_priorities_and_refuses_what_it_lacks() -> None:
    """VTPR, and VPPR whether it is stored or not; no other offset."""
    b = bench(page=("vtpr",))
    assert b.page.vtpr is not None
    b.s[b.page.vtpr], b.s[b.page.visr] = 0x20, bit(0x31)
    assert [vapic_page.read(b.s, b.page, at) for at in (0x80, 0xA0)] == [0x20, 0x30]
    for at in (0x20, 0x204, 0x280):
        with pytest.raises(BadInput, match="no register"):
            vapic_page.read(b.s, b.page, at)
