"""An order of the entry path, and what trying every schedule of it gave, by kind of sender."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from kvmlab.kernels.step_table import step_table as bare
from kvmlab.scenarios.table import step_table
from kvmlab.schedulers.explore import explore
from kvmlab.show.titles import plural

WHO = {"kvm": "software", "vtd": "VT-d"}
"""Sender -> what it is called beside its verdict."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The verdict on an order: the steps of a shortest loss (``None``: none loses), and the states seen."""

    sender: str
    senders: int
    loss: int | None
    states: int

    @property
    def holds(self) -> bool:
        """Whether no schedule loses."""
        return self.loss is None

    @property
    def says(self) -> str:
        """The verdict in words."""
        return "ok" if self.loss is None else f"LOST, {plural(self.loss, 'step')}"


def tried(order: Sequence[str], sender: str = "kvm", senders: int = 1) -> Tried:
    """Try every schedule of a whole order; if the event check is in it, software makes KVM_REQ_EVENT."""
    return _tried(tuple(order), sender, senders)


@cache
def _tried(order: tuple[str, ...], sender: str, senders: int) -> Tried:
    found = explore(step_table(bare(order), sender=sender, senders=senders))
    lost = [violation for violation in found.violations if violation.property.label == "LOST"]
    loss = len(lost[0].labels) - 1 if lost else None  # the last label is the check
    return Tried(sender, senders, loss, found.states)
