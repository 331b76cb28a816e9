"""The text twin of a timeline: what the picture shows, in words, at most 80 columns wide."""

from collections import Counter
from collections.abc import Iterable, Iterator
from textwrap import wrap

from kvmlab.show.timeline_band import Dense, parts
from kvmlab.show.timeline_data import Lane, Mark
from kvmlab.show.timeline_marks import printable
from kvmlab.show.timeline_view import TimelineView, shares

COLUMNS = 80
LISTED = 30
"""So many events are listed one by one; of more, those around the event looked at."""
AROUND = 4


def timeline_text(seen: TimelineView) -> str:
    """Return the window in words; its last paragraph is the foot, the same as in the picture."""
    told = [*_head(seen), ""]
    for lane in seen.run.lanes:
        told += _lane(lane, seen)
    told += [*_host(seen), "", *_listed(seen), "", *lines(seen.foot)]
    return "\n".join(line.rstrip() for line in told)


def lines(text: str, indent: str = "") -> list[str]:
    """Return ``text`` in lines of the twin's width; only a word that is longer is broken."""
    return wrap(printable(text), COLUMNS, subsequent_indent=indent, break_on_hyphens=False)


def _head(seen: TimelineView) -> Iterator[str]:
    run, (start, end) = seen.run, seen.window
    yield from lines(f"Timeline: {run.title}" if run.title else "Timeline")
    yield from lines(run.note)
    events = f"{len(seen.events())} of {len(run.events)} events"
    yield f"window {start} to {end} of {run.length} {run.unit}; {events}"


def _lane(lane: Lane, seen: TimelineView) -> Iterator[str]:
    """Yield what one vCPU did: whose code ran, exits, alarms, and where the picture is binned."""
    yield from lines(f"{lane.name} ({lane.thread})")
    times = shares(lane, seen).items()
    yield from _pairs("  runs", (f"{name} {time} {seen.run.unit}" for name, time in times))
    yield from _pairs("  exits", _counted(seen.exits(lane)))
    start, end = seen.window
    armed = Counter(alarm.holder for alarm in lane.alarms if alarm.start < end and alarm.end > start)
    yield from _pairs("  alarms", (f"{times} on the {holder}" for holder, times in sorted(armed.items())))
    dense = [stretch for stretch in parts(lane.spans, seen.scale) if isinstance(stretch, Dense)]
    binned = f"{sum(stretch.exits for stretch in dense)} exits in {len(dense)} dense stretches"
    yield from _pairs("  binned in the picture", [binned] if dense else [])


def _host(seen: TimelineView) -> Iterator[str]:
    taken = Counter(m.label for m in seen.shown(seen.run.host) if m.look == "host interrupt")
    if seen.run.host:
        yield from _pairs("host takes", _counted(taken) if taken else ["no interrupt"])


def _counted(times: Counter[str]) -> Iterator[str]:
    return (f"{n} {name}" for name, n in sorted(times.items(), key=lambda item: (-item[1], item[0])))


def _pairs(name: str, values: Iterable[str]) -> list[str]:
    words = ", ".join(values)
    return lines(f"{name}: {words}", "    ") if words else []


def _listed(seen: TimelineView) -> Iterator[str]:
    """Yield a line for each event of the window, or why not."""
    chosen = _chosen(seen)
    skipped = len(seen.events()) - len(chosen)
    wide = max([len(str(seen.run.time(event))) for event in chosen] + [4])
    who = max([len(seen.run.owner(event)) for event in chosen] + [4])
    said = _marks(seen)
    for event in chosen:
        sign = ">" if event == seen.current else " "
        words = "; ".join(map(_words, said.get(event, ())))
        head = f"{sign} {seen.run.time(event):{wide}}  {seen.run.owner(event):{who}}  {words}"
        yield head if len(head) <= COLUMNS else head[: COLUMNS - 3] + "..."
    if skipped:
        yield f"{skipped} {'more ' if chosen else ''}events in the window; a narrower one lists them"


def _chosen(seen: TimelineView) -> range:
    events = seen.events()
    if len(events) <= LISTED:
        return events
    if seen.current is None or seen.current not in events:
        return range(0)
    return range(max(events.start, seen.current - AROUND), min(events.stop, seen.current + AROUND + 1))


def _marks(seen: TimelineView) -> dict[int, list[Mark]]:
    """Return the marks in the window by event; an entry that delivers an interrupt has two."""
    found: dict[int, list[Mark]] = {}
    for marks in (seen.run.host, *(lane.marks for lane in seen.run.lanes)):
        for mark in seen.shown(marks):
            found.setdefault(mark.event, []).append(mark)
    return {event: [_named(mark, seen) for mark in marks] for event, marks in found.items()}


def _named(mark: Mark, seen: TimelineView) -> Mark:
    """Return a mark with words: its event's name if it has none of its own."""
    name = seen.run.events[mark.event].name.removeprefix("kvm_")
    sender = f" from {seen.run.lanes[mark.sender].name}" if mark.sender is not None else ""
    return Mark(mark.time, mark.event, mark.look, (mark.label or printable(name)) + sender, state=mark.state)


def _words(mark: Mark) -> str:
    """Return a mark in words."""
    if mark.look == "interrupt":
        return f"{mark.label} {_STATES[mark.state]}"
    before = {"exit": "exit ", "wish": "entry, ", "host interrupt": "takes "}.get(mark.look, "")
    return before + mark.label


_STATES = {
    "pending": "accepted in IRR",
    "posted": "posted in PIR",
    "in entry field": "in the entry field",
    "delivered": "delivered",
    "lost": "lost",
}
