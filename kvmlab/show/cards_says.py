"""The moments of a promise in words: what just happened, in sentences made of what is on show."""

from collections.abc import Callable, Mapping

from kvmlab.show.cards import ENTRY, EXIT, NEWS, TASK, TURN, WISH, Link, Mix, Moment, Name, Story
from kvmlab.show.methods import count
from kvmlab.show.tower import Card


def title(told: Story) -> str:
    """Return what all moments are about."""
    mix = told.mix
    return f"L{mix.tested} is to enter L{mix.guest}, which is to leave at once"


def given(told: Story) -> str:
    """Return what was given: how far the guest would come on its own, and what is out of the ordinary."""
    mix = told.mix
    extra = ["no A1"] if not mix.a1 else []
    extra += [_looks(mix)] if any(mix.looking) else []
    extra += ["APICv"] if mix.apicv else []
    return "; ".join([f"L{mix.guest} would leave after {count(mix.k)}", *extra])


def _looks(mix: Mix) -> str:
    """Return who looks for what when it puts a card away."""
    if isinstance(mix.looks, str):
        return f"each KVM looks for {mix.looks}"
    first, *others = ((f"L{level}", what) for level, what in enumerate(mix.looks) if what)
    return ", ".join([" looks for ".join(first), *map(" for ".join, others)])


def brief(told: Story, number: int) -> str:
    """Return what a moment brought, in a few words."""
    moment, mix = told.moments[number - 1], told.mix
    if moment.name == TASK:
        return f"L{mix.guest}: in, and out at once"
    if moment.name in (WISH, TURN):
        return _sign(told, moment)
    if moment.name == ENTRY:
        return f"finds {_found(moment)}"
    if moment.name == EXIT:
        return f"after {count(told.instructions)}"
    return f"L{mix.asks} is told {told.told}"


def _sign(told: Story, moment: Moment) -> str:
    """Return where a level's wish is: on its own card, on that on which it runs, or at the CPU."""
    level = moment.level
    own = moment.tower.card(level, told.mix.guest)
    card = own if own.wish or not level else moment.tower.card(level - 1, level)
    return f"{card.wish} on {card.name}" if card.wish else f"{moment.tower.ipi} {_where(moment)}"


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
    return _SAYS[moment.name](told, moment)


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
    return _letter(moment, tested)


def _letter(moment: Moment, level: int) -> str:
    """Return what becomes of a level's IPI to itself; it was sent with IF=0."""
    left, below = moment.tower.card(level - 1, level), f"L{level - 1}"
    sent = f"L{level} sends itself an IPI: its write to the ICR exits."
    if left.wish != "window":
        return f"{sent} {below} keeps the interrupt for it on {left.name}: {left.wish}."
    asks = f"{below} asks {left.name} for an exit as soon as it can take one: window."
    return f"{sent} L{level} has IF=0, so {asks}"


def _turn(told: Story, moment: Moment) -> str:
    """Return what a level in between made of the promise; an IPI is all it sends, so far."""
    level = moment.level
    above = moment.tower.card(level + 1, told.mix.guest)
    asked = f"L{level + 1}'s VMRESUME exits."
    link = next(each for each in told.moment(ENTRY).chain if each.level == level)
    if link.fate == "broken":
        return f"{asked} L{level} reads {above.name}. {_letter(moment, level)}"
    found = [_left(moment, level + 1)] if link.fate != "kept" else []
    return " ".join([asked, *found, _passed(told, moment, link)])


def _entry(told: Story, moment: Moment) -> str:
    """Follow the promise on its last way, behind the turns of the levels in between."""
    mix = told.mix
    asked = min([mix.tested, *(each.level for each in told.moments if each.name == TURN)])
    down = [_left(moment, asked)] if _put_away(moment, asked) else []
    down += [_passed(told, moment, link) for link in moment.chain if link.level < asked or not link.level]
    begins = [f"L{asked}'s VMRESUME exits."] if mix.tested else []
    return " ".join([*begins, *down, f"The entry finds {_found(moment)}."])


def _put_away(moment: Moment, level: int) -> bool:
    """Return whether the sign of a level's IPI goes into the drawer of the one below."""
    return bool(level) and any(
        link.level == level and link.fate in ("broken", "sent") for link in moment.chain
    )


def _passed(told: Story, moment: Moment, link: Link) -> str:
    """Return what a level made of the promise."""
    level, own = link.level, moment.tower.card(link.level, told.mix.guest)
    if link.fate == "broken":
        return _left(moment, level)
    if link.fate == "sent":
        return f"L{level} looks. {_letter(moment, level)}"
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


_SAYS: Mapping[Name, Callable[[Story, Moment], str]] = {
    TASK: _task,
    WISH: _wish,
    TURN: _turn,
    ENTRY: _entry,
    EXIT: _exit,
    NEWS: _news,
}
