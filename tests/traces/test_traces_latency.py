"""Latency: equal to a plain count, exact where the trace proves it, and never better than it is."""

import pytest
import trace_counts as by_hand
from hypothesis import given
from hypothesis import strategies as st
from trace_events import LVTT, VECTOR, accepted, entered, injected, left, line, wrote

from kvmlab.traces import Lost, Who, events, facts, latency, names
from kvmlab.traces.latency import CYCLES
from kvmlab.traces.library import lines

START = [entered(0), wrote(1, 0x832, LVTT)]


def ways(trace, **more):
    """Return {(from, to): (samples, total, min, max)} of a trace."""
    return {(way.since, way.until): tuple(way.spread) for way in latency(trace, **more).ways}


@pytest.mark.parametrize("name", names())
def test_latencies_equal_an_independent_count(name):
    """By every definition, the numbers are those of a plain search through the lines."""
    expected, interval = by_hand.latency(lines(name))
    found = latency(events(lines(name)))
    assert {(way.since, way.until): tuple(way.spread) for way in found.ways} == expected
    if interval:
        low, high = interval
        assert [way.give_or_take for way in found.ways] == [0, (high - low + 1) // 2, 0]


@pytest.mark.parametrize("name", [name for name in names() if "tsc_hlt" in name])
def test_the_guest_agrees(name):
    """The guest's handler reads the TSC a little after KVM's measurement, in each of the 16 rounds."""
    told = [fact.split() for fact in facts(name) if "latency_tsc=" in fact]
    theirs = [int(words[1].split("=")[1]) for words in told]
    ours = [event.fields["delta"] for event in events(lines(name)) if event.name == "kvm_wait_lapic_expire"]
    assert len(ours) == len(theirs) == 16
    assert all(0 < their - our < 1000 for our, their in zip(ours, theirs, strict=True))


def test_each_definition_is_named():
    """KVM's own measurement counts first, then the proved offset, then the time since arming."""
    best = latency(events(lines("vmx_pt1_lab_tsc_hlt")))
    assert best.definition == "deadline to kvm_entry"
    assert [(way.since, way.unit) for way in best.ways] == [
        ("deadline", CYCLES),
        ("deadline", ""),
        ("arming", ""),
    ]
    poor = [event for event in events(lines("vmx_pt1_lab_tsc_hlt")) if event.name != "kvm_wait_lapic_expire"]
    assert latency(poor).definition == "arming to kvm_apicv_accept_irq"
    assert "the delay the guest asked for is contained" in latency(poor).text("ticks")
    assert latency([]).definition == ""


def test_a_round_begins_when_the_guest_leaves_to_arm_it():
    """At the exit, where exits are traced; else at the line of the write."""
    trace = [*START, left(10), wrote(15, 0x6E0, 99), entered(20), accepted(100), injected(110)]
    assert ways(trace) == {("arming", "kvm_inj_virq"): (1, 100, 100, 100)}
    bare = [event for event in trace if event.name not in ("kvm_exit", "kvm_entry")]
    assert ways([line(0, "kvm_hv_timer_state", vcpu_id=0, hv_timer_in_use=0), *bare]) == {
        ("arming", "kvm_inj_virq"): (1, 95, 95, 95)
    }


def test_a_deadline_in_the_past_is_delivered_before_its_own_line():
    """The acceptance between the exit and the kvm_msr belongs to the round that this write begins."""
    past = [
        left(10),
        accepted(12),
        accepted(13, name="kvm_apicv_accept_irq"),
        wrote(15, 0x6E0, 9),
        entered(20),
    ]
    found = latency([*START, *past])
    assert (found.armed, found.delivered) == (1, 1)
    assert ways([*START, *past]) == {("arming", "kvm_apicv_accept_irq"): (1, 3, 3, 3)}


def test_an_acceptance_during_another_write_belongs_to_the_round_before():
    """A timer that expires while KVM handles some other WRMSR is not lost, and keeps its time."""
    trace = [*START, left(10), wrote(15, 0x6E0, 99), entered(20), left(30), accepted(31), wrote(35, 0x10, 0)]
    assert ways([*trace, injected(40)]) == {("arming", "kvm_inj_virq"): (1, 30, 30, 30)}


def test_where_no_injection_is_traced_the_acceptance_counts():
    """It ends the round when the EOI, the next arming or the end of the trace comes first."""
    armed = [*START, wrote(10, 0x6E0, 99), accepted(100)]
    eoi = line(120, "kvm_eoi", apicid=0, vector=VECTOR)
    for after in ([eoi], [wrote(130, 0x6E0, 199)], []):
        assert ways([*armed, *after]) == {("arming", "kvm_apic_accept_irq"): (1, 90, 90, 90)}


@pytest.mark.parametrize(
    "other",
    [
        [accepted(50, vector=0x31), injected(51, vector=0x31)],
        [accepted(50, apicid=1), entered(60, pid=2, vcpu=1)],
        [
            line(
                49,
                "kvm_apic_ipi",
                dest_id=0,
                vec=VECTOR,
                delivery_mode="Fixed",
                dest_mode="physical",
                level="assert",
                trigger="edge",
                shorthand="self",
            ),
            accepted(50),
            accepted(51, name="kvm_apicv_accept_irq"),
        ],
    ],
    ids=["another vector", "another vCPU", "an IPI"],
)
def test_only_the_timers_own_interrupt_ends_a_round(other):
    """Another vector, another vCPU's APIC, the same vector sent as an IPI: none of them is the timer."""
    trace = [*START, wrote(10, 0x6E0, 99), *other, entered(70), accepted(100), injected(110)]
    assert ways(trace) == {("arming", "kvm_inj_virq"): (1, 100, 100, 100)}


def test_a_reinjected_interrupt_is_the_same_one():
    """What is injected again after an exit was delivered before."""
    once = [*START, wrote(10, 0x6E0, 99), accepted(20), injected(30), wrote(40, 0x6E0, 200), accepted(50)]
    assert ways([*once, injected(60, reinjected=True), injected(70)])["arming", "kvm_inj_virq"][0] == 2
    assert ways([*once, injected(60, reinjected=True), injected(70)])["arming", "kvm_inj_virq"][3] == 30


def test_disarming_and_other_modes_are_no_rounds():
    """A deadline of 0 disarms; in one-shot mode the register is dead; #GP changes nothing."""
    assert latency([*START, wrote(10, 0x6E0, 0), accepted(20), injected(30)]).armed == 0
    assert latency([entered(0), wrote(1, 0x832, 0xEF), wrote(10, 0x6E0, 99), accepted(20)]).armed == 0
    fault = line(10, "kvm_msr", rw="write", ecx=0x6E0, data=99, exception=True)
    assert latency([*START, fault, accepted(20)]).armed == 0


def test_a_vector_that_nobody_told_is_said_and_not_guessed():
    """A trace that begins after LVTT was written has no latencies, until the vector is given."""
    trace = [entered(0), wrote(10, 0x6E0, 99), accepted(100), injected(110)]
    assert (ways(trace), latency(trace).unknown) == ({}, 1)
    assert "say the vector" in latency(trace).text("ns")
    assert ways(trace, vector=VECTOR) == {("arming", "kvm_inj_virq"): (1, 100, 100, 100)}


def test_a_measurement_that_is_not_at_an_entry_does_not_pretend_to_be():
    """A timer that is posted is measured before that; the row is named after the line."""
    lone = [line(n, "kvm_wait_lapic_expire", vcpu_id=0, delta=7, when="late") for n in (50, 5000)]
    assert ways([*START, wrote(10, 0x6E0, 99), *lone]) == {
        ("deadline", "kvm_wait_lapic_expire"): (2, 14, 7, 7)
    }


def test_a_hole_ends_no_round():
    """What was armed before lost events may have fired in them."""
    assert ways([*START, wrote(10, 0x6E0, 99), Lost(0, 1, ""), accepted(100), injected(110)]) == {}


def test_two_vcpus_have_timers_of_their_own():
    """Interleaved rounds do not mix, and each row says whose it is."""
    other = [entered(2, pid=2, vcpu=1), wrote(3, 0x832, LVTT, pid=2), wrote(15, 0x6E0, 99, pid=2)]
    trace = [*START, *other, wrote(10, 0x6E0, 99), accepted(30, apicid=1, pid=2), injected(40, pid=2)]
    found = latency([*trace, accepted(50), injected(60)])
    assert {(way.vcpu, way.spread.total) for way in found.ways} == {(Who(1, 0), 50), (Who(2, 1), 25)}


ROUNDS = st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 300)), min_size=2, max_size=8)


