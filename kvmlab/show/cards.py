"""The card in the slot: a promise to leave at once, on its way from a hypervisor down to hardware.

The hypervisor on top enters its guest with a preemption timer of 0. The KVM below it, at the *level under
test*, keeps that promise by its own method; so does every KVM further down, if it is asked. Five moments of
one run: the task, the wish, the entry, the exit, the news. How they come out of the model says
:mod:`kvmlab.show.cards_story`.
"""

from dataclasses import dataclass
from typing import Literal

from kvmlab.show.tower import Tower

SAYS = {"ipi": "self-IPI", "timer0": "timer 0"}
"""How a learner reads a method."""

LOOKS = {"": "", "window": "+b5861e5", "window and RVI": "+b5861e5+evaluate-rvi"}
"""What a KVM looks for on the card that it puts away, and the edit that makes it do so."""

TITLES = ("the task", "the wish", "the entry", "the exit", "the news")
"""The five moments."""
ENTRY = 3
"""The one at which it is settled how far the promise has come."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What is given: the method of each level from 0 up, and after how many instructions the guest leaves
    on its own.

    ``a1``: an IPI of level 0 to itself is there before the entry (else it comes last of all). ``looks``:
    what every KVM looks for when it puts a card away. ``apicv``: level 0 gives L1 a CPU with APICv.
    """

    methods: tuple[str, ...]
    k: int = 1000
    a1: bool = True
    looks: str = ""
    apicv: bool = False

    @property
    def tested(self) -> int:
        """The level under test."""
        return len(self.methods) - 1

    @property
    def asks(self) -> int:
        """The level of the hypervisor that asks for the exit."""
        return self.tested + 1

    @property
    def guest(self) -> int:
        """The level of the guest that is to leave."""
        return self.tested + 2

    @property
    def says(self) -> str:
        """The methods in words."""
        return ", ".join(f"L{level} {SAYS[way]}" for level, way in enumerate(self.methods))


Fate = Literal["kept", "found", "broken"]
"""What became of a promise at a level: passed on; found again, on a card that was put away; not passed on."""


@dataclass(frozen=True, slots=True)
class Link:
    """What became of the promise at ``level``: there the card for the guest asks for the exit, or does not.

    ``at_the_cpu``: it does not, but an interrupt for the CPU itself does the same.
    """

    level: int
    fate: Fate
    at_the_cpu: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """One of the five: who runs on which card, and how far down the promise has come, from the top."""

    number: int
    tower: Tower
    chain: tuple[Link, ...]

    @property
    def title(self) -> str:
        """Which one it is."""
        return TITLES[self.number - 1]


@dataclass(frozen=True, slots=True)
class Story:
    """The five moments of a run, how far the guest came, why it left, and what its hypervisor was told.

    ``exact``: it left before its first instruction, and its hypervisor was told that its timer had run out.
    """

    mix: Mix
    moments: tuple[Moment, ...]
    exact: bool
    instructions: int
    reason: str
    told: str

    @property
    def word(self) -> str:
        """The verdict."""
        return "EXACT" if self.exact else "LATE"
