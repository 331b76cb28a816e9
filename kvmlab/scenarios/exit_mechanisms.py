"""By which mechanism a forced exit comes too late, or not at all: where its wish, or its IPI, got stuck.

Each rule is one label and the bits behind it. What happens at one level is a bit per level: the wish for an
exit is dropped with an entry that is cancelled, and made good where that level decides on one again; an IPI
above level 0 is kept by the level below until its guest can take it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kvmlab.kvm.nested import current, is_guest_mode
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.monitor import Monitor
from kvmlab.machine.system import Move
from kvmlab.processor.controls import MONITOR_TRAP_FLAG

LATE_IPI, THROWN, BEHIND, NOT_LOOKED, NOT_ASKED = (1 << n for n in range(5))
LEFT = 1 << 5
"""The guest has left on its own: what was wrong by then is why, whatever is made good later."""


def dropped(level: int) -> int:
    """Return the bit "the wish was dropped at this level"."""
    return 1 << 6 + 2 * level


def kept(level: int) -> int:
    """Return the bit "an IPI from above was kept at this level"."""
    return 1 << 7 + 2 * level


def names(levels: int) -> dict[int, str]:
    """Return what each bit says, with so many ``levels`` of KVM; the one that explains most comes first."""
    return {
        LATE_IPI: "L0's IPI to itself had not arrived at the entry",
        THROWN: "the exit was reported before the entry, and took with it what L1 had injected",
        BEHIND: "the exit that was asked for comes behind an instruction",
        **{dropped(n): f"L{n}'s wish to leave was dropped with a cancelled entry" for n in range(levels)},
        **{kept(n): f"L{n + 1}'s IPI stayed behind in L{n}, which ran another guest" for n in range(levels)},
        NOT_LOOKED: "an interrupt waited, but no KVM_REQ_EVENT: nobody looked",
        NOT_ASKED: "an interrupt waited, and nobody asked for an exit",
    }


Rule = Callable[[int, Any, Sequence[int]], int]
"""(bits so far, the record that the step ran on, state before) -> bits."""


def _cancelled(bits: int, me: Vcpu, s: Sequence[int]) -> int:
    return bits | dropped(me.level) if s[me.immediate] else bits


def _decided(bits: int, me: Vcpu, s: Sequence[int]) -> int:
    return bits & ~dropped(me.level) if s[me.immediate] else bits


def _looked(bits: int, me: Vcpu, s: Sequence[int]) -> int:
    missed = s[me.guests[0].cpu.irr] and not s[me.requests] & KVM_REQ_EVENT
    return bits & ~NOT_LOOKED | (NOT_LOOKED if missed else 0)


def _entered(bits: int, me: Vcpu, s: Sequence[int]) -> int:
    """Only level 0 enters anybody in hardware."""
    if me.level:
        return bits
    flies = me.wire is not None and s[me.wire.vectors]
    wished = s[me.immediate]
    behind = wished and s[current(s, me).vmcs.proc] & MONITOR_TRAP_FLAG
    waits = is_guest_mode(s, me) and s[me.guests[0].cpu.irr] and not wished
    bits &= ~(LATE_IPI | BEHIND | NOT_ASKED)
    return bits | (LATE_IPI if flies else 0) | (BEHIND if behind else 0) | (NOT_ASKED if waits else 0)


RULES: Mapping[str, Rule] = {
    "CANCEL.mode": _cancelled,
    "CHECK_IMMEDIATE": _decided,
    "CHECK_EVENT": _looked,
    "VMENTRY": _entered,
    "EXIT.wrmsr_icr": lambda bits, me, s: bits | kept(me.level),
    "IRQ.virtual": lambda bits, me, s: bits & ~kept(me.level - 1),
    "VMCALL": lambda bits, me, s: bits and bits | LEFT,
    "NESTED_VMEXIT": lambda bits, me, s: bits | THROWN if s[me.nested_run_pending] else bits,
}


def update(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    """Return the bits after ``move``."""
    label = move.step.label
    known = label in RULES and not bits & LEFT
    return RULES[label](bits, move.me, before) if known else bits


def monitor(levels: int) -> Monitor:
    """Return the monitor for so many levels of KVM."""
    return Monitor(update, names(levels))
