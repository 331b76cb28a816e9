"""The left panel: the path, one row a line, with what a patch did to it in the gutter."""

from kvmlab.show.marks import next_step
from kvmlab.show.measure import width
from kvmlab.show.stepper.frame import FIRST, LINE, Panel, room_below, window
from kvmlab.show.stepper.path import Mark, PathRow
from kvmlab.show.stepper.view import StepperView
from kvmlab.show.svg import Kind, rect, text

SIGNS: dict[Mark, str] = {"added": "+", "changed": "~", "moved": "↕"}
BARS: dict[Mark, Kind] = {"added": "solid", "changed": "solid", "moved": "dashed"}
GUTTER = 22
INDENT = 10
TIGHT = 17.5
"""A path that is longer than the panel has lines this high; one that is longer still scrolls."""


def path_svg(view: StepperView, panel: Panel) -> str:
    """Return the rows that fit, the next step in the middle; others are counted, not shown."""
    focus = next((i for i, row in enumerate(view.rows) if row.when in ("next", "waits")), 0)
    high = min(LINE, max(TIGHT, room_below(FIRST) / max(len(view.rows), 1)))
    seen = window(len(view.rows), focus, int(room_below(FIRST) / high + 0.01))
    y = FIRST + (high if seen.above else 0)
    out = [_more(panel, FIRST, f"{seen.above} more above")] if seen.above else []
    rows = seen.of(view.rows)
    for i, row in enumerate(rows):
        news = i == 0 or rows[i - 1].source != row.source
        out.append(_row(row, panel, y + i * high, high, row.source if news else ""))
    if seen.below:
        out.append(_more(panel, y + len(rows) * high, f"{seen.below} more below"))
    return "".join(out)


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
