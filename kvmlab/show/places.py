"""The nine fixed places of the state: what a learner watches, always found at the same spot.

A place lists alternatives; the first whose cells a scenario has fills it, so that a notebook shows
the places it needs. Cells go by name, with ``*`` and ``?`` as in file names. Where KVMs stand on each other
their records have numbers, and a value says whose it is: ``vcpu1`` is L1's, ``V0_2`` is V[0→2].
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from kvmlab.machine.state import Layout

Look = Literal["plain", "IF", "requests", "interrupts", "for a CPU"]
"""Which mark stands before a value; of an interrupt for a guest the cell says which state it is in."""


@dataclass(frozen=True, slots=True)
class Place:
    """A title, the cells behind it, and their look.

    ``names`` says how several cells become one value: ``none`` joins the values, ``record`` shows the
    cells that hold something, each after its record's name, ``flag`` the names of those that are set.
    ``only`` are the words of a value that count.
    """

    title: str
    cells: tuple[str, ...]
    look: Look = "plain"
    names: Literal["none", "record", "flag"] = "none"
    joint: str = " / "
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A place with its value in one state; ``was`` is the value before, if it has just changed."""

    place: Place
    value: str
    was: str | None = None

    @property
    def title(self) -> str:
        """The place's title."""
        return self.place.title

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return spoken(self.value) == NOTHING


EMPTY = "-"
"""How records print a cell that holds nothing."""


NOTHING = "none"
"""How a learner reads it."""


def spoken(value: str) -> str:
    """Return a value as a learner reads it: an empty cell holds none, as do several."""
    words = value.split(" ")
    if {EMPTY} <= set(words) <= {EMPTY, "/"}:
        return NOTHING
    return " ".join(NOTHING if word == EMPTY else word for word in words)


NINE: tuple[tuple[Place, ...], ...] = (
    (Place("vcpu->mode", ("vcpu.mode",)), Place("the CPU runs", ("core.frame",))),
    (Place("host IF", ("L0.irq",), "IF"),),
    (
        Place("vcpu->requests", ("vcpu.requests",), "requests"),
        Place("requests of each KVM", ("vcpu?.requests",), names="record", joint=", "),
    ),
    (
        Place("current VMCS", ("vcpu.current",)),
        Place("asked for on a card", ("V?_?.proc",), names="record", joint=", ", only=("window",)),
    ),
    (
        Place("the other's PIR / ON", ("other.apicv.pir", "other.apicv.on"), "interrupts"),
        Place("entry event", ("vmcs0?.intr_info",), "interrupts", names="record", joint=" "),
        Place("preemption timer on", ("V?_?.pin",), names="record", joint=", ", only=("timer",)),
    ),
    (Place("pending at the CPU", ("L0.irr",), "for a CPU"),),
    (
        Place("PIR / ON", ("apicv.pir", "apicv.on"), "interrupts"),
        Place("flags", ("vcpu.nested_run_pending", "vcpu.immediate"), names="flag", joint=", "),
        Place("flags of each KVM", ("vcpu?.immediate",), names="flag", joint=", "),
    ),
    (
        Place("IRR / RVI / ISR", ("apicv.virr", "apicv.rvi", "apicv.visr"), "interrupts"),
        Place("IRR / ISR of L1", ("L1.irr", "L1.isr"), "interrupts"),
        Place("IRR of L1", ("L1.irr",), "interrupts"),
    ),
    (
        Place("timer", ("vmcs0?.timer",)),
        Place("instructions executed", ("guest[3-9].insns",), names="record", joint=", "),
        Place("L2 at", ("guest2.rip", "guest2.insns"), joint=", insns "),
        Place("L1 at", ("guest1.rip", "guest1.insns"), joint=", insns "),
    ),
)
"""Three groups of three; each place with its alternatives, the best first."""


def cells_of(place: Place, layout: Layout) -> list[int] | None:
    """Return the cells of ``place``, or ``None`` if the layout lacks one of its patterns."""
    found: list[int] = []
    for pattern in place.cells:
        matching = [i for i, info in enumerate(layout.cells) if fnmatchcase(info.name, pattern)]
        if not matching:
            return None
        found += sorted(matching, key=lambda i: layout.cells[i].name)
    return found


def show(place: Place, cells: Sequence[int], layout: Layout, state: Sequence[int]) -> str:
    """Return the value of ``place`` as text."""
    texts = [_counting(place, layout.text(cell, state)) for cell in cells]
    names = [layout.cells[cell].name.split(".") for cell in cells]
    if place.names == "record":
        texts = [
            f"{_whose(name[0])} {text}" for name, text in zip(names, texts, strict=True) if text != EMPTY
        ]
    elif place.names == "flag":
        texts = [_flag(*name) for name, cell in zip(names, cells, strict=True) if state[cell]]
    return place.joint.join(texts) or EMPTY


def _counting(place: Place, text: str) -> str:
    """Return the words of a value that count."""
    return " ".join(word for word in text.split() if word in place.only) or EMPTY if place.only else text


def _whose(record: str) -> str:
    """Return how the course calls a record that has the number of its level."""
    if levels := re.fullmatch(r"V(\d)_(\d)", record):
        return f"V[{levels[1]}→{levels[2]}]"
    return re.sub(r"(vcpu|guest)(\d)", r"L\2", record)


def _flag(record: str, name: str) -> str:
    whose = _whose(record)
    return name if whose == record else f"{whose} {name}"


def fill(
    layout: Layout,
    before: Sequence[int],
    state: Sequence[int],
    places: Sequence[Sequence[Place]] = NINE,
) -> tuple[Shown | None, ...]:
    """Return every place with its value in ``state``, ``None`` where the scenario has nothing for it."""

    def filled(alternatives: Sequence[Place]) -> Shown | None:
        for place in alternatives:
            if (cells := cells_of(place, layout)) is not None:
                was, now = (show(place, cells, layout, s) for s in (before, state))
                return Shown(place, now, was if was != now else None)
        return None

    return tuple(filled(alternatives) for alternatives in places)


def watched(layout: Layout, places: Sequence[Sequence[Place]] = NINE) -> set[str]:
    """Return the names of the cells that some place shows."""
    found = (next((c for p in place if (c := cells_of(p, layout)) is not None), []) for place in places)
    return {layout.cells[cell].name for cells in found for cell in cells}
