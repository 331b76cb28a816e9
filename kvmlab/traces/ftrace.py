"""Reading and writing whole traces, one line at a time: memory does not grow with the file.

What a reader accepts, and where that is decided:

* a line of tracefs or `trace-cmd report`, with any of three clocks, is an Event  (`line.py`)
* a marker of lost events is Lost, a header or `#` line a Comment                 (`line.py`)
* an empty line is skipped: 4.x kernels print one after each kvm_hv_timer_state
* anything else, and a stamp of another clock than the first event's, is Broken: kept, with a warning
* a file without a single event is no trace: TraceError
"""

import os
from collections.abc import Iterable, Iterator
from functools import partial

from kvmlab.traces.errors import TraceError
from kvmlab.traces.event import Broken, Event, Item, Lost
from kvmlab.traces.line import Clock, format_line, parse_event, parse_remark

Source = str | os.PathLike[str] | Iterable[str]
"""A path, or the lines themselves (a str is a path)."""

LONGEST_LINE = 8192
"""Characters read at once: ftrace's own limit, so only a file that is no trace has longer lines."""

WARNINGS_KEPT = 100
"""So many warnings are worded; of the rest only the number is told."""

NOT_A_TRACE = (
    "{source} holds no trace line. Expected is text like\n"
    "    qemu-kvm-1234  [001] d..1.  2701.998262: kvm_entry: vcpu 0, rip 0x4003c6\n"
    "as in /sys/kernel/tracing/trace; for a trace.dat run: trace-cmd report trace.dat > trace.txt"
)


class Reader:
    """The items of one trace, in the file's order.

    `clock` and `warnings` belong to the latest iteration and are complete when it is. Iterating raises
    TraceError if the source cannot be opened, or at its end if it held no event.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.clock: Clock | None = None
        self._worded: list[str] = []
        self._unworded = 0

    @property
    def unit(self) -> str:
        """The unit of the events' times: "ns" or "ticks" (before the first event: "ns")."""
        return (self.clock or Clock.NS).unit

    @property
    def warnings(self) -> list[str]:
        """One sentence for each line that is broken and each hole, with its number from 1."""
        more = [f"and {self._unworded} more such lines"] if self._unworded else []
        return self._worded + more

    def __iter__(self) -> Iterator[Item]:
        """Yield every line but the empty ones."""
        self.clock, self._worded, self._unworded = None, [], 0
        for number, line in enumerate(_lines(self.source), 1):
            parsed = parse_event(line)
            if parsed is not None and parsed[1] is self.clock:
                yield parsed[0]
            elif parsed is not None:
                yield self._of_new_clock(*parsed, number, line)
            elif line.strip():
                yield self._no_event(number, line)
        if self.clock is None:
            raise TraceError(NOT_A_TRACE.format(source=_name(self.source)))

    def _of_new_clock(self, event: Event, clock: Clock, number: int, line: str) -> Item:
        """Let the trace's first event set the clock; times of two clocks cannot be compared."""
        if self.clock is None:
            self.clock = clock
            return event
        return self._broken(number, line, f"stamped in {clock.name.lower()}, not {self.clock.name.lower()}")

    def _no_event(self, number: int, line: str) -> Item:
        remark = parse_remark(line)
        if remark is None:
            return self._broken(number, line, "not a trace line")
        if isinstance(remark, Lost):
            self._warn(f"line {number}: {remark.raw.strip()}: whatever spans this hole is not counted")
        return remark

    def _broken(self, number: int, line: str, why: str) -> Broken:
        self._warn(f"line {number}: {why}: {line.strip()[:60]!a}")
        return Broken(line.rstrip("\r\n"), number, why)

    def _warn(self, sentence: str) -> None:
        if len(self._worded) < WARNINGS_KEPT:
            self._worded.append(sentence)
        else:
            self._unworded += 1


def events(source: Source) -> Iterator[Event]:
    """Yield only the events of a trace.

    Raises TraceError as `Reader` does.
    """
    return (item for item in Reader(source) if isinstance(item, Event))


def write(items: Iterable[Item], clock: Clock) -> Iterator[str]:
    """Yield the lines, each with its end, from which a reader gets the same items back.

    Raises TraceError at an item for which there is no such line (see `line.format_line`).
    """
    return (format_line(item, clock) + "\n" for item in items)


def _lines(source: Source) -> Iterable[str]:
    return _lines_of_file(source) if isinstance(source, str | os.PathLike) else source


def _lines_of_file(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the lines of a file; bytes that are no UTF-8 become \\xNN, a longer line comes in pieces."""
    try:
        with open(path, encoding="utf-8-sig", errors="backslashreplace", newline="\n") as file:
            yield from iter(partial(file.readline, LONGEST_LINE), "")
    except (OSError, ValueError) as wrong:  # ValueError: a NUL in the path.
        raise TraceError(f"cannot read {str(path)[:200]!r}: {wrong}") from wrong


def _name(source: Source) -> str:
    return str(source) if isinstance(source, str | os.PathLike) else "the input"
