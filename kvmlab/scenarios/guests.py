"""Guest programs: L1, a hypervisor that launches L2, and L2, which computes.

They are paths like any other. L2 may compute for ever; whether and when it leaves on its own is a
free choice, unless ``after`` says how many instructions it runs before its VMCALL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kvmlab.machine.state import Cell, cell
from kvmlab.machine.step import Block, Step, block, free, loop
from kvmlab.processor import intr_info
from kvmlab.processor.boundary import EVENTS, in_guest
from kvmlab.processor.entry import retire, vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest, Vmcs, show_flag

INJECTED = 0x31
"""The vector that L1 injects into L2 with its VMRESUME."""


@dataclass(frozen=True, slots=True, kw_only=True)
class L1:
    """L1's hypervisor: its guest context, its form for L2, and its memory of having injected.

    ``offers`` limits its VMRESUME: with an event to inject, without, or both (a free choice).
    """

    guest: Guest
    vmcs12: Vmcs
    offers: tuple[bool, ...] = (True, False)
    injected: Cell = cell(0, show_flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class L2:
    """L2's program; ``after`` is the number of instructions before its VMCALL, ``None`` any."""

    guest: Guest
    after: int | None = None


def _resume_with(s: list[int], me: L1) -> None:
    s[me.vmcs12.intr_info] = intr_info.event(INJECTED)
    s[me.injected] = 1
    vm_exit(s, me.guest, Exit.VMRESUME)


def _resume(s: list[int], me: L1) -> None:
    vm_exit(s, me.guest, Exit.VMRESUME)


def _sti(s: list[int], me: L1) -> None:
    s[me.guest.cpu.irq] = 1


def _nothing(s: list[int], me: L1) -> None:
    """Change nothing."""


def _insn(s: list[int], me: L2) -> None:
    retire(s, me.guest)


def _vmcall(s: list[int], me: L2) -> None:
    vm_exit(s, me.guest, Exit.VMCALL)


def _may_compute(s: Sequence[int], me: L2) -> bool:
    return me.after is None or s[me.guest.insns] < me.after


def _may_call(s: Sequence[int], me: L2) -> bool:
    return me.after is None or s[me.guest.insns] >= me.after


def on_guest(path: Block, events: Mapping[str, Step] = EVENTS) -> Block:
    """Return a program of a record that *has* a guest context as guest code."""
    return in_guest(path, lambda me: me.guest, events)


L1_PROGRAM = on_guest(
    block(
        "L1",
        free(
            "L1.VMRESUME",
            Step(
                "VMRESUME+0x31",
                _resume_with,
                lambda s, me: True in me.offers,
                "L1 resumes L2 and injects 0x31 into it: one-shot",
            ),
            Step("VMRESUME", _resume, lambda s, me: False in me.offers, "L1 resumes L2, nothing to inject"),
        ),
        Step("L1.EXITED", _nothing, says="L1 runs again, behind its VMRESUME, with IF=0"),
        Step("L1.STI", _sti, says="L1 sets IF: it can take 0x40 now"),
        Step(
            "L1.HANDLER",
            _nothing,
            lambda s, me: s[me.guest.delivered],
            "L1's handler of 0x40 runs",
        ),
    )
)

L2_BODY = loop(
    "L2",
    free(
        "L2.RUN",
        Step("INSN", _insn, _may_compute, "L2 executes one instruction"),
        Step("VMCALL", _vmcall, _may_call, "L2 leaves on its own, by VMCALL"),
    ),
)
L2_PROGRAM = on_guest(L2_BODY)
