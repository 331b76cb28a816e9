"""Comparison: aligned as well as can be, in bounded time, and ruled where the runs part."""

import dataclasses
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_events import accepted, entered, hv_timer, left, line, wrote
from trace_strategies import LAYOUTS, fields_of

from kvmlab.traces import Dialect, Event, compare, load, names, side_by_side
from kvmlab.traces.align import align
from kvmlab.traces.formats import FORMATS
from kvmlab.traces.keys import KEYS, NOISE, key

SEQUENCES = st.lists(st.sampled_from("abc"), max_size=14)


def twins(a, b):
    """Return the length of a longest common subsequence, by the textbook's table."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for x, one in enumerate(a):
        for y, other in enumerate(b):
            longest = max(table[x][y + 1], table[x + 1][y])
            table[x + 1][y + 1] = table[x][y] + 1 if one == other else longest
    return table[-1][-1]


def marks(comparison):
    """Return what stands between the columns, row by row."""
    return "".join(
        "=" if row.same else "<" if not row.b else ">" if not row.a else "|" for row in comparison.rows
    )


@given(SEQUENCES, SEQUENCES)
def test_as_much_as_possible_stands_side_by_side(a, b):
    """There are as many pairs as the longest common subsequence has elements."""
    pairs = [pair for pair in align(a, b) if None not in pair]
    assert len(pairs) == twins(a, b)


@given(SEQUENCES, SEQUENCES, st.integers(1, 5))
def test_every_element_stands_somewhere_once_and_in_order(a, b, far):
    """However soon the search gives up, nothing is lost, and only equals stand side by side."""
    pairs = list(align(a, b, far))
    assert [x for x, _ in pairs if x is not None] == list(range(len(a)))
    assert [y for _, y in pairs if y is not None] == list(range(len(b)))
    assert all(a[x] == b[y] for x, y in pairs if x is not None and y is not None)


def test_runs_that_have_nothing_in_common_are_compared_in_time():
    """Thousands of events, all different: the search is bounded, not quadratic."""
    a = [left(n, "HLT") for n in range(4000)]
    b = [left(n, "CPUID") for n in range(4000)]
    begin = time.process_time()
    assert marks(compare(a, b)) == "|" * 4000
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("name", names())
def test_a_run_is_the_same_as_itself(name):
    """No divergence, whatever the times, the thread and the CPU."""
    run = load(name)
    moved = [dataclasses.replace(event, time=event.time + 7, pid=event.pid + 1, cpu=3) for event in run]
    found = compare(run, moved)
    assert (found.same, found.first) == (True, None)
    assert found.shared == len(found.rows) == sum(event.name not in NOISE for event in run)


@given(st.integers(0, 79))
def test_the_first_divergence_is_where_the_runs_part(place):
    """An event taken out of one run, or put in, is found at its place, and nothing else differs."""
    run = [event for event in load("nested_pt1_ipidelay2000_zero_test") if event.name not in NOISE][:80]
    strange = left(0, "TRIPLE_FAULT")
    changed = run[:place] + [strange] + run[place:]
    found = compare(run, changed)
    assert (found.first, marks(found).replace("=", "")) == (place, ">")
    assert marks(compare(changed, run)).replace("=", "") == "<"


def test_what_two_kernels_do_in_each_round():
    """With APICv the interrupt window and the EOI are missing in each round, and nothing else is."""
    without, with_it = load("vmx_noapicv_lab_self_ipi"), load("vmx_pt1_lab_self_ipi")
    found = compare(without, with_it)
    only = [row.a.fields["exit_reason"] for row in found.rows if not row.b and row.a.name == "kvm_exit"]
    added = {row.b.name for row in found.rows if not row.a}
    assert (only, added) == (["INTERRUPT_WINDOW", "MSR_WRITE"] * 16, {"kvm_apicv_accept_irq"})


def test_the_forced_exit_is_where_two_ways_to_force_it_part():
    """Both enter to leave at once; one leaves by the timer, the other by a call, and its IPI comes after."""
    runs = [load(f"nested_{run}_ipidelay2000_preemption_timer") for run in ("pt0", "pt1")]
    last = [max(n for n, e in enumerate(run) if e.fields.get("immediate_exit")) for run in runs]
    found = compare(*(run[n : n + 6] for run, n in zip(runs, last, strict=True)))
    shown = [[event and event.name for event in row[:2]] for row in found.rows[:5]]
    assert shown == [
        ["kvm_entry", "kvm_entry"],
        ["kvm_exit", "kvm_exit"],
        ["kvm_nested_vmexit", "kvm_nested_vmexit"],
        ["reschedule_entry", None],
        ["kvm_nested_vmexit_inject", "kvm_nested_vmexit_inject"],
    ]
    assert (found.first, marks(found)[:5]) == (1, "=||<|")


def test_the_hosts_own_events_do_not_count_unless_named():
    """The tick and the scheduler differ from run to run; who wants them says so."""
    tick = line(5, "local_timer_entry", vector=236)
    assert compare([entered(0)], [entered(0), tick]).same
    assert not compare([entered(0)], [entered(0), tick], ["kvm_entry", "local_timer_entry"]).same
    assert compare([entered(0), left(1)], [entered(0)], ["kvm_entry"]).same


def test_dialects_do_not_make_a_difference():
    """The same run printed by another kernel is the same run; exit 7 was only renamed."""
    runs = []
    for dialect, window in ((Dialect.V4, "PENDING_INTERRUPT"), (Dialect.V6_16, "INTERRUPT_WINDOW")):
        fields = {"vcpu_id": 0, "exit_reason": window, "guest_rip": 1}
        entry = Event.of("kvm_entry", 0, {"vcpu_id": 0, "rip": 1}, dialect=dialect)
        runs.append([entry, Event.of("kvm_exit", 1, fields, dialect=dialect)])
    assert compare(*runs).same


def test_exits_for_another_register_are_other_exits():
    """Which MSR was written is printed behind the exit; where one run lacks these lines, it cannot count."""
    eoi = [left(1), wrote(2, 0x80B, 0), entered(3)]
    icr = [left(1), wrote(2, 0x830, 0), entered(3)]
    assert marks(compare(eoi, icr)) == "||="
    assert marks(compare(eoi, [left(1), entered(3)])) == "=<="


def test_values_that_a_second_run_does_not_repeat_are_no_difference():
    """Deadlines, rips and durations differ between any two runs; vectors and reasons do not."""
    assert compare([wrote(1, 0x6E0, 5)], [wrote(9, 0x6E0, 7)]).same
    assert not compare([accepted(1, vector=0x31)], [accepted(1, vector=0x32)]).same
    assert not compare([hv_timer(1, 0)], [hv_timer(1, 1)]).same


def test_every_event_has_a_key_of_its_own_fields():
    """No row of the table names an event or a field that does not exist, and none is forgotten."""
    fields = {name: set() for name in FORMATS}
    for name, _, template in LAYOUTS:
        fields[name] |= fields_of(template).keys()
    assert KEYS.keys() == FORMATS.keys()
    assert {name: set(KEYS[name]) - fields[name] for name in KEYS if set(KEYS[name]) - fields[name]} == {}


def test_an_unknown_event_is_compared_by_its_name():
    """What we cannot take apart may hold addresses."""
    assert key(Event(1, 0, "a", 1, "", "kvm_new", "x=1")) == key(Event(2, 0, "b", 2, "", "kvm_new", "x=2"))


A, B = [entered(0), left(1, "HLT"), entered(2)], [entered(0), left(1, "CPUID"), entered(2), left(3, "MTF")]


def test_the_text_rules_the_first_divergence_across():
    """Two columns, what is the same only near what is not, and the verdict as the last line."""
    text = side_by_side(compare([left(0, "HLT")] * 9 + A, [left(0, "HLT")] * 9 + B), "one", "two", width=30)
    assert text.splitlines() == [
        "one                              two",
        "  ... 7 the same",
        "kvm_exit: vcpu 0 reason HLT...   kvm_exit: vcpu 0 reason HLT...",
        "kvm_exit: vcpu 0 reason HLT...   kvm_exit: vcpu 0 reason HLT...",
        "kvm_entry: vcpu 0, rip 0x0       kvm_entry: vcpu 0, rip 0x0",
        "----------------------- first divergence ----------------------",
        "kvm_exit: vcpu 0 reason HLT... | kvm_exit: vcpu 0 reason CPU...",
        "kvm_entry: vcpu 0, rip 0x0       kvm_entry: vcpu 0, rip 0x0",
        "                               > kvm_exit: vcpu 0 reason MTF...",
        "11 of 13 rows are the same",
    ]
    whole = side_by_side(compare([left(0, "HLT")] * 9 + A, [left(0, "HLT")] * 9 + B), context=None)
    assert len(whole.splitlines()) == 1 + 13 + 1 + 1


def test_the_text_of_equal_runs_says_so():
    """No rule, and no row is shown."""
    assert side_by_side(compare(A, A)).splitlines()[1:] == [
        "  ... 3 the same",
        "no divergence: 3 of 3 rows are the same",
    ]
    assert side_by_side(compare([], [])).splitlines()[-1] == "no divergence: 0 of 0 rows are the same"


def test_nothing_in_a_trace_moves_the_cursor():
    """Event text is data: control characters come out as question marks."""
    bad = Event(1, 0, "a", 1, "", "kvm_new", "\x1b[2Jx\ty")
    assert "kvm_new: ?[2Jx?y" in side_by_side(compare([bad], []), "\x1b[31m")
    assert "\x1b" not in side_by_side(compare([bad], []), "\x1b[31m")


def test_the_rows_as_json_are_texts():
    """A row is what each run printed, or null."""
    assert compare(A, B).row() == {
        "same": False,
        "shared": 2,
        "first": 1,
        "rows": [
            {"a": "kvm_entry: vcpu 0, rip 0x0", "b": "kvm_entry: vcpu 0, rip 0x0", "same": True},
            {"a": f"kvm_exit: {A[1].text}", "b": f"kvm_exit: {B[1].text}", "same": False},
            {"a": "kvm_entry: vcpu 0, rip 0x0", "b": "kvm_entry: vcpu 0, rip 0x0", "same": True},
            {"a": None, "b": f"kvm_exit: {B[3].text}", "same": False},
        ],
    }
