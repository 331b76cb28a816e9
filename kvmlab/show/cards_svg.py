"""The picture of the card in the slot: the levels, the way of the promise, and how far the guest came.

Above, the stage of :mod:`kvmlab.show.tower_svg` with a chain of arrows from card to card, down to what the
entry finds. Below, the ruler of :mod:`kvmlab.show.cards_ruler_svg`.
"""

from collections.abc import Iterator
from itertools import pairwise

from kvmlab.show import marks
from kvmlab.show.cards import NEWS, Link, Moment, Story
from kvmlab.show.cards_ruler_svg import ruler_svg
from kvmlab.show.cards_says import brief, foot, given, title
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.svg import Kind, arrow, document, group, line, rect, text
from kvmlab.show.theme import BIG
from kvmlab.show.tower import Card, Tower
from kvmlab.show.tower_svg import (
    CPU,
    DIAMOND,
    DRAWER_LOW,
    LEFT,
    RIGHT,
    WAITS,
    Place,
    note_end,
    place,
    stage,
    y_of,
)

WIDTH, HEIGHT = 960, 440
LIST, FIRST, LAST, LINE = 706.0, 56.0, 262.0, 46.0
"""Where the first moment is listed and the last one at the latest, and from one to the next at most."""


def cards_svg(told: Story, at: int) -> str:
    """Return the picture at moment ``at``, from 1; its alternative text is the foot."""
    moment = told.moments[at - 1]
    says = foot(told, moment)
    body = (
        text(LEFT, 22, title(told), big=True, bold=True),
        *_given(told),
        *stage(moment.tower),
        *_chain(told, moment),
        *_list(told, at),
        *ruler_svg(told, moment),
        *foot_svg(says, HEIGHT - 44, WIDTH),
    )
    return document(WIDTH, HEIGHT, "The card in the slot", says, "".join(body))


def _given(told: Story) -> Iterator[str]:
    """Yield what was given, on a second line what has no room beside the title."""
    words, room = given(told), WIDTH - 40 - width(title(told), size=BIG, bold=True)
    first, _, more = words.partition("; ")
    rows = [words] if width(words) <= room else [first, more]
    yield from (text(WIDTH - 6, 22 + 16 * n, row, anchor="end") for n, row in enumerate(rows))


# The chain of promises.


def _chain(told: Story, moment: Moment) -> Iterator[str]:
    """Yield the way of the promise, from the card of whoever asked for it down to the slot or the CPU."""
    if moment.name == NEWS:
        return
    for link in moment.chain:
        yield from _link(told, moment, link)
    yield from _astray(told, moment)


def _link(told: Story, moment: Moment, link: Link) -> Iterator[str]:
    """Yield the arrow into the card of a level, from the one above or from the one that was put away."""
    if link.fate == "sent":
        return  # The way of its IPI is on show.
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
    """Yield where an IPI of a level above 0 went: from who sent it onto the card on which that one runs."""
    seen = moment.tower
    for level in range(told.mix.tested, 0, -1):
        own, runs = seen.card(level, told.mix.guest), seen.card(level - 1, level)
        if own.loaded and not own.wish and runs.wish:
            start, y = note_end(seen, level) + 3, y_of(len(seen.floors), level)
            yield elbow((start, y), *_kept_below(seen, runs, y))


def _kept_below(seen: Tower, runs: Card, top: float) -> Iterator[tuple[float, float]]:
    """Yield the rest of the way, to the level below and to the card: with its owner, or out to level 0's."""
    end = place(seen, runs)
    if runs.owner and not runs.loaded:
        yield from ((end.x - 20, top), (end.x - 20, end.top))
        return
    down = max(note_end(seen, runs.guest), note_end(seen, runs.owner)) + 8
    yield (down, top)
    if runs.owner:
        yield from ((down, end.y), (end.left, end.y))
        return
    y, x = y_of(len(seen.floors), 0), (RIGHT + CPU) / 2 - 3
    yield from ((down, y), (x, y), (x, end.y), (end.left - 6 * runs.loaded, end.y))


def elbow(*points: tuple[float, float], kind: Kind = "solid") -> str:
    """Return an arrow with corners."""
    *way, last, end = points
    legs = (line(*a, *b, kind, thickness=2) for a, b in pairwise((*way, last)))
    return group(*legs, arrow(*last, *end, kind, thickness=2))


def _ends(x: float, y: float) -> str:
    return rect(x - 8, y - 8, 16, 16, outline=0) + marks.cross(x, y)


# The moments.


def _list(told: Story, at: int) -> Iterator[str]:
    """Yield the moments so far with what each brought, and the names of those to come."""
    pitch = min(LINE, (LAST - FIRST) / (len(told.moments) - 1))
    for n, moment in enumerate(told.moments, 1):
        y = FIRST + pitch * (n - 1)
        if n > at:
            yield text(LIST + 10, y + 5, str(n), quiet=True, anchor="middle")
        else:
            yield marks.numbered(LIST + 10, y, n)
            yield text(LIST + 28, y + 20, brief(told, n), room=WIDTH - LIST - 34)
        yield text(LIST + 28, y + 5, moment.title, bold=n == at, quiet=n != at)
