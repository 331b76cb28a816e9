"""Levels and the hardware's alarm: plain counts, and what is not traced is not claimed."""

import pytest
import trace_counts as by_hand
from hypothesis import given
from hypothesis import strategies as st
from trace_events import entered, hv_timer, into_l2, left, left_l2, line, reflected

from kvmlab.traces import Lost, events, format_hv_timer, levels, names, stretches
from kvmlab.traces import hv_timer as alarms
from kvmlab.traces.levels import KEPT
from kvmlab.traces.library import lines

LAP = [entered(10), left(20), entered(30), left(40, "VMRESUME")]
NESTED = [*LAP, into_l2(45), entered(50), left(60), left_l2(61), entered(65), left(75, "VMCALL")]
ROUND = [*NESTED, left_l2(76, "VMCALL"), reflected(80), entered(85), left(95)]


def seen(trace):
    """Return (level, begin, end, exits, running) of each stretch."""
    return [(s.level, s.begin, s.end, s.exits, s.running) for s in stretches(trace)]


@pytest.mark.parametrize("name", names())
def test_levels_equal_an_independent_count(name):
    """Exits and time of each level, L0's rest, and what was reflected, are those of a plain count."""
    both, l0, told, borders = by_hand.levels(lines(name))
    found = levels(events(lines(name)))
    assert {n: (level.exits, level.running) for n, level in enumerate(found.sums, 1)} == both
    assert (found.l0, found.unannounced) == (l0, 0)
    assert [stretch.left_by for stretch in found.stretches if stretch.left_by] == told
    begin = [stretch.begin for stretch in found.stretches]
    assert begin == sorted({begin[0], *borders})


def test_l2_lasts_until_an_exit_is_reflected():
    """An exit that L0 handles itself (kvm_nested_vmexit and no more) leaves the vCPU on L2."""
    assert seen(ROUND) == [(1, 10, 45, 2, 20), (2, 45, 80, 2, 20), (1, 80, 95, 1, 10)]
    assert [stretch.left_by for stretch in stretches(ROUND)] == ["", "VMCALL", ""]


def test_a_trace_may_begin_on_l2():
    """What comes before the first event of nested virtualization is told by it."""
    assert seen(ROUND[5:]) == [(2, 50, 80, 2, 20), (1, 80, 95, 1, 10)]
    assert seen([reflected(5), entered(6), left(8)]) == [(2, 5, 5, 0, 0), (1, 5, 8, 1, 2)]


def test_without_the_way_in_l2_begins_at_the_entry_it_leaves_by():
    """VMX before 6.1 traces no kvm_nested_vmenter: the first kvm_nested_vmexit tells."""
    assert seen([event for event in ROUND if event.name != "kvm_nested_vmenter"]) == [
        *[(1, 10, 50, 2, 20), (2, 50, 80, 2, 20), (1, 80, 95, 1, 10)]
    ]


def test_without_nested_events_all_is_l1():
    """One level needs no evidence, and the text says that there was none."""
    assert seen(LAP) == [(1, 10, 40, 2, 20)]
    assert "one level" in levels(LAP).text("ns")


def test_without_entries_and_exits_nothing_is_said():
    """Some real KVMs trace neither."""
    trace = [hv_timer(1, 0)]
    assert seen(trace) == []
    assert levels(trace).text("ns").endswith("nothing to tell levels by")


def test_an_exit_of_l2_that_is_not_announced_is_said():
    """A failed VMRESUME leaves no trace of its own: then the level may be wrong, and the text warns."""
    trace = [*LAP, into_l2(45), entered(50), left(60), entered(65), left(75), into_l2(80), entered(85)]
    found = levels(trace)
    assert found.unannounced == 2
    assert "their level may be wrong" in found.text("ns")


def test_a_hole_ends_a_stretch_and_the_level_is_found_anew():
    """After lost events the level is what the next event tells, not what it was."""
    trace = [*NESTED, Lost(0, 9, ""), entered(200), left(210), into_l2(215), entered(220), left(230)]
    assert seen(trace) == [
        *[(1, 10, 45, 2, 20), (2, 45, 75, 2, 20)],
        *[(1, 200, 215, 1, 10), (2, 215, 230, 1, 10)],
    ]


def test_two_vcpus_have_levels_of_their_own():
    """One vCPU on L2 says nothing about another."""
    other = [entered(51, pid=2, vcpu=1), left(58, pid=2, vcpu=1)]
    found = list(stretches([*NESTED[:6], *other, *NESTED[6:]]))
    assert [(s.vcpu.number, s.level, s.exits) for s in found] == [(0, 1, 2), (0, 2, 2), (1, 1, 1)]


def test_stretches_kept_are_bounded_and_all_are_counted():
    """Memory does not grow with the trace: the sums are whole, the list is not."""
    trace = (
        event for n in range(KEPT) for event in (into_l2(10 * n), entered(10 * n + 1), reflected(10 * n + 5))
    )
    found = levels(trace)
    assert (len(found.stretches), found.sums[1].stretches, found.reflected) == (KEPT, KEPT, KEPT)
    assert f"and {KEPT - 40} more; --json has them" in found.text("ns")


