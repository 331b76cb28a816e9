"""The left panel: the path, one row a line, with what a patch did to it in the gutter."""

from collections.abc import Sequence
from itertools import groupby

from kvmlab.show.marks import next_step
from kvmlab.show.measure import width
from kvmlab.show.stepper.frame import FIRST, LINE, Panel, room_below, window
from kvmlab.show.stepper.path import Mark, PathRow
from kvmlab.show.stepper.view import StepperView
from kvmlab.show.svg import Kind, rect, text

SIGNS: dict[Mark, str] = {"added": "+", "changed": "~", "moved": "↕"}
BARS: dict[Mark, Kind] = {"added": "solid", "changed": "solid", "moved": "dashed"}
HERE = ("next", "waits")
GUTTER = 22
INDENT = 10
TIGHT = 17.5
"""A path that is longer than the panel has lines this high; of one that is longer still, stretches that this
lap has not come to are counted, and if that is not enough it scrolls."""


def path_svg(view: StepperView, panel: Panel) -> str:
    """Return the rows that fit, the next step in the middle; others are counted, not shown."""
    high = min(LINE, max(TIGHT, room_below(FIRST) / max(len(view.rows), 1)))
    room = int(room_below(FIRST) / high + 0.01)
    items = shortened(view.rows, room)
    focus = next((i for i, x in enumerate(items) if not isinstance(x, int) and x.when in HERE), 0)
    seen = window(len(items), focus, room)
    y = FIRST + (high if seen.above else 0)
    out = [_more(panel, FIRST, f"{_rows(items[: seen.start])} more above")] if seen.above else []
    source = ""
    for i, item in enumerate(seen.of(items)):
        if isinstance(item, int):
            out.append(_more(panel, y + i * high, f"… {item} more"))
        else:
            out.append(_row(item, panel, y + i * high, high, item.source if item.source != source else ""))
            source = item.source
    if seen.below:
        below = f"{_rows(items[seen.end :])} more below"
        out.append(_more(panel, y + (seen.end - seen.start) * high, below))
    return "".join(out)


def shortened(rows: Sequence[PathRow], room: int) -> list[PathRow | int]:
    """Return ``rows``, the longest stretches that this lap has not taken as their number, until they fit."""
    items: list[PathRow | int] = list(rows)
    while len(items) > room and (stretch := _longest_idle(items)):
        items[stretch] = [stretch.stop - stretch.start]
    return items


def _longest_idle(items: Sequence[PathRow | int]) -> slice | None:
    """Return the longest run of at least two rows that are neither taken, nor next to who stands there."""
    runs = [list(run) for idle, run in groupby(range(len(items)), lambda i: _is_idle(items, i)) if idle]
    best = max(runs, key=len, default=[])
    return slice(best[0], best[-1] + 1) if len(best) > 1 else None


def _is_idle(items: Sequence[PathRow | int], at: int) -> bool:
    item, around = items[at], items[max(at - 1, 0) : at + 2]
    beside = any(not isinstance(x, int) and x.when in HERE for x in around)
    return not isinstance(item, int) and item.when == "later" and not beside


def _rows(items: Sequence[PathRow | int]) -> int:
    return sum(item if isinstance(item, int) else 1 for item in items)


def _more(panel: Panel, y: float, words: str) -> str:
    return text(panel.x + GUTTER + 14, y + 14, words, quiet=True)


def _row(row: PathRow, panel: Panel, y: float, high: float, source: str) -> str:
    """Draw one line; ``source`` is left out where it repeats the line above."""
    x = panel.x + GUTTER + 16 + row.depth * INDENT
    here = row.when in ("next", "waits")
    words = said(row, panel.right - 4 - x)
    label = text(x, y + 14, words, mono=True, bold=here, quiet=row.when == "later")
    arrow = next_step(panel.x + GUTTER + 5, y + 10, waits=row.when == "waits") if here else ""
    room = panel.right - 6 - x - width(words, mono=True) - 8
    fits = source if width(source) <= room else ""
    where = text(panel.right - 6, y + 14, fits, quiet=True, anchor="end") if fits else ""
    return _gutter(row.mark, panel, y, high) + arrow + label + where


def said(row: PathRow, room: float) -> str:
    """Return the row's label and the alternative taken there, as much of its name as there is room for."""
    if not row.taken:
        return row.label
    names = (f"{row.label} → {name}" for name in (row.taken, row.taken.split(".", 1)[-1]))
    return next((words for words in names if width(words, mono=True) <= room), row.taken)


def _gutter(mark: Mark, panel: Panel, y: float, high: float) -> str:
    if not mark:
        return ""
    role = "ink" if mark == "added" else "paper"
    bar = rect(panel.x + 14, y + 1, 4, high - 2, role, kind=BARS[mark])
    return bar + text(panel.x + 2, y + 14, SIGNS[mark], bold=True)
