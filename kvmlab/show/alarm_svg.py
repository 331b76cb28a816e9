"""The alarm line: a strip of who runs and, over it, a thick line in the track of whoever has the alarm.

Nothing is to scale: a stretch is as wide as its name needs. The line hops where the alarm changes hands; two
lines are two alarms. A hollow line is a preemption timer that is set, but stands still outside the guest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from kvmlab.show import marks
from kvmlab.show.alarm import TRACKS, Stretch, Track, Who
from kvmlab.show.measure import width
from kvmlab.show.svg import line, rect, text

TRACK = 17
"""From one track to the next."""
STRIP = 61
"""From the first track to the floor of the strip."""
HIGH = 18
"""Height of a strip's bar at its full."""
THICK = 6
WIDTHS: dict[Who, float] = {"guest": 44, "KVM": 36, "host": 36, "polls": 44, "asleep": 56}
HOLLOW = "set, but stands still"
"""What a hollow line means."""
GIVEN = "given to the guest"
"""What a square means."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A stretch with its place."""

    one: Stretch
    left: float
    right: float


def laid(some: Sequence[Stretch], left: float, right: float) -> list[Laid]:
    """Return stretches side by side between two edges: whoever runs gets room, and his stretches share it.

    Whoever runs while the deadline passes gets it on both sides.
    """
    runs = [(who, list(group)) for (who, _), group in groupby(some, lambda one: (one.who, one.past))]
    whole = sum(WIDTHS[who] for who, _ in runs) or 1
    places, x = [], left
    for who, group in runs:
        wide = (right - left) * WIDTHS[who] / whole / len(group)
        for one in group:
            places.append(Laid(one, x, x + wide))
            x += wide
    return places


def track_y(track: Track, top: float) -> float:
    """Return the level of a track whose first one is at ``top``."""
    return top + TRACK * TRACKS.index(track)


def tracks_svg(left: float, right: float, top: float) -> Iterator[str]:
    """Yield a hairline for each track, its name at the left."""
    for track in TRACKS:
        y = track_y(track, top)
        yield text(left - 8, y + 4.5, track, quiet=True, anchor="end")
        yield line(left, y, right, y, tone="quiet", thickness=0.5)


def alarm_svg(some: Sequence[Laid], top: float) -> Iterator[str]:
    """Yield the strip, the alarm line and its hops."""
    for who, group in groupby(some, lambda place: place.one.who):
        yield _strip(who, list(group), top + STRIP)
    for a, b in pairwise(some):
        yield from _hop(a, b, top)
    for track in TRACKS:
        yield from _lines(some, track, track_y(track, top))


def _lines(some: Sequence[Laid], track: Track, y: float) -> Iterator[str]:
    """Yield the line in one track: filled where its alarm will ring, hollow where it stands still."""

    def look(place: Laid) -> str:
        if track == "preemption timer" and place.one.hv:
            return "counts" if place.one.counts else "stands still"
        return "rings" if track in place.one.holders else ""

    for how, group in groupby(some, look):
        places = list(group)
        x, wide = places[0].left, places[-1].right - places[0].left
        if how == "stands still":
            yield hollow(x, y, wide)
        elif how:
            yield rect(x, y - THICK / 2, wide, THICK, "ink", outline=0)


def hollow(x: float, y: float, wide: float) -> str:
    """Draw a preemption timer that is set while the guest does not run."""
    return rect(x + 0.5, y - THICK / 2 + 0.5, wide - 1, THICK - 1, outline=1)


def _hop(a: Laid, b: Laid, top: float) -> Iterator[str]:
    """Yield an upright between the holders of two neighbours, if one has given the alarm to the other."""
    gone = [t for t in a.one.holders if t not in b.one.holders]
    new = [t for t in b.one.holders if t not in a.one.holders]
    for here, there in zip(gone, new, strict=False):
        yield line(b.left, track_y(here, top), b.left, track_y(there, top), thickness=2)


def _strip(who: Who, some: Sequence[Laid], floor: float) -> str:
    """Draw who runs: the guest a full bar, KVM and the host a third of one, who waits the bare floor.

    The name stands on one side of the deadline.
    """
    left, right = some[0].left, some[-1].right
    side = next(groupby(some, lambda place: place.one.past))[1]
    wide, middle = right - left, (left + [*side][-1].right) / 2
    if who == "guest":
        return rect(left, floor - HIGH, wide, HIGH, "l1") + text(middle, floor - 5, who, anchor="middle")
    if who in ("KVM", "host"):
        low = HIGH / 3
        role = "other" if who == "host" else "paper"
        return rect(left, floor - low, wide, low, role) + text(middle, floor - low - 3, who, anchor="middle")
    return line(left, floor, right, floor, "dotted") + text(middle, floor - 5, who, anchor="middle")


def came_svg(some: Sequence[Laid], y: float) -> Iterator[str]:
    """Yield a mark wherever KVM gives the guest the interrupt; one too many is crossed."""
    for a, b in pairwise(some):
        if b.one.came > a.one.came:
            yield marks.square(b.left, y, "delivered")
            yield marks.cross(b.left + 16, y) if b.one.came > 1 else ""


def given(right: float, y: float, says: str = GIVEN) -> Iterator[str]:
    """Yield what a square means, the words up to ``right``."""
    yield text(right, y, says, anchor="end") + marks.square(right - width(says) - 12, y - 5, "delivered")
