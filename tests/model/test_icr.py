"""The interrupt command register: layout in both modes, and which writes are a virtual self-IPI."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import BadInput
from kvmlab.processor.icr import (
    ALL,
    DELIVERY_STATUS,
    FIXED,
    INIT,
    OTHERS,
    RESERVED,
    SELF,
    Icr,
    decode,
    is_virtual_self_ipi,
    self_ipi,
)

COMMANDS = st.builds(
    Icr,
    vector=st.integers(0, 255),
    mode=st.integers(0, 7),
    logical=st.booleans(),
    asserted=st.booleans(),
    level=st.booleans(),
    shorthand=st.integers(0, 3),
    destination=st.integers(0, 0xFF),
)


@given(COMMANDS, st.booleans())
def test_a_command_reads_back_in_both_modes(icr: Icr, x2apic: bool) -> None:
    """What is encoded is what is decoded; nothing lands in a reserved bit."""
    value = icr.encode(x2apic=x2apic)
    assert decode(value, x2apic=x2apic) == icr
    assert not value & (RESERVED | DELIVERY_STATUS) and value >> 64 == 0


@given(st.integers(0, 2**64 - 1), st.booleans())
def test_every_value_is_a_command(value: int, x2apic: bool) -> None:
    """Decoding keeps every bit that means something, and drops the others."""
    kept = 0xFFFFFFFF << 32 if x2apic else 0xFF << 56
    kept |= 0xFFFFFFFF & ~(RESERVED | DELIVERY_STATUS)
    assert decode(value, x2apic=x2apic).encode(x2apic=x2apic) == value & kept


@pytest.mark.parametrize(
    ("value", "icr"),
    [
        (0x400EF, Icr(0xEF, shorthand=SELF)),
        (0x000C4500, Icr(0, mode=INIT, asserted=True, shorthand=OTHERS)),
        (0x000840F1, Icr(0xF1, asserted=True, shorthand=ALL)),
        (0x3_000000FD, Icr(0xFD, destination=3)),
        (0x0001_0002_00000831, Icr(0x31, logical=True, destination=0x10002)),
    ],
)
def test_known_values(value: int, icr: Icr) -> None:
    """The traced self-IPI, INIT to all others, a vector to all, one to ID 3, one to a logical ID."""
    assert decode(value, x2apic=True) == icr and icr.encode(x2apic=True) == value


@pytest.mark.parametrize(
    "wrong", [{"vector": 256}, {"vector": 16, "mode": 8}, {"vector": 16, "shorthand": 4}, {"vector": -1}]
)
def test_a_field_that_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    """Bits of one field never become another's."""
    with pytest.raises(BadInput, match="does not fit"):
        Icr(**wrong)


def test_xapic_mode_has_eight_bits_for_a_destination() -> None:
    """ID 256 needs x2APIC mode."""
    with pytest.raises(BadInput, match="8 bits"):
        Icr(0x31, destination=256).encode(x2apic=False)
    assert Icr(0x31, destination=256).encode(x2apic=True) == 256 << 32 | 0x31


def test_a_self_ipi_needs_a_legal_vector() -> None:
    """The value of a self-IPI is the traced one; 15 is refused."""
    assert self_ipi(0xEF) == 0x400EF
    with pytest.raises(BadInput, match="illegal"):
        self_ipi(15)


@given(COMMANDS, st.sampled_from((0, 1 << 12, 1 << 13, 1 << 16, 1 << 17, 1 << 20, 1 << 31)))
def test_which_write_is_a_virtual_self_ipi(icr: Icr, extra: int) -> None:
    """Self, fixed, edge, a legal vector, no delivery status, no reserved bit: all of them, and no more."""
    plain = icr.shorthand == SELF and icr.mode == FIXED and not icr.level and icr.vector >= 16
    low = icr.encode(x2apic=False) & 0xFFFFFFFF | extra
    assert is_virtual_self_ipi(low) == (plain and not extra)
