"""Two kernels side by side: before on the left, after on the right, line against line.

What a patch touched has a bar in the gutter, a sign and a bold label; nothing here needs colour.
"""

from kvmlab.kernels.kernel import Kernel
from kvmlab.show.diff import LEGEND, SIGNS, Fold, Line, diff, folded, summary, where
from kvmlab.show.listing import Entry
from kvmlab.show.measure import width, wrap
from kvmlab.show.svg import document, group, line, rect, text
from kvmlab.show.theme import BIG
from kvmlab.show.titles import title

WIDTH = 960
LEFT, RIGHT, COLUMN = 8, 488, 464
"""x of the two columns, and their width."""
HEAD, ROW, PROSE = 44, 20, 16
"""Heights: of the headings, of a line with a label, of a line of prose below it."""
INDENT, GUTTER = 12, 26
"""Pixels per depth, and for bar and sign before the label."""


def diff_svg(before: Kernel, after: Kernel) -> str:
    """Return the picture, as high as it has to be."""
    lines = diff(before, after)
    y, body = float(HEAD), ""
    for item in folded(lines):
        body += _item(y, item)
        y += _height(item)
    foot = wrap(summary(before, after, lines), WIDTH - 2 * LEFT, size=BIG)
    rule = line(RIGHT - 8, 12, RIGHT - 8, y, tone="quiet", thickness=1)
    legend = text(LEFT, y + 26, LEGEND, quiet=True)
    words = "".join(text(LEFT, y + 50 + 20 * i, part, big=True) for i, part in enumerate(foot))
    picture = _headings(before, after) + rule + body + legend + words
    return document(WIDTH, round(y + 40 + 20 * len(foot)), "Kernel diff", " ".join(foot), picture)


def _headings(before: Kernel, after: Kernel) -> str:
    sides = {LEFT: f"before: {title(before)}", RIGHT: f"after: {title(after)}"}
    return "".join(text(x, 24, words, big=True, bold=True, room=COLUMN) for x, words in sides.items())


def _item(y: float, item: Line | Fold) -> str:
    if isinstance(item, Fold):
        inner = GUTTER + INDENT * item.depth
        return "".join(text(x + inner, y + 14, str(item), quiet=True) for x in (LEFT, RIGHT))
    return _cell(LEFT, y, item, item.before) + _cell(RIGHT, y, item, item.after)


def _cell(x: float, y: float, item: Line, entry: Entry | None) -> str:
    """Draw one side of a line: nothing where the line does not stand."""
    if entry is None:
        return ""
    inner = x + GUTTER + INDENT * entry.depth
    if item.status == "same":
        name = text(inner, y + 14, entry.label, mono=True)
        if not entry.step:
            return name
        below = _below(entry)
        rows = (text(inner, y + 14 + PROSE * i, words, quiet=True) for i, words in enumerate(below, 1))
        beside = text(x + COLUMN - _beside(entry), y + 14, entry.says, quiet=True)
        return name + ("".join(rows) if below else beside)
    bar = rect(x, y + 1, 4, _height(item) - 4, "quiet" if x == LEFT else "ink", outline=0)
    sign = text(x + 9, y + 14, SIGNS[item.status], big=True, bold=True)
    name = text(inner, y + 14, entry.label + where(item), mono=True, bold=True)
    prose = (
        text(inner, y + 14 + PROSE * i, words, quiet=quiet)
        for i, (words, quiet) in enumerate(_prose(item, entry), 1)
    )
    return group(bar, sign, name, *prose)


def _beside(entry: Entry) -> float:
    """Return the room beside a label."""
    return COLUMN - GUTTER - INDENT * entry.depth - width(entry.label, mono=True) - 12


def _below(entry: Entry) -> list[str]:
    """Return what an untouched step says, in lines, if it has no room beside its label."""
    short = not entry.step or width(entry.says) <= _beside(entry)
    return [] if short else wrap(entry.says, COLUMN - GUTTER - INDENT * entry.depth)


def _prose(item: Line, entry: Entry) -> list[tuple[str, bool]]:
    """Return the lines below a touched label: what it says, then in quiet its source; (words, quiet)."""
    room = COLUMN - GUTTER - INDENT * entry.depth
    more = f"{item.silent}: {entry.source}" if item.silent and entry is item.after else entry.source
    says = "" if entry.says == entry.label else entry.says
    parts = (says, False), (more, True)
    return [(words, quiet) for part, quiet in parts for words in wrap(part, room)]


def _height(item: Line | Fold) -> float:
    if isinstance(item, Fold):
        return ROW
    sides = [side for side in (item.before, item.after) if side]
    if item.status == "same":
        return ROW + PROSE * max(len(_below(side)) for side in sides)
    return ROW + PROSE * max(len(_prose(item, side)) for side in sides) + 4
