"""Exits per interrupt, and interrupts without an EOI: plain counts, and nobody accused wrongly."""

import pytest
import trace_counts as by_hand
from hypothesis import given
from hypothesis import strategies as st
from trace_events import accepted, entered, eoi, injected, left, line

from kvmlab.traces import (
    Lost,
    Who,
    answers,
    events,
    format_answers,
    format_per_interrupt,
    names,
    per_interrupt,
)
from kvmlab.traces.library import lines


def costs(trace):
    """Return {vcpu: (delivered, spread of its own exits, spread of all)}."""
    return {
        row.vcpu.number: (row.delivered, row.own and tuple(row.own), row.all and tuple(row.all))
        for row in per_interrupt(trace)
    }


def state(trace):
    """Return the state of the only vector of the only vCPU."""
    (answer,) = answers(trace)
    return answer.state, answer.since


@pytest.mark.parametrize("name", names())
def test_exits_per_interrupt_equal_an_independent_count(name):
    """Between any two interrupts there are as many exits as a plain count between their lines finds."""
    assert costs(events(lines(name))) == by_hand.exits_per_interrupt(lines(name))


@pytest.mark.parametrize("name", names())
def test_answered_interrupts_equal_an_independent_count(name):
    """Acceptances and EOIs are counted as by hand, and answered means that an EOI comes last."""
    found = {
        (row.vcpu, row.vector): (row.accepted, row.eois, row.state == "answered", row.state == "virtualized")
        for row in answers(events(lines(name)))
    }
    assert found == by_hand.eois(lines(name))


def test_what_apicv_removes():
    """Three exits per interrupt sent to oneself without it, one with it: no window and no EOI."""
    (without,) = per_interrupt(events(lines("vmx_noapicv_lab_self_ipi")))
    (with_it,) = per_interrupt(events(lines("vmx_pt1_lab_self_ipi")))
    assert (without.own.mean, with_it.own.mean) == (3, 1)
    assert (without.by, with_it.by) == (("kvm_inj_virq",), ("kvm_apicv_accept_irq",))


def test_exits_of_the_sender_count_for_all_but_not_for_the_target():
    """An IPI costs its target some exits and its sender others."""
    target = [injected(1, pid=2), entered(2, pid=2, vcpu=1), left(3, "HLT", pid=2, vcpu=1)]
    sender = [left(4, pid=1), entered(5, pid=1)]
    again = [injected(6, pid=2), entered(7, pid=2, vcpu=1)]
    assert costs([*target, *sender, *again]) == {1: (2, (1, 1, 1, 1), (1, 2, 2, 2))}


def test_an_interrupt_again_or_softwares_own_is_no_interrupt():
    """What is reinjected was counted before; INT n is an instruction."""
    soft = line(3, "kvm_inj_virq", vector=0x80, soft=True)
    trace = [entered(0), injected(1), left(2), soft, injected(4, reinjected=True), entered(5), injected(9)]
    assert costs(trace) == {0: (2, (1, 1, 1, 1), (1, 1, 1, 1))}


def test_without_exits_in_the_trace_there_is_no_count_of_them():
    """Some real KVMs print no kvm_exit: then interrupts have no number of exits, not zero."""
    trace = [accepted(1), eoi(2), accepted(3), eoi(4)]
    assert costs(trace) == {0: (2, None, None)}
    assert format_per_interrupt(per_interrupt(trace)).splitlines()[1].split() == [
        *("0", "(pid", "1)", "kvm_apic_accept_irq", "2", "-", "-", "-", "-")
    ]


def test_a_gap_across_a_hole_is_not_counted():
    """Exits and interrupts may be among the lost events."""
    trace = [entered(0), injected(1), left(2), Lost(0, 5, ""), entered(3), injected(4), left(5), injected(6)]
    assert costs(trace) == {0: (3, (1, 1, 1, 1), (1, 1, 1, 1))}


def test_a_target_that_was_never_met_is_known_by_its_number():
    """An interrupt for a vCPU that does not speak is counted, and said to be for one never met."""
    (row,) = per_interrupt([left(0), accepted(1, apicid=7)])
    assert (row.vcpu, row.vcpu.label, row.delivered) == (Who(None, 7), "7 (never met)", 1)


def test_targets_with_the_same_number_in_two_machines_are_not_mixed():
    """Each machine's vCPU 0 accepts its own interrupts."""
    trace = [entered(0, pid=1), entered(1, pid=2), accepted(2, pid=1), accepted(3, pid=2), accepted(4, pid=2)]
    assert {row.vcpu: row.delivered for row in per_interrupt(trace)} == {Who(1, 0): 1, Who(2, 0): 2}


