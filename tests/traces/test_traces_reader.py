"""The reader: every form of ftrace text, everything hostile, and memory that does not grow."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_strategies import REAL, REAL_LINES, UNTIMED, mutated

from kvmlab.errors import KvmlabError
from kvmlab.traces import Broken, Clock, Comment, Event, Lost, Reader, TraceError, events, summary
from kvmlab.traces.ftrace import WARNINGS_KEPT

ENTRY = REAL + "kvm_entry: vcpu 0"
CUT_UP = st.lists(mutated()).map("\n".join)


def only(line):
    """Return the one event of a one-line trace."""
    (event,) = events([line])
    return event


@pytest.mark.parametrize(
    ("stamp", "clock", "time_read"),
    [
        ("12.345678", Clock.US, 12_345_678_000),
        ("12.345678901", Clock.NS, 12_345_678_901),
        ("7617869425", Clock.TICKS, 7_617_869_425),
        ("0.000001", Clock.US, 1_000),
    ],
)
def test_a_stamp_tells_its_clock(stamp, clock, time_read):
    """Six digits are microseconds and nine nanoseconds, both read as ns; none are ticks."""
    reader = Reader([f"  a-1  [000] d..1.  {stamp}: kvm_entry: vcpu 0\n"])
    (event,) = reader
    assert (event.time, reader.clock, reader.unit) == (time_read, clock, clock.unit)


@pytest.mark.parametrize("flags", ["", "d..1", "d..1.", ".N...", "dNh2."])
def test_flags_may_be_four_five_or_none(flags):
    """Older kernels print four flags, newer five, trace-cmd often none."""
    assert only(f"  a-1  [000] {flags}  5: kvm_entry: vcpu 0").flags == flags


@pytest.mark.parametrize(
    "comm",
    ["<idle>", "<...>", "CPU 0/KVM", "a-b-1", "-", "", "kvm-pit/23", "<script>x</scr", "x [000] y", "ärger"],
)
def test_a_comm_is_anything_up_to_its_pid(comm):
    """Blanks, dashes, brackets and markup belong to the comm and come out as they are."""
    event = only(f"{comm:>16}-77      [003] d..1.  5.000001: kvm_entry: vcpu 0")
    assert (event.task, event.pid, event.cpu) == (comm, 77, 3)


def test_trace_cmd_pads_event_names_and_tracefs_may_print_a_thread_group():
    """Padding behind the name is layout, not text; a tgid column is skipped."""
    padded = only("  qemu-6660  [007]   398.691403: kvm_entry:            vcpu 3")
    grouped = only("  qemu-6660  (   6655) [007] d..1   398.691403: kvm_entry: vcpu 3")
    assert padded.text == grouped.text == "vcpu 3"
    assert grouped.pid == 6660


def test_a_trace_cmd_report_is_read_with_its_preamble():
    """What trace-cmd says about the file is a comment."""
    report = ["version = 6", "CPU 1 is empty", "cpus=2", ENTRY]
    assert [type(item) for item in Reader(report)] == [Comment, Comment, Comment, Event]


@pytest.mark.parametrize(
    ("marker", "cpu", "count"),
    [
        ("CPU:0 [LOST 12 EVENTS]", 0, 12),
        ("CPU:3 [LOST EVENTS]", 3, None),
        ("CPU:7 [204600 EVENTS DROPPED]", 7, 204600),
        ("CPU:7 [EVENTS DROPPED]", 7, None),
        ("[5 events lost]", None, 5),
        ("CPU:1 [1 event lost]", 1, 1),
    ],
)
def test_lost_events_are_kept_as_such_and_warned_of(marker, cpu, count):
    """A hole is an item of its own, in its place, with what its marker says."""
    reader = Reader([ENTRY, marker, ENTRY])
    assert list(reader)[1] == Lost(cpu, count, marker)
    assert reader.warnings == [f"line 2: {marker}: whatever spans this hole is not counted"]


def test_windows_line_ends_change_nothing():
    """CRLF and LF give the same items and no warnings."""
    unix = [line + "\n" for line in REAL_LINES if "10104633572" not in line]
    windows = Reader([line.replace("\n", "\r\n") for line in unix])
    assert list(windows) == list(Reader(unix))


def test_the_empty_line_of_old_kernels_is_no_event_and_no_fault():
    """4.x prints a stray newline after kvm_hv_timer_state."""
    lines = [REAL + "kvm_hv_timer_state: vcpu_id 0 hv_timer 1\n", "\n", "", ENTRY + "\n"]
    reader = Reader(lines)
    assert [event.name for event in reader] == ["kvm_hv_timer_state", "kvm_entry"]
    assert reader.warnings == []


def test_a_broken_line_is_kept_and_warned_of_with_its_number():
    """Nothing in a file disappears unsaid; the warning quotes the line harmlessly."""
    reader = Reader([ENTRY, "\n", "\x1b[31m<b>no</b>\n", ENTRY])
    assert list(reader)[1] == Broken("\x1b[31m<b>no</b>", 3, "not a trace line")
    assert reader.warnings == [r"line 3: not a trace line: '\x1b[31m<b>no</b>'"]


def test_two_clocks_in_one_trace_are_never_mixed():
    """The first event's clock is the trace's; a line of another clock is broken, not compared."""
    reader = Reader([ENTRY, "a-1 [0] d..1. 99: kvm_entry: vcpu 0"])
    assert [type(item) for item in reader] == [Event, Broken]
    assert "line 2: stamped in ticks, not us" in reader.warnings[0]


def test_unknown_events_are_kept_with_their_text_and_without_warning():
    """A tracepoint we have no table for is still an event."""
    reader = Reader([REAL + "kvm_future: <img src=x onerror=alert(1)>  \n"])
    (event,) = reader
    assert (event.name, event.text) == ("kvm_future", "<img src=x onerror=alert(1)>  ")
    assert reader.warnings == []


@pytest.mark.parametrize("lines", [[], ["# tracer: nop\n"], ["hello\n"] * 3, ["CPU:0 [LOST 12 EVENTS]\n"]])
def test_what_holds_no_event_is_one_clear_error(lines):
    """Not a trace: one typed error that shows what a trace looks like and how to get one."""
    with pytest.raises(TraceError, match="(?s)no trace line.*trace-cmd report") as wrong:
        list(Reader(lines))
    assert isinstance(wrong.value, ValueError)
    assert isinstance(wrong.value, KvmlabError)


@pytest.mark.parametrize("path", ["/no/such/file", "nul\0byte", "a" * 5000, "/"])
def test_what_cannot_be_opened_is_the_same_error(path):
    """A wrong path is the user's slip, not a crash."""
    with pytest.raises(TraceError, match="cannot read"):
        list(Reader(path))


