"""The host's lane: interrupts for its CPUs as diamonds, its timers and everything else as ticks."""

from collections.abc import Iterator, Sequence

from kvmlab.show import marks
from kvmlab.show.svg import group, line, text
from kvmlab.show.timeline_data import Mark
from kvmlab.show.timeline_interrupts_svg import clusters
from kvmlab.show.timeline_labels import width
from kvmlab.show.timeline_lane_svg import labels_below, ticks
from kvmlab.show.timeline_scale import EDGE, LEFT, RIGHT, Scale
from kvmlab.show.timeline_view import TimelineView

HOST = 54
"""Height of the lane."""


def host_svg(seen: TimelineView, top: float) -> str:
    """Return the lane with its name."""
    shown, y = seen.shown(seen.run.host), top + 12
    others = [mark for mark in shown if mark.look == "tick"]
    return group(
        text(6, y + 5, "host", bold=True),
        line(LEFT, y, RIGHT, y, tone="quiet", thickness=0.4),
        ticks(others, y, seen.scale),
        *labels_below(others, y + 3, 2, seen),
        *_diamonds([mark for mark in shown if mark.look == "host interrupt"], y, seen.scale),
    )


def _diamonds(shown: Sequence[Mark], y: float, scale: Scale) -> Iterator[str]:
    """Yield the diamonds, with words where there is room."""
    groups = list(clusters(shown, scale))
    ends = [scale.x(some[0].time) for some in groups]
    for i, some in enumerate(groups):
        names = list(dict.fromkeys(mark.label for mark in some))
        words = names[0] if len(names) == 1 else f"{len(some)} interrupts"
        words += f" ×{len(some)}" if len(names) == 1 < len(some) else ""
        room = (ends[i + 1] if i + 1 < len(ends) else EDGE + marks.SIDE) - ends[i] - 2 * marks.SIDE
        yield marks.diamond(ends[i], y, "taken")
        yield text(ends[i] + marks.SIDE, y - 3, words, mono=True) if width(words) < room else ""
