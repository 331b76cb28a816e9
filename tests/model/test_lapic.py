"""The local APIC in software: acceptance, trigger, priority by class, in-service, EOI and its broadcast."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import BadInput, ModelError
from kvmlab.machine.state import Layout
from kvmlab.processor import lapic
from kvmlab.processor.records import Cpu
from kvmlab.processor.vectors import bit, members

VECTORS = st.integers(16, 255)


def fresh(*cells: str) -> tuple[list[int], Cpu]:
    """Return a CPU with nothing pending, and its state; ``cells`` are the optional ones it has."""
    layout = Layout()
    cpu = layout.record(Cpu, "cpu", **{name: layout.add(f"cpu.{name}") for name in cells})
    return list(layout.start()), cpu


@given(st.lists(VECTORS, min_size=1))
def test_interrupts_are_served_highest_first_and_each_once(vectors: list[int]) -> None:
    """Accept, acknowledge, EOI in turn: every vector once, highest first; equal ones are merged."""
    s, cpu = fresh()
    for vector in vectors:
        lapic.accept(s, cpu, vector)
    for vector in sorted(set(vectors), reverse=True):
        assert lapic.deliverable(s, cpu)
        assert lapic.acknowledge(s, cpu) == lapic.end_of_interrupt(s, cpu) == vector
    assert not lapic.deliverable(s, cpu)


@given(VECTORS, VECTORS)
def test_only_a_higher_class_interrupts_a_handler(serving: int, pending: int) -> None:
    """While one vector is in service another gets through if its bits 7:4 are greater."""
    s, cpu = fresh()
    lapic.accept(s, cpu, serving)
    lapic.acknowledge(s, cpu)
    lapic.accept(s, cpu, pending)
    assert lapic.deliverable(s, cpu) == (pending >> 4 > serving >> 4)


@given(VECTORS, st.integers(0, 15))
def test_only_a_class_above_the_task_priority_gets_through(vector: int, cr8: int) -> None:
    """TPR holds back its own class and all below; CR8 reads back what was written."""
    s, cpu = fresh("tpr")
    lapic.write_cr8(s, cpu, cr8)
    lapic.accept(s, cpu, vector)
    assert lapic.deliverable(s, cpu) == (vector >> 4 > cr8)
    assert (lapic.read_cr8(s, cpu), lapic.task_priority(s, cpu)) == (cr8, cr8 << 4)


@given(VECTORS)
def test_irr_and_isr_hold_two_of_one_vector(vector: int) -> None:
    """One in service and one pending; a third is merged with the pending one."""
    s, cpu = fresh()
    lapic.accept(s, cpu, vector)
    lapic.acknowledge(s, cpu)
    for _ in range(2):
        lapic.accept(s, cpu, vector)
    assert (s[cpu.irr], s[cpu.isr]) == (bit(vector), bit(vector))


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), st.sampled_from((0x31, 0x35, 0x40, 0x41, 0xEF))),
        st.tuples(st.sampled_from(("dispatch", "eoi")), st.just(0)),
        st.tuples(st.just("tpr"), st.sampled_from((0x00, 0x35, 0x40, 0xF0))),
    ),
    max_size=60,
)


@given(OPERATIONS)
def test_no_vector_is_lost_or_duplicated(operations: list[tuple[str, int]]) -> None:
    """Each vector: accepted and not merged = dispatched + pending; dispatched = ended + in service.

    And what interrupts what is in service is always of a higher class, so EOI ends the last one begun.
    """
    s, cpu = fresh("tpr")
    accepted: Counter[int] = Counter()
    dispatched: Counter[int] = Counter()
    stack: list[int] = []
    for operation, value in operations:
        if operation == "accept":
            accepted[value] += not s[cpu.irr] & bit(value)
            lapic.accept(s, cpu, value)
        elif operation == "tpr":
            lapic.write_tpr(s, cpu, value)
        elif operation == "eoi":
            assert lapic.end_of_interrupt(s, cpu) == (stack.pop() if stack else -1)
        elif lapic.deliverable(s, cpu):
            stack.append(lapic.acknowledge(s, cpu))
            dispatched[stack[-1]] += 1
        assert accepted == dispatched + Counter(members(s[cpu.irr]))
        assert members(s[cpu.isr]) == stack and len({v >> 4 for v in stack}) == len(stack)


@given(st.lists(st.tuples(VECTORS, st.booleans()), min_size=1))
def test_an_eoi_is_broadcast_for_level_triggered_vectors(sent: list[tuple[int, bool]]) -> None:
    """TMR remembers how each vector was accepted last; its EOI goes to the I/O APICs if that was by level."""
    s, cpu = fresh("tmr")
    for vector, level in sent:
        lapic.accept(s, cpu, vector, level=level)
    for vector, level in sorted(dict(sent).items(), reverse=True):
        assert lapic.acknowledge(s, cpu) == lapic.end_of_interrupt(s, cpu) == vector
        assert lapic.is_broadcast(s, cpu, vector) == level


def test_an_eoi_without_an_interrupt_changes_nothing() -> None:
    """EOI with an empty ISR is ignored."""
    s, cpu = fresh()
    assert lapic.end_of_interrupt(s, cpu) == -1
    assert s == fresh()[0]


@pytest.mark.parametrize("vector", [-1, 0, 2, 15, 256])
def test_an_illegal_vector_is_refused(vector: int) -> None:
    """Vectors 0 to 15 are no interrupts; nothing changes."""
    s, cpu = fresh()
    with pytest.raises(BadInput, match="illegal: fixed interrupts have 0x10 to 0xff"):
        lapic.accept(s, cpu, vector)
    assert s == fresh()[0]


def test_what_has_no_cell_cannot_be_used() -> None:
    """A level-triggered vector needs a TMR, a task priority a TPR; without a TMR no EOI is broadcast."""
    s, cpu = fresh()
    with pytest.raises(ModelError, match="no TMR"):
        lapic.accept(s, cpu, 0x31, level=True)
    with pytest.raises(ModelError, match="no TPR"):
        lapic.write_tpr(s, cpu, 0)
    assert not lapic.is_broadcast(s, cpu, 0x31)


@given(st.sets(st.integers(0, 255)))
def test_a_set_of_vectors_reads_back(vectors: set[int]) -> None:
    """A bitmap holds exactly the vectors put in."""
    assert members(sum(map(bit, vectors))) == sorted(vectors)
