"""One state of a posted-interrupts scenario, as the question "what still holds the post?" looks at it.

What is ahead of the vCPU's thread depends on its path, which may have its steps in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from kvmlab.processor.records import ROOT, Apicv
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.scenario import Scenario


@dataclass(frozen=True)
class Moment:
    """One state, as the rules look at it."""

    scenario: Scenario
    state: Sequence[int]

    def cell(self, record: str, name: str) -> int:
        """Return the value of a cell of a record."""
        return int(self.state[getattr(self.scenario.records[record], name)])

    @cached_property
    def rows(self) -> list[str]:
        """The labels of the vCPU's path, in its order."""
        return [place.row.label for place in self.scenario.system.places["v"]]

    @cached_property
    def at(self) -> int:
        """Where the vCPU's thread stands."""
        return self.state[self.scenario.system.pc["v"]]

    def row(self, label: str) -> int:
        """Return the place of a row; -1 if the path has none of that name."""
        return self.rows.index(label) if label in self.rows else -1

    @property
    def apicv(self) -> Apicv:
        """The descriptor and the virtual-APIC page."""
        found: Apicv = self.scenario.records["apicv"]
        return found

    @property
    def on(self) -> bool:
        """Whether ON is set."""
        return bool(self.state[self.apicv.on])

    @property
    def posted(self) -> bool:
        """Whether something is in PIR, and not just being copied from it."""
        return bool(self.state[self.apicv.pir]) and not self.stands("SYNC.copy")

    @property
    def in_guest(self) -> bool:
        """Whether the guest runs."""
        return self.cell("core", "frame") != ROOT

    @property
    def before_entry(self) -> bool:
        """Whether the entry of this lap is still to come."""
        return not self.in_guest and self.at <= max(self.row("ENTER"), self.row("VMENTRY"))

    def stands(self, label: str) -> bool:
        """Whether the vCPU's thread is about to take a step whose label begins so."""
        return self.before_entry and self.rows[self.at].startswith(label)

    def ahead(self, label: str) -> bool:
        """Whether a row is still to come before the guest runs."""
        return self.before_entry and self.at <= self.row(label)

    def pends(self, vector: int) -> bool:
        """Whether a vector is pending at the CPU."""
        return bool(self.cell("L0", "irr") & bit(vector))

    @property
    def interrupts_on(self) -> bool:
        """Whether the host could take what is pending at the CPU."""
        return not self.in_guest and bool(self.cell("L0", "irq"))

    @cached_property
    def senders(self) -> dict[str, str]:
        """Where each sender stands, by its letter: the label of its row, or empty if it has returned."""
        system = self.scenario.system
        out = {}
        for letter, actor in system.actors.items():
            if actor.path.name == "post":
                places, at = system.places[letter], self.state[system.pc[letter]]
                out[letter] = places[at].row.label if at < len(places) else ""
        return out

    def sends(self, *labels: str) -> bool:
        """Whether a sender stands at one of these rows."""
        return any(label in labels for label in self.senders.values())

    def asks(self, label: str) -> bool:
        """Whether a sender that stands at ``label`` will make a request, even if ON is set already."""
        places = self.scenario.system.places
        here = [letter for letter, at in self.senders.items() if at == label]
        return any(place.row.label == "POST.request" for letter in here for place in places[letter])
