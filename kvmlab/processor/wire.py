"""The way of an interrupt that takes its time: sent, but not yet in the receiver's local APIC.

Nothing in the architecture says how long an IPI travels, not even to the CPU that sends it; only the
SELF_IPI MSR promises that. Source: SDM vol. 3 (June 2016), "SELF IPI Register", "Interrupt Command
Register (ICR)".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.machine.state import Cell, cell
from kvmlab.machine.step import Block, Step, loop
from kvmlab.processor.vectors import show_set


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """``vectors`` are on their way to the local APIC that keeps its pending ones in ``irr``.

    Where time counts, ``now`` is its cell, ``delay`` how long the way takes, ``due`` when they arrive
    (-1: no time).
    """

    irr: Cell
    now: Cell | None = None
    delay: int = 0
    vectors: Cell = cell(0, show_set)
    due: Cell = cell(-1, deadline=True)


def send(s: list[int], wire: Wire, vectors: int) -> None:
    """Put ``vectors`` on the way; what is under way already is not overtaken."""
    if wire.now is not None and not s[wire.vectors]:
        s[wire.due] = s[wire.now] + wire.delay
    s[wire.vectors] |= vectors


def _there(s: Sequence[int], me: Wire) -> bool:
    return bool(s[me.vectors]) and (me.now is None or s[me.due] <= s[me.now])


def _arrive(s: list[int], me: Wire) -> None:
    s[me.irr] |= s[me.vectors]
    s[me.vectors] = 0
    s[me.due] = -1


WIRE: Block = loop(
    "wire",
    Step(
        "ARRIVES",
        _arrive,
        _there,
        "the IPI reaches the local APIC, at last",
        "no promise of the architecture",
    ),
)
