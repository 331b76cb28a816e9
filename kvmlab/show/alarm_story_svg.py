"""The picture of an alarm's story: what the guest is given, the line, who runs, and what KVM runs for."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from kvmlab.show import marks
from kvmlab.show.alarm_story import AlarmStory, reasons, vain
from kvmlab.show.alarm_svg import (
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
SCALE = "not to scale"


def alarm_story_svg(shown: AlarmStory) -> str:
    """Return the picture; its alternative text is the foot."""
    body = (*_body(shown), *foot_svg(shown.foot, HEIGHT - 32, WIDTH))
    return document(WIDTH, HEIGHT, shown.title, shown.foot, "".join(body))


def _body(shown: AlarmStory) -> Iterator[str]:
    yield text(6, 20, shown.title, big=True, bold=True)
    yield from _legend()
    yield from tracks_svg(LEFT, RIGHT, TOP)
    places = laid(shown.alarm, LEFT, RIGHT)
    yield from alarm_svg(places, TOP)
    yield from _vain_svg(places, vain(shown.alarm))
    yield from _reasons_svg(places, reasons(shown.alarm))
    yield from came_svg(places, TOP - 16)
    past = next((place.left for place in places if place.one.past), None)
    if past is not None:
        yield marks.flag(past, 28, TOP + STRIP)


def _legend() -> Iterator[str]:
    x = RIGHT - width(SCALE)
    yield text(x, 20, SCALE, quiet=True)
    yield text(x - 24, 20, HOLLOW, anchor="end") + hollow(x - width(HOLLOW) - 56, 16, 26)
    yield from given(x - width(HOLLOW) - 80, 20)


def _vain_svg(places: Sequence[Laid], said: Sequence[str]) -> Iterator[str]:
    """Yield what it was set for over a preemption timer that is set though there is no deadline."""
    for says, group in groupby(zip(said, places, strict=True), lambda pair: pair[0]):
        some = [place for _, place in group]
        middle = (some[0].left + some[-1].right) / 2
        yield text(middle, track_y("preemption timer", TOP) - 5, says, anchor="middle") if says else ""


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
