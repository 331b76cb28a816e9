"""What the marks of a timeline mean; only those that the run has."""

from collections.abc import Callable, Iterator
from functools import partial

from kvmlab.show import marks
from kvmlab.show.measure import width
from kvmlab.show.svg import group, line, text
from kvmlab.show.timeline_data import Recording

_STATES: dict[marks.Guests, str] = {
    "pending": "accepted (IRR)",
    "posted": "posted (PIR)",
    "in entry field": "in the entry field",
    "delivered": "delivered",
}


def legend(run: Recording, y: float) -> str:
    """Return a row of marks with their meaning, its baseline at ``y``."""
    x, out = 12.0, []
    for mark, words in _entries(run, y - 5):
        out.append(mark(x) + text(x + 12, y, words, quiet=True))
        x += width(words) + 38
    return group(*out)


def _entries(run: Recording, y: float) -> Iterator[tuple[Callable[[float], str], str]]:
    looks = {mark.look for lane in run.lanes for mark in lane.marks}
    states = {mark.state for lane in run.lanes for mark in lane.marks if mark.look == "interrupt"}
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
