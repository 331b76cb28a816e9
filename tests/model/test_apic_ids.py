"""Destinations and modes of a local APIC: laws; the cases of real tests stand with the conformance rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import IllegalTransition
from kvmlab.processor import apicbase
from kvmlab.processor.apicbase import DISABLED, EN, EXTD, INVALID, X2APIC, XAPIC
from kvmlab.processor.destination import ApicId, reaches
from kvmlab.processor.icr import ALL, OTHERS, SELF, Icr

IDS = st.integers(0, 0xFE)


@given(IDS, IDS, st.booleans())
def test_a_physical_destination_is_one_cpu(destination: int, apic: int, x2apic: bool) -> None:
    """It reaches exactly the local APIC with that ID."""
    icr, target = Icr(0x31, destination=destination), ApicId(apic, ldr=0xFF, x2apic=x2apic)
    assert reaches(icr, ApicId(0), target) == (destination == apic)


@given(IDS, IDS, st.integers(0, 0xFF), st.booleans())
def test_a_shorthand_overrules_the_destination(me: int, other: int, destination: int, logical: bool) -> None:
    """Self is the sender, all is everybody, all-but-self the rest."""
    sender, target = ApicId(me), ApicId(other)
    for shorthand, expected in ((SELF, me == other), (ALL, True), (OTHERS, me != other)):
        icr = Icr(0x31, logical=logical, shorthand=shorthand, destination=destination)
        assert reaches(icr, sender, target) == expected


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_a_logical_x2apic_id_names_one_cpu(one: int, other: int) -> None:
    """Cluster and bit follow from the ID, so that two IDs never share a logical one."""
    a, b = ApicId(one, x2apic=True), ApicId(other, x2apic=True)
    icr = Icr(0x31, logical=True, destination=a.logical)
    assert reaches(icr, a, b) == (one == other)
    assert a.logical == ((one & ~0xF) << 12 | 1 << (one & 0xF))


@given(st.integers(0, 14), st.integers(0, 14), st.integers(0, 15), st.integers(0, 15))
def test_a_cluster_is_left_alone_by_a_mask_for_another(c: int, d: int, mask: int, bits: int) -> None:
    """Cluster model: the clusters must be one, and the masks share a bit."""
    target = ApicId(1, ldr=d << 4 | bits, flat=False)
    icr = Icr(0x31, logical=True, destination=c << 4 | mask)
    assert reaches(icr, ApicId(0), target) == (c == d and bool(mask & bits))


@given(st.sampled_from((DISABLED, XAPIC, X2APIC)), st.integers(0, 2**36 - 1))
def test_the_mode_decides_about_a_write_and_nothing_else(mode: int, value: int) -> None:
    """Only enable and x2APIC bits count; what is written is what is read, or nothing has changed."""
    base = 0xFEE00900 & ~(EN | EXTD) | mode
    if (mode, apicbase.mode(value)) in apicbase.TRANSITIONS:
        assert apicbase.write(base, value) == value
    else:
        with pytest.raises(IllegalTransition, match="#GP: a local APIC cannot go from"):
            apicbase.write(base, value)


def test_nobody_ever_gets_into_the_invalid_mode() -> None:
    """No edge of the table leads there, and x2APIC is entered from xAPIC mode only."""
    assert not any(INVALID in edge for edge in apicbase.TRANSITIONS)
    assert {old for old, new in apicbase.TRANSITIONS if new == X2APIC} == {XAPIC, X2APIC}
