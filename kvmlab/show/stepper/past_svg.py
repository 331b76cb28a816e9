"""The middle panel: what happened, downwards, a column per actor; the newest step is always in view.

A step's box stays in its actor's column, so that one sees who moved; its text may run on over the
columns at its right (no two actors share a line), or begin at its left where the picture ends.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from kvmlab.show.marks import numbered
from kvmlab.show.measure import width
from kvmlab.show.stepper.fold import Folded, fold
from kvmlab.show.stepper.frame import BOTTOM, FIRST, LINE, Panel, lines
from kvmlab.show.stepper.past import BETWEEN, Column, Happened
from kvmlab.show.stepper.view import StepperView
from kvmlab.show.svg import line, rect, text

NUMBERS = 42
"""Room at the left for a step's number and its circle."""
HEADS = 22
"""Height of the line with the columns' names."""
PAD = 5
MARGIN = 6

Lane = tuple[float, float, Column]
"""Where a column begins and ends, and the column."""


def past_svg(view: StepperView, panel: Panel) -> str:
    """Return the steps that fit; consecutive steps of an actor stand in one box."""
    every = [*extents(view.columns, panel)]
    top = FIRST + HEADS
    heads = "".join(_head(*lane, top) for lane in every)
    if not view.happened:
        return heads + _remark("nothing yet", panel, top + LINE)
    lane = {letter: one for one in every for letter in one[2].letters}
    out, y = [heads], float(top)
    seen = fold(view.happened, lines(top))
    for who, stretch in groupby(seen, lambda x: None if isinstance(x, Folded) else x.letter):
        items = list(stretch)
        steps = [x for x in items if not isinstance(x, Folded)]
        if who is None:
            out += [_remark(str(x), panel, y + i * LINE) for i, x in enumerate(items)]
        else:
            out += _box(view, steps, lane[who], panel, y)
        y += len(items) * LINE
    return "".join(out)


def extents(columns: Sequence[Column], panel: Panel) -> Iterator[Lane]:
    """Yield where each column begins and ends, and the column."""
    xs = lanes(columns, panel)
    for column, x, following in zip(columns, xs, [*xs[1:], panel.right - MARGIN + 6], strict=True):
        yield x, following - 3, column


def lanes(columns: Sequence[Column], panel: Panel) -> list[float]:
    """Return where each column begins.

    Every column has room for its title. What is left over goes between them so that the longest
    text of each fits, from the right; a text may reach into the columns at its right, since no two
    actors share a line.
    """
    left, edge = panel.x + NUMBERS, panel.right - MARGIN
    titles = _least(columns, edge - left)
    least = [left + sum(titles[:i]) for i in range(len(titles))]
    xs: list[float] = []
    for column, own, at_least in reversed(list(zip(columns, titles, least, strict=True))):
        wanted = edge - width(column.longest, mono=True) - 2 * PAD
        xs.insert(0, max(at_least, min(wanted, (xs[0] if xs else edge + BETWEEN) - own)))
    return [left, *xs[1:]]


def _least(columns: Sequence[Column], room: float) -> list[float]:
    """Return how wide each column is at least: its title, and its part of what is left for longer texts."""
    titles = [width(column.title) + BETWEEN for column in columns]
    texts = [width(column.longest, mono=True) + 2 * PAD for column in columns[:-1]]
    more = [max(0.0, text - title) for text, title in zip(texts, titles, strict=False)]
    share = max(0.0, min(1.0, (room - sum(titles)) / sum(more))) if any(more) else 0.0
    return [title + share * extra for title, extra in zip(titles, [*more, 0.0], strict=True)]


def _head(x: float, end: float, column: Column, top: float) -> str:
    name = text(x, FIRST + 14, column.title, quiet=True, room=end - x + 0.5)
    return name + line(x - 1.5, top, x - 1.5, BOTTOM, "dotted", tone="quiet", thickness=1)


def _remark(words: str, panel: Panel, y: float) -> str:
    """Write a quiet line across the columns, on paper of its own."""
    x = panel.x + NUMBERS
    return rect(x, y, width(words), LINE, outline=0) + text(x, y + 14, words, quiet=True)


def _box(view: StepperView, steps: Sequence[Happened], lane: Lane, panel: Panel, y: float) -> Iterator[str]:
    """Draw one box for a stretch of steps by one actor, as wide as its column."""
    x, end, column = lane
    quiet = view.verdict is not None and not any(step.decisive for step in steps)
    role = "paper" if quiet else steps[0].role
    texts = [column.text(step.letter, step.step) for step in steps]
    lefts = [min(x + PAD, panel.right - MARGIN - width(words, mono=True)) for words in texts]
    for i, (left, words) in enumerate(zip(lefts, texts, strict=True)):
        yield rect(left - 2, y + i * LINE + 1, width(words, mono=True) + 4, LINE - 2, outline=0)
    over = max(left + width(words, mono=True) for left, words in zip(lefts, texts, strict=True)) > end
    yield _lane_box(x, y + 1, end, y + len(steps) * LINE - 1, role, quiet, (min(lefts) < x, over))
    for i, (step, left, words) in enumerate(zip(steps, lefts, texts, strict=True)):
        yield _step(view, step, words, panel, left, y + i * LINE)


def _lane_box(
    x: float, y: float, end: float, low: float, role: str, quiet: bool, crossed: tuple[bool, bool]
) -> str:
    """Draw a box without the sides that a text crosses: left, right."""
    box = rect(x, y, end - x, low - y, role, outline=0, r=3)
    edges = [(x, y, end, y), (x, low, end, low)]
    edges += [] if crossed[0] else [(x, y, x, low)]
    edges += [] if crossed[1] else [(end, y, end, low)]
    return box + "".join(line(*edge, tone="quiet" if quiet else "ink") for edge in edges)


def _step(view: StepperView, step: Happened, words: str, panel: Panel, x: float, y: float) -> str:
    """Write one step; once a verdict stands, all but the decisive ones are quiet (on paper)."""
    quiet = view.verdict is not None and not step.decisive and step.role == "paper"
    bold = bool(step.decisive) or (view.verdict is None and step.n == view.at)
    label = text(x, y + 14, words, mono=True, quiet=quiet, bold=bold)
    number = text(panel.x + NUMBERS - 5, y + 14, str(step.n), quiet=True, anchor="end")
    circle = numbered(panel.x + 9, y + LINE / 2, step.decisive) if step.decisive else ""
    return label + number + circle
