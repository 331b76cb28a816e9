"""What the marks of a timeline mean; only those that are in view."""

from collections.abc import Callable, Iterator
from functools import partial

from kvmlab.show import marks
from kvmlab.show.measure import width
from kvmlab.show.svg import group, line, text
from kvmlab.show.timeline_interrupts_svg import drawn_states
from kvmlab.show.timeline_view import TimelineView

_STATES: dict[marks.Guests, str] = {
    "pending": "accepted (IRR)",
    "posted": "posted (PIR)",
    "in entry field": "in the entry field",
    "delivered": "delivered",
}


def legend(seen: TimelineView, y: float) -> str:
    """Return a row of marks with their meaning, its baseline at ``y``."""
    x, out = 12.0, []
    for mark, words in _entries(seen, y - 5):
        out.append(mark(x) + text(x + 12, y, words, quiet=True))
        x += width(words) + 38
    return group(*out)


def _entries(seen: TimelineView, y: float) -> Iterator[tuple[Callable[[float], str], str]]:
    run, states = seen.run, drawn_states(seen)
    looks = {mark.look for lane in run.lanes for mark in lane.marks}
    for state, words in _STATES.items():
        if state in states:
            yield partial(marks.square, y=y, state=state), words
    if any(mark.look == "host interrupt" for mark in run.host):
        yield partial(marks.diamond, y=y, state="taken"), "interrupt taken by the host"
    if "wish" in looks:
        yield partial(marks.wish, y=y), "wish to leave"
    if any(lane.alarms for lane in run.lanes):
        yield partial(_armed, y=y), "alarm armed"


def _armed(x: float, y: float) -> str:
    return line(x - 6, y, x + 6, y, thickness=6)
