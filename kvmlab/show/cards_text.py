"""The card in the slot in words: who runs on which card, the way of the promise, what each moment brought."""

from collections.abc import Iterator
from textwrap import wrap

from kvmlab.show.cards import NEWS, Link, Moment, Story
from kvmlab.show.cards_says import brief, foot, given, title
from kvmlab.show.tower_text import COLUMNS, stage_text, wrapped


def cards_text(told: Story, at: int) -> str:
    """Return the picture at moment ``at``, from 1, in words; its last paragraph is the foot."""
    moment = told.moments[at - 1]
    end = wrap(foot(told, moment), COLUMNS)
    return "\n".join((*_head(told, moment, at), *_body(told, moment, at), "", *end))


def _head(told: Story, moment: Moment, at: int) -> Iterator[str]:
    yield f"The card in the slot: {title(told)}"
    yield from wrapped(f"methods: {told.mix.says}")
    yield from wrapped(given(told))
    yield f"step {at} of {len(told.moments)}: {moment.title}"
    yield ""


def _body(told: Story, moment: Moment, at: int) -> Iterator[str]:
    yield from stage_text(moment.tower)
    if moment.chain and moment.name != NEWS:
        links = [told.moments[0].tower.card(told.mix.asks, told.mix.guest).name]
        yield from wrapped(
            "  chain: " + ", ".join([*links, *(_link(told, moment, link) for link in moment.chain)])
        )
    yield ""
    yield from (f"  {n} {each.title}: {brief(told, n)}" for n, each in enumerate(told.moments[:at], 1))


def _link(told: Story, moment: Moment, link: Link) -> str:
    """Return what became of the promise at a level."""
    if link.fate == "broken":
        return f"broken at L{link.level}"
    if link.fate == "sent":
        return f"found by L{link.level}, sent on by IPI"
    where = f"{moment.tower.ipi or 'an IPI'} at the CPU" if link.at_the_cpu else ""
    where = where or moment.tower.card(link.level, told.mix.guest).name
    return f"found again: {where}" if link.fate == "found" else where
