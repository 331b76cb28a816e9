"""The picture of an alarm's story: what the guest is given, the line, who runs, and what KVM runs for."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from kvmlab.show import marks
from kvmlab.show.alarm import Track
from kvmlab.show.alarm_story import AlarmStory, reasons, rings, vain
from kvmlab.show.alarm_svg import (
    GIVEN,
    HOLLOW,
    STRIP,
    Laid,
    alarm_svg,
    came_svg,
    given,
    hollow,
    laid,
    track_y,
    tracks_svg,
)
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.svg import document, text

WIDTH, HEIGHT = 960, 182
LEFT, RIGHT = 130, WIDTH - 16
TOP = 52
SCALE, RINGS = "not to scale", "rings"
_GIVEN = RIGHT - width(SCALE) - width(HOLLOW) - 70
"""Where the legend's word for a square ends."""


def alarm_story_svg(shown: AlarmStory) -> str:
    """Return the picture; its alternative text is the foot."""
    body = (*_body(shown), *foot_svg(shown.foot, HEIGHT - 32, WIDTH))
    return document(WIDTH, HEIGHT, shown.title, shown.foot, "".join(body))


def _body(shown: AlarmStory) -> Iterator[str]:
    rung = rings(shown.alarm)
    yield text(6, 20, shown.title, big=True, bold=True, room=_legend_left(any(rung)) - 14)
    yield from _legend(any(rung))
    yield from tracks_svg(LEFT, RIGHT, TOP)
    places = laid(shown.alarm, LEFT, RIGHT)
    yield from alarm_svg(places, TOP)
    yield from _vain_svg(places, vain(shown.alarm))
    yield from _reasons_svg(places, reasons(shown.alarm))
    yield from _rings_svg(places, rung)
    yield from came_svg(places, TOP - 16)
    past = next((place.left for place in places if place.one.past), None)
    if past is not None:
        yield marks.flag(past, 28, TOP + STRIP)


def _legend(rung: bool) -> Iterator[str]:
    x = RIGHT - width(SCALE)
    yield text(x, 20, SCALE, quiet=True)
    yield text(x - 20, 20, HOLLOW, anchor="end") + hollow(x - width(HOLLOW) - 52, 16, 26)
    yield from given(_GIVEN, 20)
    x = _legend_left(rung)
    yield text(x + 18, 20, RINGS) + marks.bell(x + 6, 15) if rung else ""


def _legend_left(rung: bool) -> float:
    """Return where the legend begins, with a bell or without."""
    return _GIVEN - width(GIVEN) - 18 - (width(RINGS) + 34 if rung else 0)


def _rings_svg(places: Sequence[Laid], rung: Sequence[Track | None]) -> Iterator[str]:
    """Yield a bell wherever it rings, in the track of the timer that does; KVM's own where the alarm was."""
    for (a, b), who in zip(pairwise(places), rung[1:], strict=True):
        if who:
            track = next(iter(a.one.holders), who) if who == "nobody" else who
            yield marks.bell(b.left, track_y(track, TOP))


def _vain_svg(places: Sequence[Laid], said: Sequence[str]) -> Iterator[str]:
    """Yield what it is set for over a timer that is set though there is no deadline.

    It stands on one side of the flag, if it has room over the line.
    """
    for (says, again), group in groupby(zip(said, places, strict=True), lambda it: (it[0], it[1].one.again)):
        sides = [[place for _, place in side] for _, side in groupby(group, lambda it: it[1].one.past)]
        wide, left = max((side[-1].right - side[0].left, side[0].left) for side in sides)
        y = TOP - 7 if again else track_y("preemption timer", TOP) - 5
        yield text(left + wide / 2, y, says, anchor="middle") if 0 < width(says) < wide else ""


def _reasons_svg(places: Sequence[Laid], said: Sequence[str]) -> Iterator[str]:
    """Yield what KVM runs for under its bars, as far as it has room."""
    taken = 0.0
    for _, group in groupby(zip(places, said, strict=True), lambda pair: pair[0].one.who):
        run = list(group)
        (first, says), (last, _) = run[0], run[-1]
        middle, half = (first.left + last.right) / 2, width(says, mono=True) / 2
        if says and middle - half > taken:
            yield text(min(middle, WIDTH - 6 - half), TOP + STRIP + 16, says, mono=True, anchor="middle")
            taken = middle + half + 6
