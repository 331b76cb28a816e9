"""The five moments of a promise in words: what just happened, in sentences made of what is on show."""

from collections.abc import Callable

from kvmlab.show.cards import Link, Moment, Story
from kvmlab.show.methods import count
from kvmlab.show.tower import Card


def title(told: Story) -> str:
    """Return what all five moments are about."""
    mix = told.mix
    return f"L{mix.tested} is to enter L{mix.guest}, which is to leave at once"


def given(told: Story) -> str:
    """Return what was given: how far the guest would come on its own, and what is out of the ordinary."""
    mix = told.mix
    extra = ["no A1"] if not mix.a1 else []
    extra += [f"each KVM looks for {mix.looks}"] if mix.looks else []
    extra += ["APICv"] if mix.apicv else []
    return "; ".join([f"L{mix.guest} would leave after {count(mix.k)}", *extra])


def brief(told: Story, number: int) -> str:
    """Return what a moment brought, in a few words."""
    moment, mix = told.moments[number - 1], told.mix
    own = moment.tower.card(mix.tested, mix.guest)
    if number == 1:
        return f"L{mix.guest}: in, and out at once"
    if number == 2:
        below = moment.tower.card(mix.tested - 1, mix.tested) if mix.tested else own
        card = own if own.wish else below
        return f"{card.wish} on {card.name}" if card.wish else f"{moment.tower.ipi} {_where(moment)}"
    if number == 3:
        return f"finds {_found(moment)}"
    if number == 4:
        return f"after {count(told.instructions)}"
    return f"L{mix.asks} is told {told.told}"


def _where(moment: Moment) -> str:
    return "at the CPU" if moment.tower.ipi_state == "pending" else "under way"


def _found(moment: Moment) -> str:
    """Return what the entry finds."""
    slot = moment.tower.floors[0].slot
    assert slot is not None
    if slot.wish:
        return f"{slot.wish} on {slot.name}"
    there = moment.tower.ipi_state == "pending"
    return f"{moment.tower.ipi} at the CPU" if there else f"no wish on {slot.name}"


def foot(told: Story, moment: Moment) -> str:
    """Return what just happened."""
    return _SAYS[moment.number - 1](told, moment)


def _task(told: Story, moment: Moment) -> str:
    mix = told.mix
    asks, guest, tested = mix.asks, mix.guest, mix.tested
    return (
        f"L{asks} has entered L{guest} with a preemption timer of 0. L{tested} keeps that timer for it:"
        f" it must really enter L{guest}, and get it out before its first instruction."
    )


def _wish(told: Story, moment: Moment) -> str:
    tested, guest = told.mix.tested, told.mix.guest
    own = moment.tower.card(tested, guest)
    if own.wish:
        return f"L{tested} writes {own.wish} on its card, {own.name}."
    if not tested:
        return f"L0 sends an IPI to its own CPU, with IF=0: {moment.tower.ipi} is {_where(moment)}."
    left = moment.tower.card(tested - 1, tested)
    return (
        f"L{tested} sends itself an IPI. The write exits: L{tested - 1} keeps the interrupt for L{tested},"
        f" and its sign is on {left.name}: {left.wish}."
    )


def _entry(told: Story, moment: Moment) -> str:
    """Follow the promise down, as far as it comes."""
    mix = told.mix
    links = {link.level: link for link in moment.chain}
    down = [
        _passed(told, moment, links[level])
        for level in range(mix.tested, -1, -1)
        if level in links and (level < mix.tested or links[level].fate == "broken")
    ]
    begins = [f"L{mix.tested}'s VMRESUME exits."] if mix.tested else []
    return " ".join([*begins, *down, f"The entry finds {_found(moment)}."])


def _passed(told: Story, moment: Moment, link: Link) -> str:
    """Return what a level made of the promise."""
    level, own = link.level, moment.tower.card(link.level, told.mix.guest)
    if link.fate == "broken":
        return _left(moment, level)
    by = "an IPI to its own CPU" if link.at_the_cpu else f"{own.wish} on {own.name}"
    if link.fate == "found":
        return f"L{level} looks, and promises in its turn: {by}."
    above = moment.tower.card(level + 1, told.mix.guest)
    return f"L{level} reads {above.name} and repeats it: {by}."


def _left(moment: Moment, level: int) -> str:
    if not level:
        return f"L0's IPI is still on its way: {moment.tower.ipi}."
    left: Card = moment.tower.card(level - 1, level)
    return f"{left.name} goes into L{level - 1}'s drawer, with L{level}'s IPI on it ({left.wish})."


def _exit(told: Story, moment: Moment) -> str:
    guest = f"L{told.mix.guest}"
    if not told.instructions:
        return f"{guest} leaves before its first instruction: {told.reason}."
    return f"{guest} executes {count(told.instructions)}, and leaves on its own: {told.reason}."


def _news(told: Story, moment: Moment) -> str:
    asks, verdict = f"L{told.mix.asks} is told {told.told}", f"{told.word}: {count(told.instructions)}"
    opened = [link for link in moment.chain if link.fate == "broken" and link.level]
    if told.exact or not opened:
        return f"{asks}. {verdict}."
    level = opened[0].level
    return f"Only now L{level - 1} opens its drawer; L{level} gets its IPI. {asks}. {verdict}."


_SAYS: tuple[Callable[[Story, Moment], str], ...] = (_task, _wish, _entry, _exit, _news)
