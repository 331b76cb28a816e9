"""What a timeline shows at one moment: a window, perhaps one event; and the sentence that says so."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.show.timeline_band import in_window
from kvmlab.show.timeline_data import Lane, Mark, Recording
from kvmlab.show.timeline_marks import printable
from kvmlab.show.timeline_scale import Scale, share
from kvmlab.traces.errors import TraceError
from kvmlab.traces.event import Event
from kvmlab.traces.line import Clock, format_line

REASONS = 3
"""So many exit reasons are named in a sentence, the most frequent ones."""


@dataclass(frozen=True, slots=True)
class TimelineView:
    """A window of a recording, both ends included; ``current`` is the number of the event looked at."""

    run: Recording
    window: tuple[int, int]
    current: int | None = None

    @property
    def scale(self) -> Scale:
        """The window laid over the plot."""
        return Scale(*self.window, self.run.unit)

    @property
    def foot(self) -> str:
        """The sentence under the picture, its alternative text, and the last one of the twin."""
        return " ".join(sentence for sentence in (_summary(self), _looked_at(self)) if sentence)

    @property
    def in_view(self) -> bool:
        """Whether the event looked at is in the window."""
        return self.current is not None and self.window[0] <= self.run.time(self.current) <= self.window[1]

    def shown(self, marks: Sequence[Mark]) -> Sequence[Mark]:
        """Return the marks in the window."""
        start, end = self.window
        first = bisect_left(marks, start, key=lambda mark: mark.time)
        return marks[first : bisect_right(marks, end, key=lambda mark: mark.time)]

    def events(self) -> range:
        """Return the numbers of the events in the window."""
        start, end = (self.run.zero + edge for edge in self.window)
        first = bisect_left(self.run.events, start, key=lambda event: event.time)
        return range(first, bisect_right(self.run.events, end, key=lambda event: event.time))

    def exits(self, lane: Lane) -> Counter[str]:
        """Return the exits of a vCPU in the window by reason."""
        return Counter(reason(self.run.events[m.event]) for m in self.shown(lane.marks) if m.look == "exit")


def view(run: Recording, window: tuple[int, int] | None = None, current: int | None = None) -> TimelineView:
    """Return what is to be seen of a recording: all of it, or a window counted from its first event.

    Raises BadInput if the window is empty or not in the run, or if there is no event ``current``.
    """
    start, end = window or (0, run.length)
    if not 0 <= start < end <= run.length:
        raise BadInput(f"window {start} to {end}: it must be a part of 0 to {run.length} {run.unit}")
    if current is not None and not 0 <= current < len(run.events):
        raise BadInput(f"event {current}: this run has events 0 to {len(run.events) - 1}")
    return TimelineView(run, (start, end), current)


def reason(event: Event) -> str:
    """Return why a kvm_exit happened, as the trace says it."""
    return printable(str(event.fields.get("exit_reason", "?")))


def trace_line(run: Recording, event: int) -> str:
    """Return an event as the line of its trace."""
    what = run.events[event]
    coarse = all(known.time % 1000 == 0 for known in run.events[:100])
    clock = Clock.TICKS if run.unit == "ticks" else Clock.US if coarse and what.time % 1000 == 0 else Clock.NS
    try:
        return printable(format_line(what, clock))
    except TraceError:  # A simulated event may have a name that no reader would take; it can be shown.
        head = f"{what.task}-{what.pid} [{what.cpu:03}] {what.flags} {what.time}"
        return printable(f"{head}: {what.name}: {what.text}")


def _summary(seen: TimelineView) -> str:
    """Say what each vCPU did in the window; of many, the first two."""
    start, end = seen.window
    told = [
        f"{lane.name}: {_shares(lane, seen)}; {_counted(seen.exits(lane))}." for lane in seen.run.lanes[:2]
    ]
    more = len(seen.run.lanes) - 2
    rest = [f"And {more} more vCPU{'s' if more > 1 else ''}."] if more > 0 else []
    return " ".join([f"From {start} to {end} {seen.run.unit}.", *(told or ["No vCPU."]), *rest])


def shares(lane: Lane, seen: TimelineView) -> dict[str, int]:
    """Return the time in the window of each name of a span, guests first."""
    start, end = seen.window
    times: Counter[str] = Counter()
    for span in in_window(lane.spans, seen.scale):
        times[span.name] += max(0, min(span.end, end) - max(span.start, start))
    order = sorted(times, key=lambda name: (name[0] != "L", -ord(name[1]) if name[0] == "L" else 0, name))
    return {name: times[name] for name in order if times[name]}


def _shares(lane: Lane, seen: TimelineView) -> str:
    start, end = seen.window
    return ", ".join(f"{name} {share(time, end - start)}" for name, time in shares(lane, seen).items())


def _counted(exits: Counter[str]) -> str:
    total = sum(exits.values())
    if not total:
        return "no exit"
    ranked = sorted(exits.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{n} {name}" for name, n in ranked[:REASONS]]
    rest = total - sum(n for _, n in ranked[:REASONS])
    named += [f"{rest} other"] if rest else []
    return f"{total} exit{'' if total == 1 else 's'} ({', '.join(named)})"


def _looked_at(seen: TimelineView) -> str:
    """Say which event is looked at, and when it was."""
    if seen.current is None:
        return ""
    run, event = seen.run, seen.run.events[seen.current]
    where = f"Event {seen.current + 1} of {len(run.events)}" + (
        "" if seen.in_view else " (not in the window)"
    )
    what = printable(f"{event.name}, {run.owner(seen.current)}")
    return f"{where} at {run.time(seen.current)}: {what}."
