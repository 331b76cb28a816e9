"""The picture of the countdown: the counter goes down a step whenever bit X of the TSC changes.

x is the host's TSC. Where the whole way is too long, the picture shows its end and says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from kvmlab.show import marks
from kvmlab.show.countdown import Countdown, mhz
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.svg import arrow, document, line, num, path, rect, text
from kvmlab.show.titles import plural

WIDTH, HEIGHT = 960, 296
LEFT, RIGHT = 48, WIDTH - 40
LANES = (46, 62, 78)
"""Baselines of what is said of the arming, the entry, the deadline: a lane each, so that they never meet."""
TOP, LOW = 106, 174
"""y of the counter's highest value in view, and of 0."""
STRIP, APART, AXIS = 188, 222, 236
"""y of the guest's bar, of the distance between deadline and exit, of the axis."""
MOST = 10
"""So many ticks are in view at most."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """The stretch of TSC in view; ``cut``: what came before it is left out."""

    first: int
    last: int
    cut: bool

    def x(self, tsc: int) -> float:
        """Return the place of a point in time; what came earlier is at the left edge."""
        return LEFT + (RIGHT - LEFT) * (max(tsc, self.first) - self.first) / (self.last - self.first)


def countdown_svg(shown: Countdown) -> str:
    """Return the picture; its alternative text is the foot."""
    way = _way(shown, _frame(shown, shown.deadline)) if shown.deadline is not None else _none()
    body = (*_head(shown), *way, *foot_svg(shown.foot, HEIGHT - 32, WIDTH))
    return document(WIDTH, HEIGHT, "The countdown", shown.foot, "".join(body))


def _head(shown: Countdown) -> Iterator[str]:
    tick = plural(shown.tick, "cycle")
    yield text(6, 20, f"The countdown: X = {shown.rate}, a tick is {tick}", big=True, bold=True)
    most = f"the most that fits: {shown.largest} cycles, {shown.seconds} s at {mhz(shown.host_khz)}"
    yield text(WIDTH - 6, 20, most, quiet=True, anchor="end")


def _none() -> Iterator[str]:
    yield marks.cross(WIDTH / 2 - 136, 135)
    yield text(WIDTH / 2 - 122, 140, "does not fit: the hrtimer has the alarm", big=True, bold=True)


def _frame(shown: Countdown, deadline: int) -> _Frame:
    last = max(deadline, shown.fires) + shown.tick // 2 + 1
    first = max(shown.armed - shown.tick // 4 - 1, last - MOST * shown.tick)
    return _Frame(first, last, first > shown.armed)


def _way(shown: Countdown, frame: _Frame) -> Iterator[str]:
    yield from _grid(shown, frame)
    yield from _runs(shown, frame)
    yield from _moments(shown, frame)
    yield from _counter(shown, frame)
    yield from _apart(shown, frame)


def _grid(shown: Countdown, frame: _Frame) -> Iterator[str]:
    """Yield a hairline wherever bit X changes, with its TSC where there is room."""
    points = range(-(-frame.first // shown.tick) * shown.tick, frame.last + 1, shown.tick)
    room = (RIGHT - LEFT) * shown.tick / (frame.last - frame.first)
    every = int(width(str(frame.last)) // room) + 1
    for i, tsc in enumerate(points):
        x = frame.x(tsc)
        yield line(x, TOP - 14, x, AXIS + 4, thickness=0.5, tone="quiet")
        if i % every == 0 and x < RIGHT:
            yield text(x, AXIS + 18, str(tsc), quiet=True, anchor="middle")
    yield line(LEFT, AXIS, RIGHT, AXIS) + text(RIGHT + 34, AXIS + 18, "TSC", quiet=True, anchor="end")


def _runs(shown: Countdown, frame: _Frame) -> Iterator[str]:
    """Yield who runs: KVM until the entry, then the guest; the counter counts in the guest only."""
    armed, entry, fires = (frame.x(tsc) for tsc in (shown.armed, shown.entry, shown.fires))
    if not frame.cut:
        yield rect(armed, STRIP + 12, entry - armed, 6)
        if entry - armed > 36:
            yield text((armed + entry) / 2, STRIP + 9, "KVM", anchor="middle")
    yield rect(entry, STRIP, fires - entry, 18, "l1")
    if fires - entry > 50:
        yield text((entry + fires) / 2, STRIP + 14, "guest", anchor="middle")


def _moments(shown: Countdown, frame: _Frame) -> Iterator[str]:
    """Yield the arming and the entry, unless they came too early to be in view, and the deadline."""
    assert shown.deadline is not None
    armed, entered = f"armed {shown.armed}: {plural(shown.ticks, 'tick')}", f"entered {shown.entry}"
    if frame.cut:
        yield text(LEFT, LANES[0], f"← {armed}, {entered}; the last ticks")
    else:
        for tsc, lane, says in ((shown.armed, LANES[0], armed), (shown.entry, LANES[1], entered)):
            x = frame.x(tsc)
            yield line(x, lane - 10, x, STRIP + 18) + text(x + 6, lane, says)
    x = frame.x(shown.deadline)
    yield marks.flag(x, LANES[2] - 10, AXIS)
    says, behind = f"deadline {shown.deadline}", x + 18
    if behind + width(says) < WIDTH - 6:
        yield text(behind, LANES[2], says)
    else:
        yield text(x - 6, LANES[2], says, anchor="end")


def _counter(shown: Countdown, frame: _Frame) -> Iterator[str]:
    """Yield the counter: a staircase from the entry down to 0, with its values."""
    steps = [(tsc, value) for tsc, value in _values(shown) if tsc + shown.tick > frame.first]
    high = max(value for _, value in steps) or 1
    places = [(frame.x(tsc), LOW - (LOW - TOP) * value / high, value) for tsc, value in steps]
    start, *rest = places
    down = "".join(f"H{num(x)}V{num(y)}" for x, y, _ in rest)
    yield path(f"M{num(start[0])} {num(start[1])}{down}", thickness=3)
    for (x, y, value), (until, _, _) in pairwise(places):
        if until - x > width(str(value), bold=True):
            yield text((x + until) / 2, y - 6, str(value), bold=True, anchor="middle")


def _values(shown: Countdown) -> Iterator[tuple[int, int]]:
    """Yield from when on the counter has which value: the entry's, then the last ones down to 0."""
    yield shown.entry, shown.ticks
    for value in range(min(shown.ticks, MOST + 1) - 1, -1, -1):
        yield shown.fires - shown.tick * value, value


def _apart(shown: Countdown, frame: _Frame) -> Iterator[str]:
    """Yield the exit, and how far it is from the deadline."""
    assert shown.deadline is not None
    deadline, fires = frame.x(shown.deadline), frame.x(shown.fires)
    yield line(fires, LOW, fires, APART + 5, thickness=2)
    if shown.late:
        yield arrow(deadline, APART, fires, APART)
    says = f"{shown.said}: exit at {shown.fires}"
    left, right = sorted((deadline, fires))
    wide = width(says, bold=True)
    if right + 8 + wide < WIDTH - 6:
        yield text(right + 8, APART + 5, says, bold=True)
    elif left - 8 - wide > 0:
        yield text(left - 8, APART + 5, says, bold=True, anchor="end")
    else:
        yield text((left + right) / 2, APART - 5, says, bold=True, anchor="middle")
