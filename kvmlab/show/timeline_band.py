"""The band of one vCPU: height says whose code runs.

Root is one storey high, level 1 three, each further level one more; asleep is a dotted floor line. Where
spans are too narrow to see, their times are gathered: within each bin of :data:`BIN` pixels the guest's time
stands left, then root's, then sleep, so that widths still are time. A bracket over such a stretch says how
many exits it has, and that the order within a bin is lost.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kvmlab.show.svg import group, line, num, path, text
from kvmlab.show.theme import level as role_of
from kvmlab.show.timeline_data import Kind, Lane, Span
from kvmlab.show.timeline_labels import width
from kvmlab.show.timeline_scale import Scale

STOREY = 18
NARROW = 2.5
"""A span of fewer pixels is too narrow to see alone."""
CROWD = 4
"""So many narrow spans in a row are a dense stretch."""
BIN = 6.0
_ORDER: dict[Kind, int] = {"guest": 0, "root": 1, "unknown": 2, "preempted": 3, "asleep": 4}


@dataclass(frozen=True, slots=True)
class Dense:
    """A stretch drawn in bins."""

    spans: tuple[Span, ...]

    @property
    def start(self) -> int:
        """When it begins."""
        return self.spans[0].start

    @property
    def end(self) -> int:
        """When it ends."""
        return self.spans[-1].end

    @property
    def exits(self) -> int:
        """How many times the guest is left in it."""
        return sum(span.kind == "guest" for span in self.spans)

    @property
    def words(self) -> str:
        """What a bracket says."""
        return f"{self.exits} exits, binned" if self.exits > 9 else f"{self.exits} exits"


def height(span: Span) -> int:
    """Return how high a span is drawn; level 1 is three times as high as root."""
    if span.kind == "guest":
        return STOREY * (2 + span.level)
    return STOREY if span.kind == "root" else 0


def in_window(spans: Sequence[Span], scale: Scale) -> Sequence[Span]:
    """Return the spans of which a part is in the window."""
    first = bisect_right(spans, scale.start, key=lambda span: span.end)
    last = bisect_left(spans, scale.end, key=lambda span: span.start)
    return spans[first : max(first + 1, last)]


def parts(spans: Sequence[Span], scale: Scale) -> Iterator[Span | Dense]:
    """Yield what is in the window: spans wide enough to see, and dense stretches."""
    crowd: list[Span] = []
    limit = NARROW * scale.pixel
    for span in in_window(spans, scale):
        if min(span.end, scale.end) - max(span.start, scale.start) < limit:
            crowd.append(span)
            continue
        yield from _crowded(crowd)
        crowd = []
        yield span
    yield from _crowded(crowd)


def _crowded(crowd: list[Span]) -> Iterator[Span | Dense]:
    if len(crowd) < CROWD:
        yield from crowd
    else:
        yield Dense(tuple(crowd))


def band(lane: Lane, floor: float, scale: Scale) -> str:
    """Return the band, standing on ``floor``."""
    shown = list(parts(lane.spans, scale))
    plain = [span for span in shown if isinstance(span, Span)]
    dense = [stretch for stretch in shown if isinstance(stretch, Dense)]
    boxes = [(scale.x(s.start), scale.x(s.end), s) for s in plain]
    bins = [box for stretch in dense for box in _bins(stretch, scale)]
    thin = 0.75 if len(plain) > 100 else 1.5
    return group(
        _fills([*boxes, *bins], floor),
        _outlines(boxes, floor, thin),
        _outlines(bins, floor, 0.4),
        *(_floor_line(*box, floor) for box in boxes if not height(box[2])),
        *(_name(*box, floor) for box in boxes),
    )


_Box = tuple[float, float, Span]


def _bins(stretch: Dense, scale: Scale) -> Iterator[_Box]:
    """Yield the times of a dense stretch, gathered by kind within each bin."""
    begin, end = max(stretch.start, scale.start), min(stretch.end, scale.end)
    count = max(1, round((end - begin) / scale.pixel / BIN))
    sums: list[dict[tuple[int, int], int]] = [{} for _ in range(count)]
    edges = [begin + (end - begin) * i // count for i in range(count + 1)]
    for span in stretch.spans:
        first = max(0, bisect_right(edges, span.start) - 1)
        for i in range(first, count):
            time = min(span.end, edges[i + 1]) - max(span.start, edges[i])
            if time <= 0:
                break
            key = (_ORDER[span.kind], -span.level)
            sums[i][key] = sums[i].get(key, 0) + time
    kinds = {order: kind for kind, order in _ORDER.items()}
    for i, gathered in enumerate(sums):
        time = edges[i]
        for (order, minus), part in sorted(gathered.items()):
            yield scale.x(time), scale.x(time + part), Span(time, time + part, kinds[order], -minus)
            time += part


def _fills(boxes: Sequence[_Box], floor: float) -> str:
    """Return the tints, one path for each level."""
    by_role: dict[str, list[str]] = {}
    for x, end, span in boxes:
        if span.kind == "guest":
            h = height(span)
            d = f"M{num(x)} {num(floor)}v{-h}h{max(0.8, end - x):.1f}v{h}z"
            by_role.setdefault(role_of(span.level), []).append(d)
    return "".join(path("".join(d), role, thickness=0) for role, d in sorted(by_role.items()))


def _outlines(boxes: Sequence[_Box], floor: float, thickness: float) -> str:
    """Return the outlines of guest and root as one path."""
    d = [
        f"M{num(x)} {num(floor)}v{-height(span)}H{num(end)}V{num(floor)}z"
        for x, end, span in boxes
        if height(span)
    ]
    return path("".join(d), thickness=thickness) if d else ""


def _floor_line(x: float, end: float, span: Span, floor: float) -> str:
    """Return the floor where no bar stands: dotted while asleep, a quiet line where no event says."""
    if span.kind == "unknown":
        return line(x, floor, end, floor, tone="quiet", thickness=1)
    return line(x, floor, end, floor, "dotted", thickness=2)


_WORDS: dict[Kind, str] = {"asleep": "asleep", "preempted": "preempted", "unknown": "no event says who runs"}


def _name(x: float, end: float, span: Span, floor: float) -> str:
    """Return the span's name where there is room for it."""
    words = _WORDS.get(span.kind, span.name)
    if end - x < width(words, mono=False) + 6:
        return ""
    quiet = span.kind in _WORDS
    return text((x + end) / 2, floor - 5, words, anchor="middle", quiet=quiet)


def bracket(stretch: Dense, y: float, scale: Scale) -> str:
    """Return the bracket over a dense stretch, with its count where there is room in it."""
    x, end, words = scale.x(stretch.start), scale.x(stretch.end), stretch.words
    count = text((x + end) / 2, y - 4, words, anchor="middle") if fits(stretch, scale) else ""
    return path(f"M{num(x)} {num(y + 3)}V{num(y)}H{num(end)}V{num(y + 3)}", thickness=1) + count


def fits(stretch: Dense, scale: Scale) -> bool:
    """Tell whether the count has room between the ends of the bracket."""
    return scale.x(stretch.end) - scale.x(stretch.start) > width(stretch.words, mono=False) + 8
