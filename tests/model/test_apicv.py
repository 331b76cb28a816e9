"""APICv: when virtual interrupts are evaluated, when they are delivered, and what a guest's writes do."""

from collections.abc import Callable

import pytest
from apic_bench import Bench, bench, notified, pending
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import ModelError
from kvmlab.processor import apic_write, apicv, entry, shadow
from kvmlab.processor.apic_write import X2APIC_EOI, X2APIC_SELF_IPI, X2APIC_TPR, wrmsr
from kvmlab.processor.boundary import APICV_EVENTS
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING
from kvmlab.processor.records import ACTIVE, HLT, handler
from kvmlab.processor.vectors import bit

WHOLE = ("in_handler", "return_rip", "shadow")
"""A guest whose handler is a path of its own: delivery and EOI are apart."""
STORED = ("vtpr", "svi", "vppr")


def enter(b: Bench) -> None:
    """VM entry."""
    b.enter()


def tpr(b: Bench) -> None:
    """TPR virtualization."""
    apic_write.write_tpr(b.s, b.guest, 0)


def eoi(b: Bench) -> None:
    """EOI virtualization."""
    apic_write.write_eoi(b.s, b.guest)


def self_ipi(b: Bench) -> None:
    """Self-IPI virtualization of a lower vector."""
    apicv.self_ipi(b.s, b.guest, 0x21)


def posted(b: Bench) -> None:
    """Posted-interrupt processing of an empty PIR."""
    notified(b)


EVALUATIONS = (enter, tpr, eoi, self_ipi, posted)


def test_rvi_written_later_waits_for_an_evaluation() -> None:
    """K.6: nothing that the guest does between two evaluations finds it."""
    b = bench(page=("vtpr",))
    b.enter()
    pending(b, 0x31)
    assert b.run(lambda s, g: entry.retire(s, g), lambda s, g: shadow.lift(s, g)) == [[], []]


@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_each_evaluation_finds_it(evaluation: Callable[[Bench], None]) -> None:
    """K.6: the five events that evaluate, and the interrupt is delivered behind them."""
    b = bench(page=("vtpr",))
    b.enter()
    pending(b, 0x31)
    evaluation(b)
    assert b.event() is not None and b.boundary()[0] == "VIRTUAL_INTERRUPT"


@pytest.mark.parametrize("evaluation", EVALUATIONS)
@pytest.mark.parametrize(("rvi", "vtpr", "found"), [(0x40, 0x3F, 1), (0x3F, 0x30, 0), (0x31, 0xF0, 0)])
def test_recognition_compares_classes(
    evaluation: Callable[[Bench], None], rvi: int, vtpr: int, found: int
) -> None:
    """RVI's class must be above VPPR's, wherever it is evaluated (a write of TPR brings its own)."""
    b = bench(page=("vtpr",))
    assert b.page.vtpr is not None
    b.s[b.page.vtpr] = vtpr
    b.enter()
    pending(b, rvi)
    if evaluation is tpr:
        apic_write.write_tpr(b.s, b.guest, vtpr)
    else:
        evaluation(b)
    assert b.s[b.page.recognised] == found


@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_nothing_is_recognised_while_a_window_is_asked_for(evaluation: Callable[[Bench], None]) -> None:
    """Interrupt-window exiting switches recognition off; the window itself opens."""
    b = bench(page=("vtpr",))
    b.s[b.guest.vmcs.proc] = INTERRUPT_WINDOW_EXITING
    pending(b, 0x31)
    evaluation(b)
    assert b.s[b.page.recognised] == 0
    assert b.boundary() == ["EXIT.INTERRUPT_WINDOW"]


def _if(b: Bench) -> None:
    b.s[b.guest.cpu.irq] = 0


def _sti(b: Bench) -> None:
    b.s[b.guest.cpu.irq] = 0
    shadow.sti(b.s, b.guest)


def _mov_ss(b: Bench) -> None:
    shadow.mov_ss(b.s, b.guest)


def _window(b: Bench) -> None:
    b.s[b.guest.vmcs.proc] = INTERRUPT_WINDOW_EXITING


@pytest.mark.parametrize("close", [_if, _sti, _mov_ss, _window])
def test_each_condition_alone_holds_delivery_back(close: Callable[[Bench], None]) -> None:
    """IF=1, no STI shadow, no MOV SS shadow, no window exiting: each of the four is needed."""
    b, delivery = bench(), APICV_EVENTS["VIRTUAL_INTERRUPT"].when
    assert delivery is not None
    pending(b, 0x31)
    b.enter()
    assert delivery(b.s, b.guest)
    close(b)
    assert not delivery(b.s, b.guest)


@pytest.mark.parametrize("cast", [_sti, _mov_ss])
def test_a_shadow_lasts_one_instruction(cast: Callable[[Bench], None]) -> None:
    """Behind the instruction in the shadow the interrupt is delivered."""
    b = bench()
    pending(b, 0x31)
    b.enter()
    cast(b)
    assert b.run(lambda s, g: None, lambda s, g: entry.retire(s, g)) == [[], ["VIRTUAL_INTERRUPT"]]


