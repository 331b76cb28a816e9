"""What may be assumed of schedules on a stack of KVMs, by name.

Without any of them a thread that could run may wait for ever, and an interrupt as well.
"""

from collections.abc import Sequence

from kvmlab.machine.property import Fairness
from kvmlab.machine.system import Move
from kvmlab.processor.records import Guest
from kvmlab.scenarios.stack import Stack

ARRIVES, LEAVES = "ARRIVES", "VMCALL"
"""The steps that deliver: an IPI's way ends; the guest on top leaves for a reason of its own."""

RUNS = Fairness("runs", "whoever can move all the time moves in the end", lambda move, s: move.actor.letter)


def _waits(s: Sequence[int], guest: Guest) -> bool:
    """Whether an interrupt is kept for a hypervisor that is a guest."""
    page = guest.apicv
    return bool(s[guest.cpu.irr] or (page is not None and (s[page.virr] or s[page.pir])))


def fairness(parts: Stack) -> tuple[Fairness, ...]:
    """Return what may be assumed for ``parts``."""
    hypervisors = [parts.code[level] for level in range(1, parts.kvms)]

    def owes(move: Move, s: Sequence[int]) -> str:
        label = move.step.label
        kept = label == LEAVES and any(_waits(s, guest) for guest in hypervisors)
        return "IPI" if label == ARRIVES or kept else ""

    delivered = "an IPI is delivered in the end: it arrives; and if a level below keeps it, some exit comes"
    return RUNS, Fairness("delivery", delivered, owes)
