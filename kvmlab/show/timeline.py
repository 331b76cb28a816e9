"""A run as a picture: a lane per vCPU, the host below, time to the right. 960 wide, as high as it has lanes.

Height carries whose code runs (:mod:`kvmlab.show.timeline_band`), squares are interrupts for a guest,
diamonds interrupts for a CPU. No event is made up: where a trace does not say what happened, neither do we.
"""

from collections.abc import Iterator

from kvmlab.show.measure import ellipsize, width, wrap
from kvmlab.show.svg import document, group, line, num, path, polygon, rect, text
from kvmlab.show.theme import BIG
from kvmlab.show.timeline_band import STOREY
from kvmlab.show.timeline_data import Recording
from kvmlab.show.timeline_host_svg import HOST, host_svg
from kvmlab.show.timeline_interrupts_svg import sent
from kvmlab.show.timeline_lane_svg import lane_svg
from kvmlab.show.timeline_legend import legend
from kvmlab.show.timeline_place import Place
from kvmlab.show.timeline_scale import LEFT, RIGHT, WIDTH
from kvmlab.show.timeline_view import TimelineView

OVERVIEW = 14
"""Height of the strip that shows the whole run."""
AXIS, LEGEND, FOOT = 28, 26, 36
"""Heights at the bottom."""


def timeline_svg(seen: TimelineView) -> str:
    """Return the picture; its alternative text is the foot."""
    top = 52.0 if seen.run.note else 34.0
    places = _places(seen.run, top + OVERVIEW + 12)
    host = places[-1].bottom + 4 if places else top + OVERVIEW + 12
    axis = host + (HOST if seen.run.host else 0)
    height = int(axis + AXIS + LEGEND + FOOT)
    body = (
        *_head(seen),
        _whole_run(seen, top),
        _cursor_ground(seen, top + OVERVIEW + 4, axis + 6),
        *(_gutter(at) + lane_svg(seen, at) for at in places),
        *sent(seen, places),
        host_svg(seen, host) if seen.run.host else "",
        _axis(seen, axis + 6),
        _cursor(seen, top + OVERVIEW + 4, axis + 6),
        legend(seen, axis + AXIS + 16),
        *_foot(seen.foot, height),
    )
    return document(WIDTH, height, seen.run.title or "Timeline", seen.foot, group(*body))


def _places(run: Recording, top: float) -> list[Place]:
    places: list[Place] = []
    for lane in run.lanes:
        places.append(Place(lane, top))
        top = places[-1].bottom + 10
    return places


def _head(seen: TimelineView) -> Iterator[str]:
    """Yield title, note, and how much is in view."""
    run = seen.run
    aside = f"{len(seen.events())} of {len(run.events)} events in view"
    yield text(6, 20, run.title or "Timeline", big=True, bold=True, room=WIDTH - 30 - width(aside))
    yield text(WIDTH - 8, 20, aside, anchor="end")
    yield text(6, 40, run.note, quiet=True, room=WIDTH - 14)


def _whole_run(seen: TimelineView, y: float) -> str:
    """Return the strip of the whole run with the window in it."""
    start, end = (LEFT + edge / seen.run.length * (RIGHT - LEFT) for edge in seen.window)
    left, right = start - 1, max(end, start + 2) + 1
    window = path(f"M{num(left)} {num(y)}H{num(right)}v{OVERVIEW}H{num(left)}z")
    return text(LEFT - 8, y + 11, "whole run", quiet=True, anchor="end") + _density(seen.run, y) + window


def _density(run: Recording, y: float) -> str:
    """Return a bar for each few pixels, as high as there are many events."""
    step = 3
    counts = [0] * (int(RIGHT - LEFT) // step + 1)
    for event in run.events:
        counts[(event.time - run.zero) * (len(counts) - 1) // run.length] += 1
    floor, most = y + OVERVIEW, max(counts)
    d = "".join(
        f"M{num(LEFT + i * step)} {num(floor)}v{num(-2 - (OVERVIEW - 4) * count / most)}h2V{num(floor)}z"
        for i, count in enumerate(counts)
        if count
    )
    return path(d, "quiet", thickness=0)


def _gutter(at: Place) -> str:
    """Return the lane's name, its thread, and which height is which level."""
    comm, _, pid = at.lane.thread.rpartition("-")
    shown = ellipsize(comm, LEFT - 14 - width(f"-{pid}", mono=True), mono=True)
    return group(
        text(6, at.roof - 14, at.lane.name.partition(",")[0], bold=True),
        text(6, at.roof + 2, f"{shown}-{pid}", mono=True, quiet=True),
        *(_level(level, at) for level in range(at.lane.depth + 1) if at.lane.depth),
        line(LEFT, at.floor, LEFT, at.roof, tone="quiet", thickness=1),
    )


def _level(level: int, at: Place) -> str:
    """Return the name of a height and its upper edge."""
    top = at.floor - STOREY * (2 + level if level else 1)
    middle = top + STOREY * (1 if level == 1 else 0.5)
    edge = line(LEFT - 5, top, LEFT, top, tone="quiet", thickness=1)
    return edge + text(LEFT - 8, middle + 5, f"L{level}", anchor="end", quiet=True)


def _axis(seen: TimelineView, y: float) -> str:
    unit, places = seen.scale.ticks()
    numbers = (text(x, y + 18, words, anchor="middle") for x, words in places)
    cuts = path("".join(f"M{num(x)} {num(y)}v5" for x, _ in places))
    return group(line(LEFT, y, RIGHT, y), cuts, *numbers, text(6, y + 18, unit, quiet=True))


def _cursor_ground(seen: TimelineView, top: float, bottom: float) -> str:
    """Return the ground under the event that is looked at, if it is in view."""
    x = _now(seen)
    return "" if x is None else rect(x - 5, top, 10, bottom - top, "changed", outline=0)


def _cursor(seen: TimelineView, top: float, bottom: float) -> str:
    """Return the line through the event that is looked at, with a handle at its top."""
    x = _now(seen)
    if x is None:
        return ""
    handle = polygon([(x - 6, top), (x + 6, top), (x, top + 9)], "ink", outline=0)
    return line(x, top, x, bottom, thickness=1) + handle


def _now(seen: TimelineView) -> float | None:
    return seen.scale.x(seen.run.time(seen.current)) if seen.current is not None and seen.in_view else None


def _foot(sentence: str, height: int) -> Iterator[str]:
    """Yield the sentence: big if it fits on one line, else small on one or two."""
    top = height - FOOT
    yield line(0, top, WIDTH, top, tone="quiet", thickness=1)
    if width(sentence, size=BIG) <= WIDTH - 20:
        yield text(8, height - 12, sentence, big=True)
        return
    rows = wrap(sentence, WIDTH - 16)
    for i, row in enumerate(rows):
        yield text(8, top + (15 if len(rows) > 1 else 23) + 15 * i, row)
