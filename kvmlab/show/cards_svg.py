"""The picture of the card in the slot: the levels, the way of the promise, and how far the guest came.

Above, the stage of :mod:`kvmlab.show.tower_svg` with a chain of arrows from card to card, down to what the
entry finds. Below, the ruler of notebook 01: what the entry finds, the door, the guest's instructions.
"""

from collections.abc import Iterator
from itertools import pairwise

from kvmlab.show import marks
from kvmlab.show.cards import TITLES, Link, Moment, Story
from kvmlab.show.cards_says import brief, foot, given, title
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.methods import count
from kvmlab.show.ruler import Ruler
from kvmlab.show.svg import Kind, arrow, document, group, line, rect, text
from kvmlab.show.theme import level as role
from kvmlab.show.tower_svg import CPU, DIAMOND, DRAWER_LOW, LEFT, RIGHT, WAITS, Place, place, stage

WIDTH, HEIGHT = 960, 420
LIST, FIRST, LINE = 706.0, 62.0, 46.0
"""Where the five moments are listed, and from one to the next."""
DOOR, ZERO = 240.0, 332.0
BAR, AXIS = 308.0, 352.0
FINDS = (121.0, 179.0, 54.0)
"""x of the two boxes before the door, and their width: the same places as in notebook 01."""
RULER = Ruler(ZERO)


def cards_svg(told: Story, at: int) -> str:
    """Return the picture at moment ``at``, from 1; its alternative text is the foot."""
    moment = told.moments[at - 1]
    says = foot(told, moment)
    body = (
        text(LEFT, 22, title(told), big=True, bold=True),
        text(WIDTH - 6, 22, given(told), anchor="end"),
        *stage(moment.tower),
        *_chain(told, moment),
        *_list(told, at),
        *_entry(told, moment),
        *_ruler(told, moment),
        *foot_svg(says, HEIGHT - 44, WIDTH),
    )
    return document(WIDTH, HEIGHT, "The card in the slot", says, "".join(body))


# The chain of promises.


def _chain(told: Story, moment: Moment) -> Iterator[str]:
    """Yield the way of the promise, from the card of whoever asked for it down to the slot or the CPU."""
    if moment.number == len(TITLES):
        return
    for link in moment.chain:
        yield from _link(told, moment, link)
    yield from _astray(told, moment)


def _link(told: Story, moment: Moment, link: Link) -> Iterator[str]:
    """Yield the arrow into the card of a level, from the one above or from the one that was put away."""
    seen, level = moment.tower, link.level
    above = place(seen, seen.card(level + 1, told.mix.guest))
    here = place(seen, seen.card(level, told.mix.guest))
    kind: Kind = "dotted" if link.fate == "broken" else "solid"
    if link.fate == "found":
        yield from _found(place(seen, seen.card(level, level + 1)), here, level, link.at_the_cpu)
    elif level:
        yield arrow(above.x, above.low, here.x, here.top, kind, thickness=2)
    else:
        at_the_cpu = link.at_the_cpu or link.fate == "broken"
        y, end = (WAITS, DIAMOND - 9) if at_the_cpu else (here.y, here.left - 6)
        yield elbow((above.x, above.low), (above.x, y), (end, y), kind=kind)
    if link.fate == "broken":
        yield _ends(above.x, (above.low + here.top) / 2 if level else above.low + 14)


def _found(away: Place, here: Place, level: int, at_the_cpu: bool) -> Iterator[str]:
    """Yield the way from a card that was put away to the one that is used, or to the CPU itself."""
    if level:
        yield arrow(away.right, away.y, here.left, here.y, thickness=2)
        return
    x, y, beside = away.right + 4, DRAWER_LOW + 12, here.left - 22
    way = (away.right, away.y), (x, away.y), (x, y)
    if at_the_cpu:
        yield elbow(*way, (beside, y), (beside, WAITS), (DIAMOND + 50, WAITS))
    else:
        yield elbow(*way, (here.x, y), (here.x, here.top - 6))


def _astray(told: Story, moment: Moment) -> Iterator[str]:
    """Yield where an IPI of a level above 0 went: onto the card on which that level itself runs."""
    seen = moment.tower
    for level in range(told.mix.tested, 0, -1):
        own, runs = seen.card(level, told.mix.guest), seen.card(level - 1, level)
        if own.loaded and not own.wish and runs.wish:
            start, end = place(seen, own), place(seen, runs)
            if level > 1:
                yield elbow((start.left, start.y), (end.x, start.y), (end.x, end.top))
            else:
                x = (RIGHT + CPU) / 2 - 3
                yield elbow(
                    (start.right, start.y), (x, start.y), (x, end.y), (end.left - 6 * runs.loaded, end.y)
                )


def elbow(*points: tuple[float, float], kind: Kind = "solid") -> str:
    """Return an arrow with corners."""
    *way, last, end = points
    legs = (line(*a, *b, kind, thickness=2) for a, b in pairwise((*way, last)))
    return group(*legs, arrow(*last, *end, kind, thickness=2))


def _ends(x: float, y: float) -> str:
    return rect(x - 8, y - 8, 16, 16, outline=0) + marks.cross(x, y)


# The five moments.


def _list(told: Story, at: int) -> Iterator[str]:
    """Yield the moments so far with what each brought, and the names of those to come."""
    for n, name in enumerate(TITLES, 1):
        y = FIRST + LINE * (n - 1)
        if n > at:
            yield text(LIST + 10, y + 5, str(n), quiet=True, anchor="middle")
        else:
            yield marks.numbered(LIST + 10, y, n)
            yield text(LIST + 28, y + 22, brief(told, n), room=WIDTH - LIST - 34)
        yield text(LIST + 28, y + 5, name, bold=n == at, quiet=n != at)


# What the entry finds, and what the guest does.


def _entry(told: Story, moment: Moment) -> Iterator[str]:
    slot, ipi, box = FINDS
    y = BAR - 4
    yield text(LEFT, y + 17, "the entry finds", bold=True)
    for x, name in ((slot, "slot"), (ipi, "CPU")):
        yield rect(x, y, box, 24)
        yield text(x + box / 2, y + 39, name, quiet=True, anchor="middle")
    if moment.number < 3:
        return
    entered = told.moments[2].tower
    card = entered.floors[0].slot
    if card is not None and card.wish:
        yield marks.wish(slot + box / 2, y + 12)
    if entered.ipi_state == "pending":
        yield marks.diamond(ipi + box / 2, y + 12, "pending")


def _ruler(told: Story, moment: Moment) -> Iterator[str]:
    yield group(rect(DOOR, BAR - 12, ZERO - DOOR, AXIS - BAR + 12, "quiet", outline=0), opacity=0.12)
    yield RULER.guides(BAR - 12, AXIS)
    yield from (line(x, BAR - 14, x, AXIS, thickness=2) for x in (DOOR - 2, DOOR + 2))
    yield RULER.axis(AXIS, f"instructions of L{told.mix.guest}")
    if moment.number >= 3:
        yield arrow(FINDS[1] + FINDS[2], BAR + 8, ZERO, BAR + 8)
    if moment.number >= 4:
        yield from _bar(told)


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
