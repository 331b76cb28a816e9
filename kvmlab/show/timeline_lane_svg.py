"""One vCPU's lane: alarms on top, exits with their reasons, the band with interrupts, other events below."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kvmlab.show import marks
from kvmlab.show.svg import arrow, group, line, num, path, text
from kvmlab.show.timeline_band import STOREY, Dense, band, bracket, fits, in_window, parts
from kvmlab.show.timeline_data import Lane, Mark
from kvmlab.show.timeline_labels import Stretch, Wanted, lonely, place, width
from kvmlab.show.timeline_scale import EDGE, LEFT, RIGHT, Scale
from kvmlab.show.timeline_view import TimelineView

ROW = 15
"""Height of a row of labels."""
ABOVE, BELOW = 2, 3
"""Rows of labels above a band and below it."""
TRACK = 14
"""Height of an alarm's track."""
ARROWS = 40
"""More arrows than this between two lanes would be a curtain."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lane is: ``top`` of all of it, ``roof`` and ``floor`` of its band, ``bottom``."""

    lane: Lane
    top: float

    @property
    def tracks(self) -> list[str]:
        """Who holds an alarm at some time in this run, in a fixed order."""
        return sorted({alarm.holder for alarm in self.lane.alarms}, reverse=True)

    @property
    def roof(self) -> float:
        """The upper edge of the band."""
        return self.top + TRACK * len(self.tracks) + ROW * ABOVE + 6

    @property
    def floor(self) -> float:
        """The line the band stands on."""
        return self.roof + STOREY * (2 + max(1, self.lane.depth))

    @property
    def middle(self) -> float:
        """Where interrupts for the guest are drawn: above root's storey."""
        return self.floor - 2 * STOREY

    @property
    def bottom(self) -> float:
        """The lower edge of the lane."""
        return self.floor + 8 + ROW * BELOW


def lane_svg(seen: TimelineView, at: Place) -> str:
    """Return a lane without its name; arrows from other lanes are drawn by :func:`sent`."""
    shown = seen.shown(at.lane.marks)
    scale = seen.scale
    arrows = [(x - 2, x + 4) for lane in seen.run.lanes for x in _arrows(seen, lane)]
    return group(
        *_alarms(at, scale),
        *_labels_above(shown, at, seen),
        band(at.lane, at.floor, scale),
        ticks([m for m in shown if m.look in ("tick", "wish")], at.floor, scale),
        *labels_below(shown, at.floor, BELOW, seen, arrows),
        *_wishes(shown, at, scale),
        *interrupts([m for m in shown if m.look == "interrupt"], at, scale),
    )


def _alarms(at: Place, scale: Scale) -> Iterator[str]:
    """Yield the tracks with their names and the armed stretches as lines of 6 pixels."""
    for i, holder in enumerate(at.tracks):
        y = at.top + TRACK * i + 5
        yield text(LEFT - 8, y + 4, holder, anchor="end", quiet=True)
        yield line(LEFT, y, RIGHT, y, tone="quiet", thickness=0.4)
        armed = [
            a for a in at.lane.alarms if a.holder == holder and a.start < scale.end and a.end > scale.start
        ]
        d = "".join(
            f"M{num(scale.x(a.start))} {num(y)}H{max(scale.x(a.end), scale.x(a.start) + 1):.1f}"
            for a in armed
        )
        yield path(d, thickness=6) if d else ""


def _labels_above(shown: Sequence[Mark], at: Place, seen: TimelineView) -> Iterator[str]:
    """Yield the exits' reasons and forced entries, the rarest reasons first; dense stretches as brackets."""
    scale = seen.scale
    dense = [s for s in parts(at.lane.spans, scale) if isinstance(s, Dense)]
    yield from (bracket(stretch, at.roof - 3, scale) for stretch in dense)
    named = [m for m in shown if m.look == "wish" or m.look == "exit" and not _within(m.time, dense)]
    often = Counter(m.label for m in named)
    wanted = [
        Wanted(scale.x(m.time), m.label, _order(m, often, seen), int(m.look == "wish")) for m in named
    ] + [
        Wanted((scale.x(s.start) + scale.x(s.end)) / 2, s.words, (1, 0, s.start))
        for s in dense
        if not fits(s, scale)
    ]
    stretches = [(scale.x(s.start), scale.x(s.end)) for s in dense if fits(s, scale)]
    for label in place(wanted, ABOVE, stretches):
        y = at.roof - 7 - ROW * label.row
        yield line(label.x, at.floor - 3 * STOREY, label.x, y - 9, tone="quiet", thickness=0.75)
        yield text(label.start, y, label.words, mono=True)