def recorded(rounds, offset, rate=1):
    """Return a trace whose guest's TSC is `rate` * time + `offset`, and how late its interrupts really were.

    A round is how late KVM is, and how long it takes from its measurement to the line about it.
    """
    trace, late, now = list(START), [], 1000
    for lateness, writing in rounds:
        deadline = rate * (now + 100_000) + offset
        ready = now + 100_000 + lateness
        trace += [
            left(now),
            wrote(now + 5, 0x6E0, deadline),
            entered(now + 9),
            left(ready, "PREEMPTION_TIMER"),
        ]
        trace += [accepted(ready + 1), injected(ready + 2), entered(ready + 10)]
        delta = rate * (ready + 20) + offset - deadline
        when = "late" if delta >= 0 else "early"
        trace.append(line(ready + 20 + writing, "kvm_wait_lapic_expire", vcpu_id=0, delta=delta, when=when))
        late.append(lateness + 2)
        now = ready + 100_000
    return trace, late


@given(ROUNDS, st.integers(-(10**9), 10**9))
def test_the_truth_lies_in_what_is_claimed(rounds, offset):
    """However long KVM takes to write its line, the real latencies are within the stated uncertainty."""
    trace, late = recorded(rounds, 2 * 10**9 + offset)
    found = {way.until: way for way in latency(trace).ways if way.since == "deadline"}
    assert tuple(found["kvm_entry"].spread) == by_hand.spread([true + 18 for true in late])
    way, true = found["kvm_inj_virq"], by_hand.spread(late)
    assert abs(way.spread.min - true[2]) <= way.give_or_take
    assert abs(way.spread.max - true[3]) <= way.give_or_take


