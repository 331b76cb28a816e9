"""Statistics: the same numbers as a count by plain string handling, and honest about holes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_strategies import UNTIMED

from kvmlab.traces import (
    Dialect,
    Event,
    Lost,
    Spread,
    TraceError,
    events,
    format_table,
    names,
    statistics,
    summary,
)
from kvmlab.traces.library import lines


def counted_by_hand(trace):
    """Return reason -> list of times, with nothing but str.split: for 6.1 traces of one vCPU."""
    times, reason, since = {}, None, 0
    for line in trace:
        if line.startswith("#"):
            continue
        before, after = line.split(": ", 1)
        stamp = int(before.split()[-1])
        if after.startswith("kvm_exit: "):
            reason, since = after.split(" reason ")[1].split(" rip ")[0], stamp
        elif after.startswith("kvm_entry: ") and reason is not None:
            times.setdefault(reason, []).append(stamp - since)
            reason = None
    return times


@pytest.mark.parametrize("name", names())
def test_statistics_equal_an_independent_count(name):
    """Samples, time, min, max and mean of every reason are those of a second, plain program."""
    by_hand = counted_by_hand(lines(name))
    table = statistics(events(lines(name)))
    assert by_hand
    assert {reason: row.row("time") for reason, row in table.items()} == {
        reason: {
            "samples": len(times),
            "time": sum(times),
            "min": min(times),
            "max": max(times),
            "mean": sum(times) / len(times),
        }
        for reason, times in by_hand.items()
    }


def left(time, reason="HLT", vcpu=0, pid=1, cpu=0, dialect=Dialect.V6_1):
    """Return a kvm_exit."""
    fields = {"vcpu_id": vcpu, "exit_reason": reason, "guest_rip": 0}
    return Event.of("kvm_exit", time, fields, pid=pid, cpu=cpu, dialect=dialect)


def entered(time, vcpu=0, pid=1, cpu=0, dialect=Dialect.V6_1):
    """Return a kvm_entry."""
    return Event.of("kvm_entry", time, {"vcpu_id": vcpu, "rip": 0}, pid=pid, cpu=cpu, dialect=dialect)


@pytest.mark.parametrize("dialect", Dialect)
def test_each_exit_is_paired_with_the_next_entry_of_its_own_vcpu(dialect):
    """Interleaved vCPUs do not mix, also where the exit does not print whose it is."""
    trace = [
        left(10, "HLT", vcpu=0, pid=1, dialect=dialect),
        left(20, "MSR_WRITE", vcpu=1, pid=2, dialect=dialect),
        entered(25, vcpu=1, pid=2, dialect=dialect),
        entered(100, vcpu=0, pid=1, dialect=dialect),
    ]
    assert statistics(trace) == {"HLT": Spread(1, 90, 90, 90), "MSR_WRITE": Spread(1, 5, 5, 5)}


def test_equal_vcpu_numbers_of_two_machines_do_not_mix():
    """Two VMs both have a vCPU 0; their threads tell them apart."""
    trace = [left(0, pid=1), left(1, pid=2), entered(5, pid=2), entered(9, pid=1)]
    assert statistics(trace) == {"HLT": Spread(2, 13, 4, 9)}


def test_a_vcpu_may_come_back_on_another_cpu():
    """Between exit and entry the thread may migrate: the pair is the vCPU's, not the CPU's."""
    assert statistics([left(0, cpu=0), entered(7, cpu=3)]) == {"HLT": Spread(1, 7, 7, 7)}


def test_unpaired_exits_and_entries_are_no_samples():
    """An entry without exit, an exit followed by another, an exit at the end: none is counted."""
    trace = [entered(1), left(2, "A"), left(3, "B"), entered(4), left(9)]
    assert statistics(trace) == {"B": Spread(1, 1, 1, 1)}


@pytest.mark.parametrize(("cpu", "samples"), [(0, 0), (None, 0), (1, 1)])
def test_a_hole_in_the_trace_ends_what_may_span_it(cpu, samples):
    """After lost events on its CPU an exit is not paired: the true entry may be among them."""
    table = statistics([left(0), Lost(cpu, 3, ""), entered(10)])
    assert sum(row.samples for row in table.values()) == samples


def test_a_layout_we_do_not_know_is_said_and_not_guessed():
    """An unreadable kvm_entry neither pairs nor lets a later one pair across it, and the summary says so."""
    trace = [
        "a-1 [000] d..1. 1: kvm_exit: reason HLT rip 0x1 info 0 0",
        "a-1 [000] d..1. 5: kvm_entry: something new",
        "a-1 [000] d..1. 9: kvm_entry: vcpu 0",
    ]
    result = summary(trace)
    assert result["exits"] == {}
    assert result["warnings"] == ["kvm_exit or kvm_entry in a layout we do not know: 1 lines"]


@UNTIMED
@given(st.lists(st.integers(0, 10**12), min_size=1))
def test_the_mean_is_an_int_exactly_where_it_is_one(times):
    """Times are summed in integers; only a mean that is no integer becomes a float."""
    row = Spread(1, times[0], times[0], times[0])
    for more in times[1:]:
        row = row.add(more)
    assert (row.samples, row.total, row.min, row.max) == (len(times), sum(times), min(times), max(times))
    assert isinstance(row.mean, int) == (sum(times) % len(times) == 0)
    assert row.mean == sum(times) / len(times)


def test_the_table_is_ordered_by_samples_and_says_its_unit():
    """As perf does: most samples first; shares add up to the whole."""
    trace = [left(0, "A"), entered(5), left(6, "B"), entered(7), left(8, "B"), entered(10)]
    assert format_table(statistics(trace), "ticks").splitlines() == [
        "reason  samples            time (ticks)                  min          max           mean",
        "B             2  66.67%               3  37.50%            1            2           1.50",
        "A             1  33.33%               5  62.50%            5            5           5.00",
        "total         3                       8",
    ]


def test_a_trace_without_exits_has_an_empty_table():
    """Some real KVMs (software virtualization) print no kvm_exit; that is no error."""
    assert statistics([entered(1)]) == {}
    assert format_table({}, "ns").splitlines()[-1].split() == ["total", "0", "0"]


def test_the_summary_has_exactly_the_keys_of_the_command_line():
    """`kvmlab trace FILE --json`: events, warnings, unit, exits with five numbers each; us become ns."""
    trace = [
        "a-1 [000] d..1. 1.000001: kvm_exit: reason HLT rip 0x1 info 0 0",
        "a-1 [000] d..1. 1.000004: kvm_entry: vcpu 0",
        "rubbish",
    ]
    assert summary(trace) == {
        "events": 2,
        "warnings": ["line 3: not a trace line: 'rubbish'"],
        "unit": "ns",
        "exits": {"HLT": {"samples": 1, "time": 3000, "min": 3000, "max": 3000, "mean": 3000}},
    }
    with pytest.raises(TraceError):
        summary(["rubbish"])