def test_an_sti_that_changes_nothing_casts_no_shadow() -> None:
    """With IF=1 before, the next boundary is open."""
    b = bench()
    shadow.sti(b.s, b.guest)
    assert not shadow.blocked(b.s, b.guest)
    without = bench(guest=())
    with pytest.raises(ModelError, match="no cell for the shadow"):
        shadow.mov_ss(without.s, without.guest)


@pytest.mark.parametrize("stored", [(), STORED])
def test_delivery_moves_rvi_into_service(stored: tuple[str, ...]) -> None:
    """VISR, SVI, VPPR say the vector; VIRR loses it; RVI is the next; recognition ceases; IDT."""
    b = bench(guest=WHOLE, page=stored)
    pending(b, 0x31, 0x45)
    b.enter()
    assert b.boundary() == ["VIRTUAL_INTERRUPT"]
    a = b.page
    assert (b.s[a.visr], b.s[a.virr], b.s[a.rvi], b.s[a.recognised]) == (bit(0x45), bit(0x31), 0x31, 0)
    assert (apicv.serving(b.s, a), apicv.processor_priority(b.s, a)) == (0x45, 0x40)
    assert (b.s[b.guest.rip], b.s[b.guest.cpu.irq]) == (handler(0x45), 0)
    assert apicv.interrupt_status(b.s, a) == 0x4531


@pytest.mark.parametrize("evaluation", [enter, posted])
@pytest.mark.parametrize(("vector", "enabled"), [(0x31, 1), (0x31, 0), (0x21, 1), (0, 1)])
def test_only_a_delivered_interrupt_wakes_a_halted_guest(
    evaluation: Callable[[Bench], None], vector: int, enabled: int
) -> None:
    """Delivery ends HLT; processing a notification alone, or what IF or the priority masks, does not."""
    b = bench(guest=(*WHOLE, "activity"), page=("vtpr",))
    assert b.guest.activity is not None and b.page.vtpr is not None
    b.s[b.guest.activity], b.s[b.guest.cpu.irq], b.s[b.page.vtpr] = HLT, enabled, 0x20
    if vector:
        pending(b, vector)
    evaluation(b)
    b.boundary()
    assert b.s[b.guest.activity] == (ACTIVE if enabled and vector == 0x31 else HLT)


@pytest.mark.parametrize(
    ("evaluation", "vppr"), [(enter, 0x50), (tpr, 0x50), (eoi, 0x40), (self_ipi, 0), (posted, 0)]
)
def test_vppr_follows_only_entry_tpr_and_eoi(evaluation: Callable[[Bench], None], vppr: int) -> None:
    """Software that writes SVI into the page changes no priority before one of the three."""
    b = bench(page=STORED)
    assert b.page.svi is not None and b.page.vppr is not None
    b.enter()
    b.s[b.page.svi], b.s[b.page.visr] = 0x51, bit(0x51) | bit(0x41)
    evaluation(b)
    assert b.s[b.page.vppr] == vppr


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.sampled_from((0x31, 0x35, 0x40, 0x41, 0xEF))),
        st.tuples(st.just("self_ipi"), st.sampled_from((0x31, 0x40, 0xEF))),
        st.tuples(st.just("tpr"), st.sampled_from((0x00, 0x35, 0x40, 0xF0))),
        st.tuples(st.sampled_from(("sync", "enter", "eoi", "sti", "cli")), st.just(0)),
    ),
    max_size=50,
)


def take(b: Bench, step: str, value: int) -> list[str]:
    """Do one thing in the guest or to it; return what happens at the boundary."""
    a = b.page
    if step == "post":
        b.s[a.pir] |= bit(value)
    elif step == "sync":
        vectors, b.s[a.pir] = b.s[a.pir], 0
        apicv.raise_rvi(b.s, a, vectors)
    elif step == "enter":
        b.enter()
    elif step in ("sti", "cli"):
        b.s[b.guest.cpu.irq] = int(step == "sti")
    else:
        msr = {"self_ipi": X2APIC_SELF_IPI, "tpr": X2APIC_TPR, "eoi": X2APIC_EOI}[step]
        wrmsr(b.s, b.guest, msr, value)
    return b.boundary()


@given(STEPS)
def test_what_is_stored_is_what_would_be_computed(steps: list[tuple[str, int]]) -> None:
    """As long as only the processor writes them, SVI and VPPR follow from VISR and VTPR."""
    stored, computed = bench(guest=WHOLE, page=STORED), bench(guest=WHOLE, page=("vtpr",))
    for step, value in steps:
        assert take(stored, step, value) == take(computed, step, value)
        for b in (stored, computed):
            assert apicv.interrupt_status(b.s, b.page) >> 8 == apicv.serving(computed.s, computed.page)
        assert stored.irr == computed.irr and stored.s[stored.page.rvi] == computed.s[computed.page.rvi]
