"""The local APIC in software: acceptance, priority by class, in-service, EOI."""

from hypothesis import given
from hypothesis import strategies as st

from kvmlab.machine.state import Layout
from kvmlab.processor import lapic
from kvmlab.processor.records import Cpu
from kvmlab.processor.vectors import bit, members

VECTORS = st.integers(16, 255)


def fresh() -> tuple[list[int], Cpu]:
    """Return a CPU with nothing pending, and its state."""
    layout = Layout()
    cpu = layout.record(Cpu, "cpu")
    return list(layout.start()), cpu


@given(st.lists(VECTORS, min_size=1))
def test_interrupts_are_served_highest_first_and_each_once(vectors: list[int]) -> None:
    """Accept, acknowledge, EOI in turn: every vector once, highest first; equal ones are merged."""
    s, cpu = fresh()
    for vector in vectors:
        lapic.accept(s, cpu, vector)
    served = []
    while lapic.deliverable(s, cpu):
        served.append(lapic.acknowledge(s, cpu))
        assert lapic.end_of_interrupt(s, cpu) == served[-1]
    assert served == sorted(set(vectors), reverse=True)


@given(VECTORS, VECTORS)
def test_only_a_higher_class_interrupts_a_handler(serving: int, pending: int) -> None:
    """While one vector is in service another gets through if its bits 7:4 are greater."""
    s, cpu = fresh()
    lapic.accept(s, cpu, serving)
    lapic.acknowledge(s, cpu)
    lapic.accept(s, cpu, pending)
    assert lapic.deliverable(s, cpu) == (pending >> 4 > serving >> 4)


@given(VECTORS)
def test_irr_and_isr_hold_two_of_one_vector(vector: int) -> None:
    """One in service and one pending; a third is merged with the pending one."""
    s, cpu = fresh()
    lapic.accept(s, cpu, vector)
    lapic.acknowledge(s, cpu)
    for _ in range(2):
        lapic.accept(s, cpu, vector)
    assert (s[cpu.irr], s[cpu.isr]) == (bit(vector), bit(vector))


def test_an_eoi_without_an_interrupt_changes_nothing() -> None:
    """EOI with an empty ISR is ignored."""
    s, cpu = fresh()
    assert lapic.end_of_interrupt(s, cpu) == -1
    assert s == fresh()[0]


@given(st.sets(st.integers(0, 255)))
def test_a_set_of_vectors_reads_back(vectors: set[int]) -> None:
    """A bitmap holds exactly the vectors put in."""
    assert members(sum(map(bit, vectors))) == sorted(vectors)
