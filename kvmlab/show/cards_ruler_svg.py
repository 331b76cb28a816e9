"""The lower part of the cards: what the entry finds, the door, the guest's instructions, what the marks mean.

The ruler and the two boxes before the door are where they are in notebook 01.
"""

from collections.abc import Callable, Iterator
from functools import partial

from kvmlab.show import marks
from kvmlab.show.cards import ENTRY, EXIT, Moment, Story
from kvmlab.show.measure import width
from kvmlab.show.methods import count
from kvmlab.show.ruler import Ruler
from kvmlab.show.svg import arrow, group, line, rect, text
from kvmlab.show.theme import level as role

LEFT, WIDTH = 6.0, 960
DOOR, ZERO = 240.0, 332.0
BAR, AXIS = 308.0, 352.0
FINDS = (121.0, 179.0, 54.0)
"""x of the two boxes before the door, and their width: the same places as in notebook 01."""
RULER = Ruler(ZERO)
KEY = 384.0
LEGEND: tuple[tuple[Callable[[float, float], str], str], ...] = (
    (marks.wish, "a wish to leave"),
    (partial(marks.wish, kept=True), "a wish that was kept"),
    (partial(marks.diamond, state="pending"), "an interrupt at the CPU"),
    (partial(marks.diamond, state="taken"), "taken"),
    (lambda x, y: rect(x - 10, y - 6, 20, 12, kind="dashed", r=3), "a card not in use"),
    (marks.cross, "here the promise ends"),
)
"""What the marks mean, below the ruler."""


def ruler_svg(told: Story, moment: Moment) -> Iterator[str]:
    """Yield the lower part at a moment."""
    yield from _door(told, moment)
    yield from _ruler(told, moment)
    yield from _legend()


def _door(told: Story, moment: Moment) -> Iterator[str]:
    """Yield two boxes, quiet until the entry, and from then on what each held."""
    slot, ipi, box = FINDS
    y, seen = BAR - 4, told.passed(moment, ENTRY)
    yield text(LEFT, y + 17, "the entry finds", bold=seen, quiet=not seen)
    for x, name in ((slot, "slot"), (ipi, "CPU")):
        yield rect(x, y, box, 24, tone="ink" if seen else "quiet", kind="solid" if seen else "dotted")
        yield text(x + box / 2, y + 39, name, quiet=True, anchor="middle")
    if not seen:
        return
    wish, ipis = _entered(told)
    middle = y + 12
    yield marks.wish(slot + box / 2, middle) if wish else _none(slot + box / 2, middle)
    yield marks.diamond(ipi + box / 2, middle, "pending") if ipis else _none(ipi + box / 2, middle)


def _entered(told: Story) -> tuple[bool, bool]:
    """Return whether the entry finds a wish in the slot, and an interrupt at the CPU."""
    entered = told.moment(ENTRY).tower
    card = entered.floors[0].slot
    return card is not None and bool(card.wish), entered.ipi_state == "pending"


def _none(x: float, y: float) -> str:
    return text(x, y + 5, "none", anchor="middle")


def _ruler(told: Story, moment: Moment) -> Iterator[str]:
    yield group(rect(DOOR, BAR - 12, ZERO - DOOR, AXIS - BAR + 12, "quiet", outline=0), opacity=0.12)
    yield RULER.guides(BAR - 12, AXIS)
    yield from (line(x, BAR - 14, x, AXIS, thickness=2) for x in (DOOR - 2, DOOR + 2))
    yield RULER.axis(AXIS, f"instructions of L{told.mix.guest}")
    if told.passed(moment, EXIT):
        yield arrow(FINDS[1] + FINDS[2], BAR + 8, ZERO, BAR + 8)
        yield from _bar(told)
    elif moment.name == ENTRY:
        # Where nothing takes the guest out it runs on, nobody knows how far.
        stopped = any(_entered(told))
        end = ZERO if stopped else RULER.x(2)
        yield arrow(FINDS[1] + FINDS[2], BAR + 8, end, BAR + 8, "solid" if stopped else "dashed")


def _bar(told: Story) -> Iterator[str]:
    x, middle = RULER.x(told.instructions), BAR + 8
    yield RULER.bar(BAR, 16, told.instructions, role(told.mix.guest), f"L{told.mix.guest}")
    yield arrow(x, BAR, x, AXIS - 2, thickness=2)
    mark = marks.check if told.exact else marks.cross
    yield rect(x + 7, middle - 8, 40 + width(told.word, bold=True), 16, outline=0)
    yield mark(x + 14, middle) + text(x + 24, middle + 5, told.word, bold=True)
    words = f"{told.reason}, {count(told.instructions)}"
    left = x + 10 + width(words) > WIDTH - 8
    at = x - 10 - width(words) if left else x + 10
    yield rect(at - 2, BAR + 21, width(words) + 4, 14, outline=0) + text(at, BAR + 33, words)


def _legend() -> Iterator[str]:
    """Yield what the marks mean, in one line."""
    x = LEFT
    for mark, words in LEGEND:
        yield mark(x + 10, KEY) + text(x + 26, KEY + 5, words, quiet=True)
        x += 26 + width(words) + 16