@given(ROUNDS)
def test_another_clock_proves_no_offset(rounds):
    """Where the trace's clock is not the TSC, nothing is claimed from the stamps."""
    trace, _ = recorded(rounds, 10**9, rate=3)
    assert [way.until for way in latency(trace).ways if way.since == "deadline"] == ["kvm_entry"]


def test_the_text_and_the_rows_say_the_same():
    """The table has the definition, the unit and the uncertainty of every row; JSON has the same numbers."""
    found = latency(events(lines("vmx_pt0_lab_tsc_hlt")))
    head, *table, foot = found.text("ticks").splitlines()
    assert head == "TSC-deadline timer: 16 armed, 16 delivered"
    assert foot == "latency is deadline to kvm_entry, measured by KVM; negative is early, and then KVM waits"
    assert [row.split() for row in table] == [
        "from to vcpu rounds min max mean unit +-".split(),
        "deadline kvm_entry 0 (pid 121) 16 10589 10635 10606.75 guest TSC cycles 0".split(),
        "deadline kvm_apicv_accept_irq 0 (pid 121) 16 8391 8437 8408.75 ticks 356".split(),
        "arming kvm_apicv_accept_irq 0 (pid 121) 16 207949 207995 207967.12 ticks 0".split(),
    ]
    row = found.row("ticks")
    assert [way["mean"] for way in row["ways"]] == [10606.75, 8408.75, 207967.125]
    assert row["ways"][1].keys() == {
        *("vcpu", "pid", "from", "to", "unit", "give_or_take"),
        *("samples", "total", "min", "max", "mean"),
    }
