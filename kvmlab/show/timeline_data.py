"""What a timeline knows of a run: a lane per vCPU, the host's interrupts, and where each event belongs.

Times are counted from the first event. Everything here was read off events; where events do not say what a
vCPU did, a span says "unknown", and nothing is made up.
"""

from dataclasses import dataclass
from typing import Literal

from kvmlab.show.marks import Guests
from kvmlab.traces.event import Event

Kind = Literal["guest", "root", "asleep", "preempted", "unknown"]
"""Whose code runs: the guest's; the host's for this vCPU; nobody's; another thread's; or no event says."""

Look = Literal["exit", "wish", "tick", "interrupt", "host interrupt"]
"""Which mark an event gets: see course and :mod:`kvmlab.show.marks`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one vCPU's time; ``level`` is 1 or more for a guest and 0 otherwise."""

    start: int
    end: int
    kind: Kind
    level: int = 0

    @property
    def name(self) -> str:
        """``L0``, ``L1`` ..., or the kind in a word."""
        return f"L{self.level}" if self.kind in ("guest", "root") else self.kind


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn for one event.

    ``event`` is its number. ``label`` is text from the trace: data, to be escaped. ``rank`` orders labels
    where there is room for a few (0 first). ``state`` is that of an interrupt for a guest, ``sender`` the
    lane it came from if that is another one.
    """

    time: int
    event: int
    look: Look
    label: str
    rank: int = 5
    state: Guests = "pending"
    sender: int | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A timer armed for the guest, and what holds it."""

    start: int
    end: int
    holder: Literal["preemption timer", "hrtimer"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One vCPU: spans without a gap from the first event to the last, marks in order of time.

    ``depth`` is the highest level that ran, 0 if its events do not say when the guest ran.
    """

    name: str
    thread: str
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    alarms: tuple[Alarm, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Recording:
    """A run ready to be drawn: ``owners`` has the lane of each event, ``None`` for the host's.

    ``unit`` is that of all times, which begin at ``zero`` of the trace's clock and end after ``length``.
    """

    title: str
    note: str
    unit: str
    zero: int
    length: int
    events: tuple[Event, ...]
    owners: tuple[int | None, ...]
    lanes: tuple[Lane, ...]
    host: tuple[Mark, ...]

    def time(self, event: int) -> int:
        """Return when an event was, counted from the first one."""
        return self.events[event].time - self.zero

    def owner(self, event: int) -> str:
        """Return in whose lane an event is, as a word."""
        lane = self.owners[event]
        return "host" if lane is None else self.lanes[lane].name
