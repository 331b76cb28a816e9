"""Interrupts for a guest in its lane: squares, joined where they would overlap, and arrows from senders."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from kvmlab.show import marks
from kvmlab.show.svg import arrow, text
from kvmlab.show.timeline_band import STOREY, in_window
from kvmlab.show.timeline_data import Lane, Mark
from kvmlab.show.timeline_labels import width
from kvmlab.show.timeline_place import Place
from kvmlab.show.timeline_scale import EDGE, LEFT, Scale
from kvmlab.show.timeline_view import TimelineView

ARROWS = 40
"""More arrows than this between two lanes would be a curtain."""


def interrupts(shown: Sequence[Mark], at: Place, scale: Scale) -> Iterator[str]:
    """Yield the squares; those that would overlap are one, in the latest state, with their number."""
    groups = [list(some) for some in clusters(shown, scale)]
    ends = [scale.x(some[-1].time) for some in groups]
    edges = _edges(at, scale)
    taken = float(LEFT)
    for (x, following), some in zip(pairwise([*ends, EDGE + marks.SIDE / 2]), groups, strict=True):
        yield marks.square(x, at.middle, some[-1].state)
        words, taken_before, taken = _together(some), taken, x + marks.SIDE / 2
        for start, end in _beside(x, width(words)):
            if (
                taken_before <= start
                and end <= following - marks.SIDE / 2
                and not _crossed(edges, start, end)
            ):
                yield text(start, at.middle + 5, words, mono=True)
                taken = max(taken, end)
                break


def _beside(x: float, wide: float) -> Iterator[tuple[float, float]]:
    """Yield where a square's vector may stand: right of it, or else left of it."""
    gap = marks.SIDE / 2 + 3
    yield x + gap, x + gap + wide
    yield x - gap - wide, x - gap


def drawn_states(seen: TimelineView) -> set[marks.Guests]:
    """Return the states in which interrupts are drawn: of those that overlap only the latest."""
    return {
        some[-1].state
        for lane in seen.run.lanes
        for some in clusters([m for m in seen.shown(lane.marks) if m.look == "interrupt"], seen.scale)
    }


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


def arrows(seen: TimelineView, to: Lane) -> dict[float, int]:
    """Return where an interrupt came from another vCPU, and from which; nothing if there are too many."""
    came = {seen.scale.x(m.time): m.sender for m in seen.shown(to.marks) if m.sender is not None}
    return came if len(came) <= ARROWS else {}


def sent(seen: TimelineView, places: Sequence[Place]) -> Iterator[str]:
    """Yield an arrow from the vCPU that sent an interrupt to the one that accepted it."""
    for to in places:
        yield from (_arrow(x, places[sender], to) for x, sender in arrows(seen, to.lane).items())


def _arrow(x: float, sender: Place, to: Place) -> str:
    down = to.floor > sender.floor
    start = sender.floor if down else sender.floor - STOREY
    return arrow(x, start, x, to.middle + (-1 if down else 1) * (marks.SIDE / 2 + 1))