def test_a_reader_of_a_file_can_be_read_again(tmp_path):
    """Each iteration starts afresh, warnings included."""
    path = tmp_path / "trace.txt"
    path.write_bytes(b"\xef\xbb\xbf" + ENTRY.encode() + b"\r\n\xff\xfe\x00\n")
    reader = Reader(path)
    assert list(reader) == list(reader)
    assert reader.warnings == [r"line 2: not a trace line: '\\xff\\xfe\x00'"]


def test_warnings_are_bounded_and_counted():
    """A file of rubbish behind one event gives a short list that says how much more there was."""
    reader = Reader([ENTRY, *["rubbish"] * (WARNINGS_KEPT + 5)])
    list(reader)
    assert len(reader.warnings) == WARNINGS_KEPT + 1
    assert reader.warnings[-1] == "and 5 more such lines"


@UNTIMED
@given(content=st.binary(max_size=400) | CUT_UP.map(str.encode) | st.text().map(str.encode))
def test_no_content_of_a_file_raises_anything_but_a_trace_error(content, tmp_path_factory):
    """Random bytes, random text, real lines cut up: read to the end, or refused with TraceError."""
    path = tmp_path_factory.getbasetemp() / "fuzz.txt"
    path.write_bytes(content)
    try:
        result = summary(path)
    except TraceError:
        return
    assert result["events"] > 0


@UNTIMED
@given(st.lists(mutated(), min_size=1))
def test_every_line_with_content_is_one_item(lines):
    """Cut-up lines are kept, each in its place, and what is broken keeps its words."""
    reader = Reader([ENTRY, *lines])
    items = list(reader)[1:]
    kept = [line for line in lines if line.strip()]
    assert len(items) == len(kept)
    for item, line in zip(items, kept, strict=True):
        assert isinstance(item, Event) or item.raw == line.rstrip("\r\n")
        if isinstance(item, Event):
            dict(item.fields)


@pytest.mark.parametrize(
    "line",
    [
        " " * 8000,
        "-1 [0] " * 1200,
        "x-1 " + "[0] " * 2000,
        REAL + "kvm_apic_ipi: dst 1 vec 1 (" + "a|" * 4000,
        REAL + "kvm_exit: " + "reason a rip 0x1 " * 400,
        REAL + "sched_switch: prev_comm=" + " prev_pid=1 prev_prio=1 prev_state=S ==> next_comm=" * 150,
        REAL
        + "kvm_nested_vmenter: rip: 0x1 a: 0x1 nested_rip: 0x1 int_ctl: 0x1 event_inj: 0x1 nested_"
        + "=y" * 3900,
        REAL + "kvm_entry: vcpu " + "9" * 8000,
        "a-1 [000] " + "9" * 8000 + ": kvm_entry: vcpu 0",
    ],
)
def test_no_line_takes_long(line):
    """Reading is linear: a line made to make the patterns backtrack costs no more than a long one."""
    begin = time.process_time()
    for item in Reader([ENTRY, line, line + "!"]):
        if isinstance(item, Event):
            dict(item.fields)
    assert time.process_time() - begin < 0.5


def test_memory_does_not_grow_with_the_trace():
    """A trace ten times as long takes no more memory to summarise."""

    def peak(count):
        tracemalloc.start()
        summary(REAL + f"kvm_exit: reason HLT rip 0x{number:x} info 0 0\n" for number in range(count))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(5_000)  # Fill the caches.
    assert peak(50_000) < peak(5_000) + 2**20
