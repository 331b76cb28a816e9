"""Events: one schema for what was recorded and what was simulated, and lines that read back."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_strategies import CLOCKS, UNTIMED, any_events, heads, printed

from kvmlab.traces import Broken, Clock, Comment, Dialect, Event, Lost, Reader, TraceError, write
from kvmlab.traces.line import format_line, parse_event

ENTRY = {"vcpu_id": 0, "rip": 0x4003C6}


def test_a_simulated_event_equals_the_recorded_one():
    """Made from fields or read from a line, an event is the same value, with the same hash."""
    line = "          kvmlab-121     [000] d..1.   7617873223: kvm_entry: vcpu 0, rip 0x4003c6"
    recorded, clock = parse_event(line)
    simulated = Event.of("kvm_entry", 7617873223, ENTRY, task="kvmlab", pid=121, flags="d..1.")
    assert (recorded, clock, hash(recorded)) == (simulated, Clock.TICKS, hash(simulated))


def test_events_cannot_be_changed():
    """An event is a fact: neither it nor its fields can be assigned to."""
    event = Event.of("kvm_entry", 0, ENTRY)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.time = 1
    with pytest.raises(TypeError):
        event.fields["rip"] = 0


def test_events_are_compared_by_name_and_the_fields_one_asks_for():
    """Two runs can be aligned although time, task and addresses differ."""
    one = Event.of("kvm_exit", 1, {"vcpu_id": 0, "exit_reason": "HLT", "guest_rip": 1})
    two = Event.of("kvm_exit", 9, {"vcpu_id": 0, "exit_reason": "HLT", "guest_rip": 2}, pid=7)
    assert one.key("exit_reason") == two.key("exit_reason") == ("kvm_exit", "HLT")
    assert one.key() != two.key()
    assert one.key("no_such") == ("kvm_exit", None)


def test_kernels_agree_on_an_event_though_they_word_it_differently():
    """A key over shared fields is the same in all dialects."""
    fields = {"vcpu_id": 0, "exit_reason": "MSR_WRITE", "guest_rip": 5}
    made = [Event.of("kvm_exit", 0, fields, dialect=dialect) for dialect in Dialect]
    assert len({event.key("exit_reason", "guest_rip") for event in made}) == 1
    assert len({event.text for event in made}) == 3


@UNTIMED
@given(data=st.data(), case=printed(), clock=CLOCKS)
def test_reading_what_was_written_gives_equal_events(data, case, clock):
    """Every event that a model can make is written to a line that reads back as it, under every clock."""
    name, dialect, fields = case
    head = data.draw(heads(clock))
    time = head.pop("time")
    try:
        event = Event.of(name, time, fields, dialect=dialect, **head)
        lines = list(write([event], clock))
    except TraceError:
        return
    reader = Reader(lines)
    assert (list(reader), reader.clock, reader.warnings) == ([event], clock, [])


@UNTIMED
@given(any_events(), CLOCKS)
def test_an_event_that_no_line_can_carry_is_refused(event, clock):
    """Whatever an event holds, the writer returns a line that reads back as it, or raises TraceError."""
    try:
        line = format_line(event, clock)
    except TraceError:
        return
    assert list(Reader([line + "\n"])) == [event]
    assert list(Reader([line + "\r\n"])) == [event]


@pytest.mark.parametrize(
    "item",
    [
        Lost(0, 12, "CPU:0 [LOST 12 EVENTS]"),
        Lost(None, None, "[EVENTS DROPPED]"),
        Comment("# tracer: nop"),
        Broken("what is this", 2, "not a trace line"),
    ],
)
def test_remarks_are_written_as_they_were(item):
    """Markers, comments and broken lines survive a copy of the trace."""
    event = Event.of("kvm_entry", 0, ENTRY)
    assert list(Reader(write([event, item], Clock.NS))) == [event, item]


@pytest.mark.parametrize(
    "item",
    [Comment("no hash"), Comment("# two\nlines"), Lost(1, 2, "[LOST 3 EVENTS]"), Broken("# fine", 1, "")],
)
def test_remarks_that_would_read_as_something_else_are_refused(item):
    """The writer holds for every item what it holds for events."""
    with pytest.raises(TraceError):
        format_line(item, Clock.NS)


def test_microseconds_are_not_rounded_away():
    """A time finer than the clock prints is refused: a trace that reads back differently is no copy."""
    event = Event.of("kvm_entry", 1_500, ENTRY)
    with pytest.raises(TraceError, match="in us"):
        format_line(event, Clock.US)
    assert " 0.000001500: " in format_line(event, Clock.NS)
