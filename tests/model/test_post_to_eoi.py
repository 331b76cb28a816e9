"""From a post to its EOI: the sync in software is the processor's own, and nothing is lost on the way."""

from collections import Counter

import pytest
from apic_bench import Bench, bench, notified
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.kvm.posted import SYNC
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.step import Step
from kvmlab.processor.apic_write import X2APIC_EOI, wrmsr
from kvmlab.processor.vectors import bit, members, top

SETS = st.sets(st.integers(16, 255), max_size=6).map(lambda found: sum(map(bit, found)))


def post(b: Bench, vector: int) -> None:
    """Set the vector's bit in PIR, and ON."""
    b.s[b.page.pir] |= bit(vector)
    b.s[b.page.on] = 1


def sync(b: Bench) -> None:
    """Take KVM's steps of sync_pir_to_irr."""
    vcpu = Vcpu(level=0, core=b.guest.core, cpu=b.guest.host, guests=(b.guest,))
    for step in SYNC.items:
        assert isinstance(step, Step)
        if step.fn(b.s, vcpu):
            return


def seen(b: Bench) -> tuple[int, ...]:
    """Return what both leave behind."""
    a = b.page
    return b.s[a.pir], b.s[a.on], b.s[a.virr], b.s[a.rvi]


@given(SETS, SETS, st.integers(0, 1))
def test_the_sync_is_the_processors_processing_in_software(pir: int, virr: int, on: int) -> None:
    """The same descriptor and page afterwards, if ON is set; without it KVM looks no further."""
    software, hardware = bench(), bench()
    for b in (software, hardware):
        b.s[b.page.pir], b.s[b.page.on] = pir, on
        b.s[b.page.virr], b.s[b.page.rvi] = virr, top(virr)
    sync(software)
    notified(hardware)
    assert seen(hardware) == (0, 0, virr | pir, top(virr | pir))
    assert seen(software) == (seen(hardware) if on else (pir, 0, virr, top(virr)))


def test_the_processor_evaluates_and_the_sync_does_not() -> None:
    """The one difference: software leaves the evaluation to the VM entry."""
    software, hardware = bench(), bench()
    for b in (software, hardware):
        post(b, 0x31)
    sync(software)
    notified(hardware)
    assert (software.s[software.page.recognised], hardware.s[hardware.page.recognised]) == (0, 1)
    software.enter()
    assert software.boundary() == hardware.boundary() == ["VIRTUAL_INTERRUPT"]


def test_a_sender_may_come_between_the_two_halves() -> None:
    """Posted behind ON := 0 and before the copy: the vector is taken along, and ON stays set."""
    b = bench()
    post(b, 0x31)
    b.s[b.guest.host.irr] = bit(0xF2)
    event = b.event()
    assert event is not None
    event.fn(b.s, b.guest)
    assert (b.s[b.page.on], b.s[b.guest.host.irr]) == (0, 0)
    post(b, 0x41)
    assert b.boundary() == ["POSTED.copy", "VIRTUAL_INTERRUPT", "VIRTUAL_INTERRUPT"]
    assert (b.s[b.page.pir], b.s[b.page.on]) == (0, 1)


def deliver(b: Bench) -> int:
    """Enter, let the handlers of everything pending begin and end; return how many ran."""
    b.enter()
    ran = 0
    while b.boundary() == ["VIRTUAL_INTERRUPT"]:
        ran += 1
        assert ran < 10
        wrmsr(b.s, b.guest, X2APIC_EOI, 0)
        b.s[b.guest.cpu.irq] = 1
    return ran


WHOLE = ("in_handler", "return_rip")


@pytest.mark.parametrize("between", [False, True], ids=["before the sync", "before the delivery"])
def test_two_posts_before_delivery_are_one_interrupt(between: bool) -> None:
    """K.13: one bit in PIR, or one bit in VIRR that is set already."""
    b = bench(guest=WHOLE)
    post(b, 0x31)
    if between:
        sync(b)
    post(b, 0x31)
    sync(b)
    assert deliver(b) == 1


def test_a_post_behind_the_delivery_is_a_second_interrupt() -> None:
    """K.13: VISR holds the first, VIRR the second."""
    b = bench(guest=WHOLE)
    post(b, 0x31)
    sync(b)
    b.enter()
    assert b.boundary() == ["VIRTUAL_INTERRUPT"]
    post(b, 0x31)
    sync(b)
    assert (b.s[b.page.visr], b.irr) == (bit(0x31), bit(0x31))
    wrmsr(b.s, b.guest, X2APIC_EOI, 0)
    b.s[b.guest.cpu.irq] = 1
    assert deliver(b) == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.sampled_from((0x31, 0x35, 0x40, 0x41, 0xEF))),
        st.tuples(st.sampled_from(("sync", "notify", "enter", "deliver", "eoi")), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_no_vector_is_lost_or_duplicated(steps: list[tuple[str, int]]) -> None:
    """Each vector: posted, not merged = delivered + still waiting; in service is what EOI has not ended."""
    b = bench(guest=WHOLE)
    posted: Counter[int] = Counter()
    delivered: Counter[int] = Counter()
    stack: list[int] = []

    def move() -> None:
        """What is pending already swallows its second."""
        posted.subtract(members(b.s[b.page.pir] & b.irr))

    for step, vector in steps:
        if step == "post":
            posted[vector] += not b.s[b.page.pir] & bit(vector)
            post(b, vector)
        elif step in ("sync", "notify"):
            move()
            (sync if step == "sync" else notified)(b)
        elif step == "enter":
            b.enter()
        elif step == "eoi":
            wrmsr(b.s, b.guest, X2APIC_EOI, 0)
            if stack:
                stack.pop()
        elif (event := b.event()) is not None:
            stack.append(b.s[b.page.rvi])
            delivered[stack[-1]] += 1
            event.fn(b.s, b.guest)
            b.s[b.guest.cpu.irq] = 1
        assert +posted == delivered + Counter(members(b.s[b.page.pir])) + Counter(members(b.irr))
        assert members(b.s[b.page.visr]) == stack and b.s[b.page.rvi] == top(b.irr)
