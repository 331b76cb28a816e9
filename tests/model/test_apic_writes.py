"""A guest writes its local APIC: what APICv does itself, and which exit takes what it does not."""

import pytest
from apic_bench import bench, pending
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import IllegalTransition, ModelError
from kvmlab.processor import apic_write, apicv
from kvmlab.processor.apic_write import X2APIC_EOI, X2APIC_ICR, X2APIC_SELF_IPI, X2APIC_TPR, store, wrmsr
from kvmlab.processor.exits import NONE, Exit
from kvmlab.processor.vectors import bit

WHOLE = ("in_handler", "return_rip", "shadow")
STORED = ("vtpr", "svi", "vppr")


@given(st.integers(16, 255), st.integers(0, 255))
def test_without_virtual_interrupt_delivery_tpr_exits_below_its_threshold(vector: int, value: int) -> None:
    """Exit 43 behind the write if the class is below the threshold, and no evaluation at all."""
    b = bench(page=("vtpr", "threshold"), delivery=False)
    assert b.page.vtpr is not None and b.page.threshold is not None
    pending(b, vector)
    b.s[b.page.threshold] = 5
    b.enter()
    apic_write.mov_to_cr8(b.s, b.guest, value >> 4)
    assert b.s[b.page.vtpr] == value & 0xF0
    assert b.exit == (Exit.TPR_BELOW_THRESHOLD if value >> 4 < 5 else NONE)
    assert b.s[b.page.recognised] == 0


def test_with_virtual_interrupt_delivery_the_threshold_is_not_asked() -> None:
    """A lower TPR delivers instead of leaving."""
    b = bench(page=("vtpr", "threshold"))
    assert b.page.threshold is not None and b.page.vtpr is not None
    b.s[b.page.threshold], b.s[b.page.vtpr] = 15, 0xF0
    pending(b, 0x31)
    b.enter()
    assert b.run(lambda s, g: wrmsr(s, g, X2APIC_TPR, 0)) == [["VIRTUAL_INTERRUPT"]]


@pytest.mark.parametrize("other", [0x31, 0x51])
def test_an_eoi_exit_comes_before_any_evaluation(other: int) -> None:
    """K.8: exit 45, trap-like: the vector is out of service; what waits is looked at by the next entry."""
    b = bench(guest=WHOLE, page=("eoi_exit", *STORED))
    assert b.page.eoi_exit is not None
    b.s[b.page.eoi_exit] = bit(0x41)
    pending(b, 0x41)
    b.enter()
    assert b.boundary() == ["VIRTUAL_INTERRUPT"]
    pending(b, other)
    b.s[b.guest.cpu.irq] = 1
    wrmsr(b.s, b.guest, X2APIC_EOI, 0)
    assert b.exit == Exit.EOI_INDUCED
    assert (b.s[b.page.visr], apicv.serving(b.s, b.page), b.s[b.page.recognised]) == (0, 0, 0)
    b.enter()
    assert b.boundary() == ["VIRTUAL_INTERRUPT"]


def test_the_eoi_of_another_vector_does_not_exit() -> None:
    """Only the bit of the vector that ends counts; the one below goes on being in service."""
    b = bench(guest=WHOLE, page=("eoi_exit",))
    assert b.page.eoi_exit is not None
    b.s[b.page.eoi_exit] = bit(0x31)
    for vector in (0x31, 0x41):
        pending(b, vector)
        b.enter()
        b.s[b.guest.cpu.irq] = 1
        assert b.boundary() == ["VIRTUAL_INTERRUPT"]
    wrmsr(b.s, b.guest, X2APIC_EOI, 0)
    assert (b.exit, b.s[b.page.visr]) == (NONE, bit(0x31))
    wrmsr(b.s, b.guest, X2APIC_EOI, 0)
    assert (b.exit, b.s[b.page.visr]) == (Exit.EOI_INDUCED, 0)


@pytest.mark.parametrize("vector", [0, 2, 15])
def test_a_self_ipi_with_an_illegal_vector_is_softwares(vector: int) -> None:
    """SELF_IPI with bits 7:4 clear: exit 56 behind the write, nothing pending."""
    b = bench()
    wrmsr(b.s, b.guest, X2APIC_SELF_IPI, vector)
    assert (b.exit, b.irr) == (Exit.APIC_WRITE, 0)


def test_self_ipi_has_a_vector_and_nothing_else() -> None:
    """A bit above it is #GP, and nothing changes."""
    b = bench()
    before = list(b.s)
    with pytest.raises(IllegalTransition, match="#GP"):
        wrmsr(b.s, b.guest, X2APIC_SELF_IPI, 0x131)
    assert b.s == before


@pytest.mark.parametrize(
    ("offset", "value", "delivered"),
    [
        (0x300, 0x40031, True),
        (0x300, 0x44831, True),
        (0x300, 0x4000F, False),
        (0x300, 0x48031, False),
        (0x300, 0x40431, False),
        (0x300, 0x80031, False),
        (0x300, 0x00031, False),
        (0x300, 0x41031, False),
        (0x310, 0x31, False),
        (0x320, 0x31, False),
    ],
)
def test_what_a_write_of_the_xapic_page_does(offset: int, value: int, delivered: bool) -> None:
    """A plain self-IPI is virtualized; any other command, and any other register, is an APIC-write exit."""
    b = bench()
    assert b.run(lambda s, g: store(s, g, offset, value)) == [["VIRTUAL_INTERRUPT"] if delivered else []]
    assert b.exit == (NONE if delivered else Exit.APIC_WRITE)


@pytest.mark.parametrize("msr", [X2APIC_TPR, X2APIC_EOI, X2APIC_ICR, X2APIC_SELF_IPI])
def test_what_the_bitmap_does_not_pass_exits_before_the_write(msr: int) -> None:
    """MSR_WRITE, with the register and the value for KVM; the page is as it was."""
    b = bench(guest=("msr", "value"), page=("vtpr",), passed=frozenset())
    pending(b, 0x31)
    wrmsr(b.s, b.guest, msr, 0x31)
    assert b.guest.msr is not None and b.guest.value is not None and b.page.vtpr is not None
    assert (b.exit, b.s[b.guest.msr], b.s[b.guest.value]) == (Exit.MSR_WRITE, msr, 0x31)
    assert (b.irr, b.s[b.page.visr], b.s[b.page.vtpr]) == (bit(0x31), 0, 0)


def test_icr_is_not_virtualized_by_apicv() -> None:
    """KVM passes three registers, ICR is not one of them; passing it is an error of the model."""
    b = bench()
    wrmsr(b.s, b.guest, X2APIC_ICR, 0x40031)
    assert b.exit == Exit.MSR_WRITE
    with pytest.raises(ModelError, match="0x830 is passed through, but nobody virtualizes it"):
        wrmsr(b.s, bench(passed=frozenset({X2APIC_ICR})).guest, X2APIC_ICR, 0x40031)
    with pytest.raises(ModelError, match="no VTPR"):
        wrmsr(b.s, bench().guest, X2APIC_TPR, 0)
