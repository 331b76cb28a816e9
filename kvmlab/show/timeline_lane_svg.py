"""One vCPU's lane: alarms on top, exits with their reasons, the band with interrupts, other events below."""

from collections import Counter
from collections.abc import Iterator, Sequence

from kvmlab.show import marks
from kvmlab.show.svg import group, line, num, path, text
from kvmlab.show.timeline_band import STOREY, Dense, band, bracket, fits, parts
from kvmlab.show.timeline_data import Mark
from kvmlab.show.timeline_interrupts_svg import arrows, interrupts
from kvmlab.show.timeline_labels import Stretch, Wanted, lonely, place
from kvmlab.show.timeline_place import ABOVE, BELOW, ROW, TRACK, Place
from kvmlab.show.timeline_scale import LEFT, RIGHT, Scale
from kvmlab.show.timeline_view import TimelineView


def lane_svg(seen: TimelineView, at: Place) -> str:
    """Return a lane without its name; arrows from other lanes are not part of it."""
    shown = seen.shown(at.lane.marks)
    scale = seen.scale
    crossed = [(x - 2, x + 4) for lane in seen.run.lanes for x in arrows(seen, lane)]
    return group(
        *_alarms(at, scale),
        *_labels_above(shown, at, seen, crossed if at.lane is not seen.run.lanes[0] else []),
        band(at.lane, at.floor, scale),
        ticks([m for m in shown if m.look in ("tick", "wish")], at.floor, scale),
        *labels_below(shown, at.floor, BELOW, seen, crossed),
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


def _labels_above(
    shown: Sequence[Mark], at: Place, seen: TimelineView, crossed: Sequence[Stretch]
) -> Iterator[str]:
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
    for label in place(wanted, ABOVE, [*stretches, *crossed]):
        y = at.roof - 7 - ROW * label.row
        yield line(label.x, at.floor - 3 * STOREY, label.x, y - 9, tone="quiet", thickness=0.75)
        yield text(label.start, y, label.words, mono=True)


def _order(mark: Mark, often: Counter[str], seen: TimelineView) -> tuple[int, ...]:
    """Return what decides who gets room: the event looked at, rank, rarity; then the latest.

    Words stand right of their line. Whoever is placed from right to left finds his line's way up free.
    """
    return int(mark.event != seen.current), mark.rank, often[mark.label], -mark.time


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
