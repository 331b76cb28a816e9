"""The entry path in any order: the same steps as v4.10's and b95234c's, put where a learner wants them.

The steps that matter are few: look at KVM_REQ_EVENT, sync, IN_GUEST_MODE, interrupts off, recheck. An
order is a list of their short names; whoever is not named stands where the kernels have it: the look at
KVM_REQ_EVENT in front, the recheck last.
"""

from collections.abc import Sequence
from typing import Literal

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import RUN_LOOP, Kernel, Patch, PathEdit
from kvmlab.machine.edit import Relocate
from kvmlab.machine.step import name_of

Event = Literal["none", "check-first", "sync-first"]
"""Do senders make KVM_REQ_EVENT, and if so: does the lap look at it before or behind the sync?"""

EVENTS: tuple[Event, ...] = ("none", "check-first", "sync-first")

NODES = {
    "event": "event",
    "sync": "sync_pir_to_irr",
    "mode": "MODE_IN",
    "irq_off": "IRQ_OFF",
    "recheck": "recheck",
}
"""Short name -> the step or block that it stands for."""

NEEDED, OPTIONAL = ("irq_off", "mode", "sync"), ("event", "recheck")


def parse_order(text: str, event: str = "none") -> tuple[str, ...]:
    """Return the whole order that ``irq_off,mode,sync`` means; with ``event`` "none" nobody looks at EVENT.

    Raises BadInput unless each of irq_off, mode, sync is named once, event and recheck at most once.
    """
    order = [name.strip() for name in text.split(",")]
    if event not in EVENTS:
        raise BadInput(f"event {event}: one of {', '.join(EVENTS)}")
    if set(order) - NODES.keys() or len(set(order)) < len(order) or not set(NEEDED) <= set(order):
        raise BadInput(f"order {text}: name irq_off, mode and sync once each; event and recheck if you like")
    if event == "none" and "event" in order:
        raise BadInput("order: nobody makes KVM_REQ_EVENT, so leave event out, or say --event check-first")
    if event != "none" and "event" not in order:
        order.insert(order.index("sync") + 1 if event == "sync-first" else 0, "event")
    return tuple(order if "recheck" in order else [*order, "recheck"])


def reordered(base: Kernel, order: Sequence[str], name: str | None = None) -> Kernel:
    """Return ``base`` with the steps of a whole order moved, one behind the other, to before the entry."""
    moves = [PathEdit(RUN_LOOP, Relocate(NODES[step], before="CHECK_IMMEDIATE")) for step in order]
    says = f"the entry path in the order {', '.join(order)}"
    return Patch("order", says, "no kernel did this", moves).on(base, name or ",".join(order))


def order_of(kernel: Kernel) -> tuple[str, ...]:
    """Return the whole order in which the run loop of ``kernel`` has these steps."""
    short = {node: name for name, node in NODES.items()}
    names = map(name_of, kernel.paths[RUN_LOOP].walk())
    return tuple(short[name] for name in names if name in short)