def test_two_vcpus_in_one_thread_are_told_apart():
    """A simulation may run all its vCPUs in one thread; the number that was said last counts."""
    trace = [entered(0, vcpu=0), injected(1), entered(2, vcpu=1), injected(3), left(4, vcpu=1), injected(5)]
    assert {row.vcpu: row.delivered for row in per_interrupt(trace)} == {Who(1, 0): 1, Who(1, 1): 2}


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ([entered(0), accepted(1), injected(2), eoi(3)], ("answered", None)),
        ([entered(0), accepted(1), injected(2)], ("in service", 2)),
        ([entered(0), accepted(1), injected(2), eoi(3), accepted(4)], ("waiting", 4)),
        ([accepted(1), eoi(2), accepted(3)], ("unanswered", 3)),
        ([accepted(1), eoi(2, name="kvm_pv_eoi")], ("answered", None)),
        ([accepted(1), accepted(2)], ("not traced", None)),
        ([accepted(1), accepted(1, name="kvm_apicv_accept_irq")], ("virtualized", None)),
        ([accepted(1), eoi(2), accepted(3), Lost(0, 1, "")], ("answered", None)),
    ],
)
def test_the_last_interrupt_of_a_vector_has_a_state(trace, expected):
    """Answered, waiting in IRR, in service in ISR, or one of the ways in which EOIs are not traced."""
    assert state(trace) == expected


def test_two_acceptances_of_one_bit_are_answered_by_one_eoi():
    """IRR has one bit per vector: what is accepted twice before it is injected is one interrupt."""
    assert state([entered(0), accepted(1), accepted(2), injected(3), eoi(4)]) == ("answered", None)


def test_an_acceptance_while_in_service_is_another_interrupt():
    """The EOI of the first does not answer the second, which waits since its own acceptance."""
    assert state([entered(0), accepted(1), injected(2), accepted(3), eoi(4)]) == ("waiting", 3)


def test_an_eoi_for_nothing_answers_nothing():
    """Some KVMs print each EOI twice, the second with vector -1; it is no EOI of an interrupt."""
    (answer,) = answers([accepted(1), eoi(2), eoi(3, vector=-1), accepted(4), eoi(5, vector=-1)])
    assert (answer.eois, answer.state, answer.since) == (1, "unanswered", 4)


def test_an_injection_before_the_vcpu_told_its_number_is_kept():
    """The first line of a vCPU may be its kvm_inj_virq, which prints no number."""
    (answer,) = answers([accepted(1, apicid=1), injected(2, pid=2), entered(3, pid=2, vcpu=1)])
    assert (answer.vcpu, answer.injected, answer.state) == (1, 1, "in service")


def test_apicv_is_not_accused():
    """No EOI is traced where the CPU takes them itself, and the text says so."""
    text = format_answers(answers(events(lines("vmx_pt1_lab_self_ipi"))))
    assert "EOIs are virtualized here, not traced" in text
    assert not any(answer.open for answer in answers(events(lines("vmx_pt1_lab_self_ipi"))))


def test_the_texts_have_a_line_per_vcpu():
    """Tables as on the command line; nothing found is said in words."""
    trace = list(events(lines("vmx_noapicv_lab_self_ipi")))
    assert format_per_interrupt(per_interrupt(trace)).splitlines() == [
        "exits per interrupt: vcpu  delivered by  interrupts  mean  min  max  all vcpus' mean",
        "0 (pid 129)                kvm_inj_virq          16     3    3    3                3",
    ]
    assert format_answers(answers(trace)).splitlines() == [
        "interrupts: vcpu  vector  accepted  injected  eois                    since",
        "0                   0xef        16        16    16  each got its EOI      -",
    ]
    assert format_per_interrupt([]) == "exits per interrupt: no interrupts"
    assert format_answers([]) == "interrupts: none accepted"


STEPS = st.lists(st.sampled_from(["accept", "inject", "eoi"]), max_size=30)


@given(STEPS)
def test_irr_and_isr_are_kept_as_the_apic_keeps_them(steps):
    """Any legal sequence of acceptances, injections and EOIs leaves the two bits that an APIC would have."""
    irr = isr = False
    trace = [entered(0), *(event for n in (1, 3, 5) for event in (left(n), entered(n + 1)))]
    trace += [
        accepted(7, vector=0x31),
        injected(8, vector=0x31),
        eoi(9, vector=0x31),
    ]  # All kinds are traced.
    for time, step in enumerate(steps, 10):
        if step == "accept":
            irr = True
            trace.append(accepted(time))
        elif step == "inject" and irr and not isr:
            irr, isr = False, True
            trace.append(injected(time))
        elif step == "eoi" and isr:
            isr = False
            trace.append(eoi(time))
    found = [answer.state for answer in answers(trace) if answer.vector == 0xEF]
    expected = "in service" if isr else "waiting" if irr else "answered"
    assert found == ([expected] if any(event.fields.get("vec") == 0xEF for event in trace) else [])