def _order(mark: Mark, often: Counter[str], seen: TimelineView) -> tuple[int, ...]:
    """Return what decides who gets room: the event looked at, rank, rarity, time."""
    return int(mark.event != seen.current), mark.rank, often[mark.label], mark.time


def _within(time: int, dense: Sequence[Dense]) -> bool:
    return any(stretch.start < time <= stretch.end for stretch in dense)


def ticks(shown: Sequence[Mark], y: float, scale: Scale) -> str:
    """Return a small tick for each event, one for all that share a pixel."""
    places = sorted({round(scale.x(mark.time)) for mark in shown})
    return path("".join(f"M{x} {num(y)}v5" for x in places), thickness=1) if places else ""


def labels_below(
    shown: Sequence[Mark], y: float, rows: int, seen: TimelineView, reserved: Sequence[Stretch] = ()
) -> Iterator[str]:
    """Yield the words of all other events, the important ones first, among them the rare ones."""
    named = [m for m in shown if m.look == "tick" and m.label and m.rank < 9]
    places = [seen.scale.x(m.time) for m in named]
    often = Counter(m.label for m in named)
    wanted = [
        Wanted(x, m.label, _order(m, often, seen))
        for m, x, alone in zip(named, places, lonely(places), strict=True)
        if alone or m.event == seen.current
    ]
    for label in place(wanted, rows, reserved):
        base = y + 17 + ROW * label.row
        yield line(label.x, y, label.x, base, tone="quiet", thickness=0.75)
        yield text(label.start, base, label.words, mono=True)


def _wishes(shown: Sequence[Mark], at: Place, scale: Scale) -> Iterator[str]:
    places = sorted({round(scale.x(m.time)) for m in shown if m.look == "wish"})
    return (marks.wish(x, at.floor - 8) for x in places)


def interrupts(shown: Sequence[Mark], at: Place, scale: Scale) -> Iterator[str]:
    """Yield the squares; those that would overlap are one, in the latest state, with their number."""
    groups = [list(some) for some in clusters(shown, scale)]
    ends = [scale.x(some[-1].time) for some in groups]
    edges = _edges(at, scale)
    for i, some in enumerate(groups):
        start, words = ends[i] + marks.SIDE / 2 + 3, _together(some)
        until = ends[i + 1] - marks.SIDE / 2 if i + 1 < len(ends) else float(EDGE)
        free = start + width(words) <= until and not _crossed(edges, start, start + width(words))
        yield marks.square(ends[i], at.middle, some[-1].state)
        yield text(start, at.middle + 5, words, mono=True) if free else ""


def _edges(at: Place, scale: Scale) -> list[float]:
    """Return where a guest's bar begins or ends: no vector is written across."""
    guests = [span for span in in_window(at.lane.spans, scale) if span.kind == "guest"]
    return [scale.x(time) for span in guests for time in (span.start, span.end)]


def _crossed(edges: Sequence[float], start: float, end: float) -> bool:
    return bisect_left(edges, end) > bisect_right(edges, start)


def clusters(shown: Sequence[Mark], scale: Scale) -> Iterator[Sequence[Mark]]:
    """Yield marks that overlap together."""
    some: list[Mark] = []
    for mark in shown:
        if some and scale.x(mark.time) - scale.x(some[0].time) > marks.SIDE:
            yield some
            some = []
        some.append(mark)
    if some:
        yield some


def _together(some: Sequence[Mark]) -> str:
    """Return the vector, and how many of the same state one square stands for."""
    same = [mark for mark in some if mark.state == some[-1].state]
    vectors = list(dict.fromkeys(mark.label for mark in same))
    names = vectors[0] if len(vectors) == 1 else f"{len(vectors)} vectors"
    return names if len(same) == 1 else f"{names} ×{len(same)}"


def _arrows(seen: TimelineView, to: Lane) -> dict[float, int]:
    """Return where an interrupt came from another vCPU, and from which; nothing if there are too many."""
    came = {seen.scale.x(m.time): m.sender for m in seen.shown(to.marks) if m.sender is not None}
    return came if len(came) <= ARROWS else {}


def sent(seen: TimelineView, places: Sequence[Place]) -> Iterator[str]:
    """Yield an arrow from the vCPU that sent an interrupt to the one that accepted it."""
    for to in places:
        yield from (_arrow(x, places[sender], to) for x, sender in _arrows(seen, to.lane).items())


def _arrow(x: float, sender: Place, to: Place) -> str:
    down = to.floor > sender.floor
    start = sender.floor if down else sender.floor - STOREY
    return arrow(x, start, x, to.middle + (-1 if down else 1) * (marks.SIDE / 2 + 1))
