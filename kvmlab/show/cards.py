"""The card in the slot: a promise to leave at once, on its way from a hypervisor down to hardware.

The hypervisor on top enters its guest with a preemption timer of 0. The KVM below it, at the *level under
test*, keeps that promise by its own method; so does every KVM further down, if it is asked. The moments of
one run: the task, the wish, the turn of each level in between that is asked, the entry, the exit, the news.
How they come out of the model says :mod:`kvmlab.show.cards_story`.
"""

from dataclasses import dataclass
from typing import Literal

from kvmlab.show.tower import Tower

SAYS = {"ipi": "self-IPI", "timer0": "timer 0"}
"""How a learner reads a method."""

LOOKS = {"": "", "window": "+b5861e5", "window and RVI": "+b5861e5+evaluate-rvi"}
"""What a KVM looks for on the card that it puts away, and the edit that makes it do so."""

Name = Literal["the task", "the wish", "its turn", "the entry", "the exit", "the news"]
TASK: Name = "the task"
WISH: Name = "the wish"
TURN: Name = "its turn"
"""A level between the one under test and level 0 passes the promise on, or does not."""
ENTRY: Name = "the entry"
"""Here it is settled how far the promise has come."""
EXIT: Name = "the exit"
NEWS: Name = "the news"


@dataclass(frozen=True, slots=True)
class Mix:
    """What is given: the method of each level from 0 up, and after how many instructions the guest leaves
    on its own.

    ``a1``: an IPI of level 0 to itself is there before the entry (else it comes last of all). ``looks``:
    what a KVM looks for when it puts a card away: one word for all, or one for each level from 0 up.
    ``apicv``: level 0 gives L1 a CPU with APICv.
    """

    methods: tuple[str, ...]
    k: int = 1000
    a1: bool = True
    looks: str | tuple[str, ...] = ""
    apicv: bool = False

    @property
    def looking(self) -> tuple[str, ...]:
        """What each level looks for, from 0 up."""
        return (self.looks,) * len(self.methods) if isinstance(self.looks, str) else self.looks

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


Fate = Literal["kept", "found", "broken", "sent"]
"""What became of a promise at a level: passed on; found again, on a card that was put away; not passed on;
found again, and passed on by an IPI, which is none that the next level has to obey."""


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
    """Who runs on which card, and how far down the promise has come, from the top; ``level``: whose turn."""

    name: Name
    tower: Tower
    chain: tuple[Link, ...]
    level: int = 0

    @property
    def title(self) -> str:
        """Which one it is."""
        return f"L{self.level}'s turn" if self.name == TURN else self.name


@dataclass(frozen=True, slots=True)
class Story:
    """The moments of a run, how far the guest came, why it left, and what its hypervisor was told.

    ``exact``: it left before its first instruction, and its hypervisor was told that its timer had run out.
    """

    mix: Mix
    moments: tuple[Moment, ...]
    exact: bool
    instructions: int
    reason: str
    told: str

    def number(self, title: str) -> int:
        """Return which moment, from 1, has a title; the entry's if there is none such."""
        titles = [moment.title for moment in self.moments]
        return titles.index(title if title in titles else ENTRY) + 1

    def moment(self, name: Name) -> Moment:
        """Return the moment of a name that is there once."""
        return self.moments[self.number(name) - 1]

    def passed(self, moment: Moment, name: Name) -> bool:
        """Return whether a moment is ``name`` or a later one."""
        return self.moments.index(moment) + 1 >= self.number(name)

    @property
    def word(self) -> str:
        """The verdict."""
        return "EXACT" if self.exact else "LATE"
