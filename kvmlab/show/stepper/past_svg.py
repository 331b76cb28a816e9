"""The middle panel: what happened, downwards, a column per actor; the newest step is always in view."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from kvmlab.show.marks import numbered
from kvmlab.show.measure import width
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


def past_svg(view: StepperView, panel: Panel) -> str:
    """Return the steps that fit; consecutive steps of an actor stand in one box."""
    xs = lanes(view.columns, panel)
    top = FIRST + HEADS
    heads = (_head(*lane, top) for lane in zip(view.columns, xs, [*xs[1:], panel.right], strict=True))
    if not view.happened:
        return "".join((*heads, _remark("nothing yet", panel, top + LINE)))
    pinned, hidden, tail = in_view(view.happened, lines(top))
    lane = dict(_by_letter(view, xs))
    out = [*_boxes(view, pinned, lane, panel, top)]
    y = top + len(pinned) * LINE
    if hidden:
        out.append(_remark(f"{hidden} {'other' if pinned else 'earlier'} steps", panel, y))
        y += LINE
    return "".join((*heads, *out, *_boxes(view, tail, lane, panel, y)))


def in_view(happened: Sequence[Happened], room: int) -> tuple[Sequence[Happened], int, Sequence[Happened]]:
    """Return the decisive steps that would be out of sight, how many others are, and the newest steps."""
    keep = room if len(happened) <= room else room - 1
    while True:
        cut = max(len(happened) - keep, 0)
        pinned = [step for step in happened[:cut] if step.decisive]
        if len(pinned) + min(keep, len(happened)) + (cut > 0) <= room:
            return pinned, cut - len(pinned), happened[cut:]
        keep -= 1


def lanes(columns: Sequence[Column], panel: Panel) -> list[float]:
    """Return where each column begins.

    Every column has room for its title. What is left over goes between them so that the longest
    text of each fits, from the right; a text may reach into the columns at its right, since no two
    actors share a line.
    """
    left, edge = panel.x + NUMBERS, panel.right - MARGIN
    titles = [width(column.title) + BETWEEN for column in columns]
    least = [left + sum(titles[:i]) for i in range(len(titles))]
    xs: list[float] = []
    for column, own, at_least in reversed(list(zip(columns, titles, least, strict=True))):
        wanted = edge - width(column.longest, mono=True) - 2 * PAD
        xs.insert(0, max(at_least, min(wanted, (xs[0] if xs else edge + BETWEEN) - own)))
    return [left, *xs[1:]]


def _head(column: Column, x: float, end: float, top: float) -> str:
    name = text(x, FIRST + 14, column.title, quiet=True, room=end - x - PAD)
    return name + line(x + 0.5, top, x + 0.5, BOTTOM, "dotted", tone="quiet", thickness=1)


def _remark(words: str, panel: Panel, y: float) -> str:
    """Write a quiet line across the columns, on paper of its own."""
    x = panel.x + NUMBERS
    return rect(x, y, width(words), LINE, outline=0) + text(x, y + 14, words, quiet=True)


def _by_letter(view: StepperView, xs: Sequence[float]) -> Iterator[tuple[str, tuple[float, Column]]]:
    for column, x in zip(view.columns, xs, strict=True):
        for letter in column.letters:
            yield letter, (x, column)


def _boxes(
    view: StepperView,
    seen: Sequence[Happened],
    lane: dict[str, tuple[float, Column]],
    panel: Panel,
    y: float,
) -> Iterator[str]:
    """Draw one box for each stretch of steps by one actor."""
    for letter, stretch in groupby(seen, lambda step: step.letter):
        steps, (x, column) = list(stretch), lane[letter]
        texts = [column.text(step.who, step.step) for step in steps]
        w = max(width(words, mono=True) for words in texts) + 2 * PAD
        x = min(x, panel.right - MARGIN - w)
        quiet = view.verdict is not None and not any(step.decisive for step in steps)
        role = "paper" if quiet else steps[0].role
        yield rect(x, y + 1, w, len(steps) * LINE - 2, role, tone="quiet" if quiet else "ink", r=3)
        for step, words in zip(steps, texts, strict=True):
            yield _step(view, step, words, panel, x, y)
            y += LINE


def _step(view: StepperView, step: Happened, words: str, panel: Panel, x: float, y: float) -> str:
    """Write one step; once a verdict stands, all but the decisive ones are quiet (on paper)."""
    quiet = view.verdict is not None and not step.decisive and step.role == "paper"
    bold = bool(step.decisive) or (view.verdict is None and step.n == view.at)
    label = text(x + PAD, y + 14, words, mono=True, quiet=quiet, bold=bold)
    number = text(panel.x + NUMBERS - 5, y + 14, str(step.n), quiet=True, anchor="end")
    circle = numbered(panel.x + 9, y + LINE / 2, step.decisive) if step.decisive else ""
    return label + number + circle
