"""A tower in words: a line for each level from the top down, then the slot, the CPU and the drawer."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from kvmlab.show.tower import Card, Floor, Tower

COLUMNS = 80
"""No line is longer."""


def tower_text(seen: Tower, title: str = "Levels") -> str:
    """Return the picture in words; its last paragraph is the foot."""
    return "\n".join((title, "", *stage_text(seen), "", *wrap(seen.foot, COLUMNS)))


def stage_text(seen: Tower) -> Iterator[str]:
    """Yield what is on the stage, for whoever puts something around it."""
    for floor in reversed(seen.floors):
        yield from wrapped(_floor(floor), 26)
    ground = seen.floors[0]
    yield f"  slot: {ground.slot.says if ground.slot else 'empty'}"
    if seen.ipi:
        yield f"  at the CPU: {seen.ipi} {seen.ipi_state}"
    yield from wrapped(f"  L0's drawer: {listed(ground.drawer) or 'empty'}")


def _floor(floor: Floor) -> str:
    """Return a level; the cards of level 0 are in the slot and in the drawer."""
    who = f"{'>' if floor.running else ' '} {floor.name} {floor.who}"
    lies = listed([card for card in floor.cards if floor.level and (card.loaded or card.wish)])
    return f"{who:<16}{floor.note:<10}{lies}".rstrip()


def listed(cards: Sequence[Card]) -> str:
    """Return cards in words; of a hypervisor above level 0 those that are not loaded are in its drawer."""
    return ", ".join(
        card.says + ("" if card.loaded or not card.owner else " in its drawer") for card in cards
    )


def wrapped(line: str, indent: int = 4) -> list[str]:
    """Return a line in as many as it needs, those behind the first one indented."""
    return wrap(line, COLUMNS, subsequent_indent=" " * indent, break_on_hyphens=False)
