"""What may be assumed of schedules where a KVM forces an exit, by name.

Without any of them a thread that could run may wait for ever, and an interrupt as well.
"""

from collections.abc import Sequence

from kvmlab.machine.property import Fairness
from kvmlab.machine.system import Move
from kvmlab.processor.records import Guest
from kvmlab.scenarios.tick import COMES

ARRIVES, TAKEN, LEAVES = "ARRIVES", "IRQ.reschedule", "VMCALL"
"""The steps that deliver: an IPI's way ends; the host takes it; the guest on top leaves, for a reason of its
own, and the level below looks."""

TICK_TAKEN = "IRQ.tick"

RUNS = Fairness("runs", "whoever can move all the time moves in the end", lambda move, s: move.actor.letter)

EXITS = Fairness(
    "exits",
    "while the guest computes some exit comes again and again: each level has the tick of its host",
    lambda move, s: move.step.label if move.step.label.startswith((COMES, TICK_TAKEN)) else "",
    strong=True,
)
"""For scenarios that have a tick; whoever is left has a lap and may look, or not."""


def _waits(s: Sequence[int], guest: Guest) -> bool:
    """Whether an interrupt is kept for a hypervisor that is a guest."""
    page = guest.apicv
    return bool(s[guest.cpu.irr] or (page is not None and (s[page.virr] or s[page.pir])))


def fairness(hypervisors: Sequence[Guest] = (), tick: bool = False) -> tuple[Fairness, ...]:
    """Return what may be assumed; ``hypervisors`` are those for which a level below keeps interrupts."""

    def owes(move: Move, s: Sequence[int]) -> str:
        label = move.step.label
        kept = label == LEAVES and any(_waits(s, guest) for guest in hypervisors)
        return "IPI" if label in (ARRIVES, TAKEN) or kept else ""

    delivered = (
        "an IPI that can be delivered again and again is: it arrives; the host takes it; and if a level "
        "below keeps it, some exit comes"
    )
    return RUNS, Fairness("delivery", delivered, owes, strong=True), *([EXITS] if tick else [])
