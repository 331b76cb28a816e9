"""The grammar of one trace line, as tracefs and `trace-cmd report` print it.

    qemu-system-x86-23736   [001] .N...  2701.998405: kvm_apic: apic_write APIC_ICR = 0x1000000ee
    comm           -pid     [cpu] flags  seconds    : event   : text

A comm may hold dashes, blanks, brackets: it ends at the first dash with a pid and a CPU behind it. Flags are
four characters (older kernels), five, or missing (trace-cmd). The stamp tells the clock by its digits.
"""

import re
from enum import Enum
from sys import intern

from kvmlab.traces.errors import TraceError
from kvmlab.traces.event import Broken, Comment, Event, Item, Lost


class Clock(Enum):
    """How a stamp is printed; the value is the number of digits behind the point."""

    TICKS = 0
    US = 6
    NS = 9

    @property
    def unit(self) -> str:
        """The unit of `Event.time` under this clock: microseconds are read as ns too."""
        return "ticks" if self is Clock.TICKS else "ns"


# Every repetition is bounded or ends at a character it cannot hold: time is linear in any line.
_EVENT = re.compile(
    r"[ \t]*((?:\S.{0,63}?)?)-(\d{1,10})[ \t]+"  # comm and pid
    r"(?:\([ \d-]{1,12}\)[ \t]+)?"  # (tgid), if it was switched on; we do not keep it
    r"\[(\d{1,5})\][ \t]+"
    r"(?:([^\s:]{4,5})[ \t]+)?"
    r"(\d{1,20})(?:\.(\d{6}(?:\d{3})?))?:[ \t]+"
    r"(\w+):[ \t]*(.*)",
    re.ASCII,
).fullmatch
_LOST = re.compile(
    r"(?:CPU:? ?(\d{1,5}))?:? *\[(?:LOST (?:(\d{1,20}) )?EVENTS?|(?:(\d{1,20}) )?EVENTS? (?:LOST|DROPPED))\]",
    re.ASCII | re.IGNORECASE,
).fullmatch
_PREAMBLE = re.compile(r"version ?= ?\d+|cpus ?= ?\d+|CPU \d+ is empty", re.ASCII).fullmatch


def parse_event(line: str) -> tuple[Event, Clock] | None:
    """Return the event on a line and the clock of its stamp, or None; the line's end is not the event's."""
    found = _EVENT(line.rstrip("\r\n"))
    if found is None:
        return None
    task, pid, cpu, flags, seconds, fraction, name, text = found.groups()
    if fraction is None:
        time, clock = int(seconds), Clock.TICKS
    elif len(fraction) == 6:
        time, clock = int(seconds + fraction) * 1000, Clock.US
    else:
        time, clock = int(seconds + fraction), Clock.NS
    return Event(time, int(cpu), intern(task), int(pid), flags or "", intern(name), text), clock


def parse_remark(line: str) -> Lost | Comment | None:
    """Return the line as a lost-events marker or a comment, or None."""
    raw, bare = line.rstrip("\r\n"), line.strip()
    if bare.startswith("#") or _PREAMBLE(bare):
        return Comment(raw)
    found = _LOST(bare)
    if found is None:
        return None
    cpu, after, before = found.groups()
    count = after or before
    return Lost(int(cpu) if cpu else None, int(count) if count else None, raw)


def format_line(item: Item, clock: Clock) -> str:
    """Return the line (without its end) that reads back as this item.

    Raises TraceError if there is none: a time that is not a whole number of the clock's units, a line break
    in the text, a comm that would be read as something else.
    """
    if isinstance(item, Event):
        line = _format_event(item, clock)
        faithful = parse_event(line) == (item, clock)
    else:
        line = item.raw
        faithful = "\n" not in line and parse_remark(line) == (None if isinstance(item, Broken) else item)
    if not faithful:
        raise TraceError(f"cannot be written as a line of a trace in {clock.name.lower()}: {item}")
    return line


def _format_event(event: Event, clock: Clock) -> str:
    flags = event.flags and event.flags + " "
    head = f"{event.task:>16}-{event.pid:<7} [{event.cpu:03}] {flags}{_stamp(event.time, clock):>12}"
    return f"{head}: {event.name}: {event.text}"


def _stamp(time: int, clock: Clock) -> str:
    if clock is Clock.TICKS:
        return str(time)
    seconds, ns = divmod(time, 10**9)
    return f"{seconds}.{f'{ns:09}'[: clock.value]}"