WALKS = st.lists(st.sampled_from(["in", "handled", "reflected", "out"]), max_size=25)


@given(WALKS)
def test_stretches_join_and_hold_every_exit(steps):
    """Of one vCPU they follow each other without a gap, levels take turns, and no exit is lost."""
    trace, now, level = [entered(0)], 0, 1
    for step in steps:
        now += 10
        trace.append(left(now))
        if level == 2:
            trace.append(left_l2(now + 1))
        if level == 1 and step == "in":
            trace.append(into_l2(now + 2))
            level = 2
        elif level == 2 and step == "reflected":
            trace.append(reflected(now + 2))
            level = 1
        trace.append(entered(now + 5))
    found = list(stretches(trace))
    assert [a.end for a in found[:-1]] == [b.begin for b in found[1:]]
    assert [stretch.level for stretch in found] == [1 + n % 2 for n in range(len(found))]
    assert sum(stretch.exits for stretch in found) == len(steps)
    assert sum(stretch.running for stretch in found) == (10 + 5 * (len(steps) - 1) if steps else 0)
    assert sum(stretch.unannounced for stretch in found) == 0


@pytest.mark.parametrize("name", names())
def test_hv_timer_spans_equal_an_independent_count(name):
    """Lines, spans and how they ended are those of a plain search for the end of each."""
    found = {
        row.vcpu.pid: (row.lines, row.spans and tuple(row.spans), row.cancelled, row.fired, row.on)
        for row in alarms(events(lines(name)))
    }
    assert found == by_hand.alarms(lines(name))


def test_a_halting_guest_gives_its_alarm_back():
    """32 lines, 16 spans, none fired: the alarm hops to an hrtimer before the vCPU sleeps."""
    (row,) = alarms(events(lines("vmx_pt1_lab_tsc_hlt")))
    assert (row.lines, row.spans.samples, row.cancelled, row.fired) == (32, 16, 16, 0)
    (row,) = alarms(events(lines("vmx_pt0_lab_tsc_hlt")))
    assert (row.lines, row.spans, row.cancelled, row.fired) == (16, None, 0, 0)


def forced(time):
    """Return a kvm_entry that will be left at once."""
    return line(time, "kvm_entry", vcpu_id=0, rip=0, immediate_exit=True)


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ([hv_timer(1, 1), hv_timer(5, 0)], ((1, 4, 4, 4), 1, 0, None)),
        ([hv_timer(1, 1), entered(2), left(9, "PREEMPTION_TIMER")], ((1, 8, 8, 8), 0, 1, None)),
        ([hv_timer(1, 1), forced(2), left(9, "PREEMPTION_TIMER")], (None, 0, 0, 1)),
        ([hv_timer(1, 1), hv_timer(3, 1), hv_timer(5, 0)], ((1, 4, 4, 4), 1, 0, None)),
        ([hv_timer(1, 0), hv_timer(2, 0)], (None, 0, 0, None)),
        ([hv_timer(1, 1), Lost(0, 1, ""), hv_timer(5, 0)], (None, 0, 0, None)),
    ],
    ids=["cancelled", "fired", "a forced exit is no alarm", "armed anew", "never used", "a hole"],
)
def test_a_span_lasts_until_it_is_cancelled_or_fires(trace, expected):
    """From hv_timer 1 to hv_timer 0 or to the timer's own exit; what is on at the end is said to be."""
    (row,) = alarms(trace)
    assert (row.spans and tuple(row.spans), row.cancelled, row.fired, row.on) == expected


def test_the_text_of_alarms_has_a_line_per_vcpu():
    """A table with its unit; a span that has not ended is not in the sums, but said."""
    text = format_hv_timer(alarms([hv_timer(1, 1), hv_timer(5, 0), hv_timer(7, 1)]), "ns")
    assert [row.split() for row in text.splitlines()] == [
        "hv_timer: vcpu lines spans cancelled fired on (ns) min max mean".split(),
        "0 (pid 1) 3 1 1 0 4 4 4 4 still on".split(),
    ]
    assert format_hv_timer([], "ns") == "hv_timer: no kvm_hv_timer_state"


def test_the_text_of_levels_has_sums_and_stretches():
    """L0's time is what lies between exits and entries; each stretch of L2 says how L1 got it back."""
    text = levels(ROUND).text("ns")
    assert [row.split() for row in text.splitlines()] == [
        "level running (ns) stretches exits".split(),
        "L0 or asleep 35 - -".split(),
        "L1 30 2 3".split(),
        "L2 20 1 2".split(),
        "of the exits of L2, 1 were reflected to L1; L0 handled the others".split(),
        [],
        "level left by vcpu from (ns) to running exits".split(),
        "L1 0 (pid 1) 10 45 20 2".split(),
        "L2 VMCALL 0 (pid 1) 45 80 20 2".split(),
        "L1 0 (pid 1) 80 95 10 1".split(),
    ]
