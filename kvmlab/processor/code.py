"""Guest code as a table of instructions by address: RIP says which one is next, and may be written from
outside.

An instruction takes its effect and then retires: RIP moves, a shadow ends, TF leaves a debug trap
pending, MTF takes the guest out. One that exits, or faults, does not retire. The first touch of a page
that the hypervisor has not mapped yet is an EPT violation in its place. Source: SDM vol. 3 (June 2016),
"Instructions That Cause VM Exits", "Monitor Trap Flag", "Single-Step Exception Condition".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kvmlab.machine.state import Cell
from kvmlab.machine.step import Block, Step, loop
from kvmlab.processor import flags, intr_info, shadow
from kvmlab.processor.controls import HLT_EXITING, MONITOR_TRAP_FLAG, UNCONDITIONAL_IO_EXITING
from kvmlab.processor.entry import complete, deliver, vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ACTIVE, HLT, Guest
from kvmlab.processor.timer_events import DEBUG_VECTOR, intercepts

GP_VECTOR = 13

Run = Callable[[list[int], Guest], bool]
"""The effect; returns whether the instruction retires."""


@dataclass(frozen=True, slots=True)
class Insn:
    """An instruction: its bytes, its effect, and the page that it touches (-1: one that is always mapped)."""

    length: int
    run: Run
    page: int = -1


Code = Mapping[int, Insn]


@dataclass(frozen=True, slots=True)
class Program:
    """What a guest runs: its context, its code, and which pages are still to be mapped (a bitmap)."""

    guest: Guest
    code: Code
    cold: Cell


def assemble(at: int, *insns: Insn) -> dict[int, Insn]:
    """Return the instructions at their addresses, from ``at`` on."""
    code = {}
    for insn in insns:
        code[at] = insn
        at += insn.length
    return code


def _exit(s: list[int], guest: Guest, reason: Exit, length: int, exit_intr: int = 0) -> bool:
    if guest.exit_length is not None:
        s[guest.exit_length] = length
    vm_exit(s, guest, reason, exit_intr=exit_intr)
    return False


def step_over(s: list[int], guest: Guest) -> None:
    """What a hypervisor does that has emulated the instruction that exited: RIP moves behind it."""
    assert guest.exit_length is not None
    s[guest.rip] += s[guest.exit_length]


def nop(length: int = 1, page: int = -1) -> Insn:
    """Return an instruction that only takes its time."""
    return Insn(length, lambda s, guest: True, page)


def work(count: int) -> tuple[Insn, ...]:
    """Return so many of them."""
    return tuple(nop() for _ in range(count))


def vmcall() -> Insn:
    """Return VMCALL, which always exits."""
    return Insn(3, lambda s, guest: _exit(s, guest, Exit.VMCALL, 3))


def store(cell: Cell, value: Callable[[Sequence[int]], int], page: int = -1) -> Insn:
    """Return an instruction that writes to the guest's memory."""

    def run(s: list[int], guest: Guest) -> bool:
        s[cell] = value(s)
        return True

    return Insn(1, run, page)


def jump(to: Callable[[Sequence[int]], int | None]) -> Insn:
    """Return a jump of two bytes; ``None`` falls through."""

    def run(s: list[int], guest: Guest) -> bool:
        target = to(s)
        if target is not None:
            s[guest.rip] = target - 2
        return True

    return Insn(2, run)


def _hlt(s: list[int], guest: Guest) -> bool:
    if s[guest.vmcs.proc] & HLT_EXITING:
        return _exit(s, guest, Exit.HLT, 1)
    assert guest.activity is not None
    s[guest.activity] = HLT
    return True


def _out(s: list[int], guest: Guest) -> bool:
    if s[guest.vmcs.proc] & UNCONDITIONAL_IO_EXITING:
        return _exit(s, guest, Exit.IO_INSTRUCTION, 2)
    return True


def _sti(s: list[int], guest: Guest) -> bool:
    """The shadow outlives the STI itself: it lies on the next instruction."""
    complete(s, guest)
    s[guest.rip] += 1
    shadow.sti(s, guest)
    return False


def _iret(s: list[int], guest: Guest) -> bool:
    flags.iret(s, guest)
    s[guest.rip] -= 2
    return True


def _int1(s: list[int], guest: Guest) -> bool:
    if intercepts(s, guest.vmcs, DEBUG_VECTOR):
        info = intr_info.event(DEBUG_VECTOR, intr_info.PRIVILEGED_SOFTWARE_EXCEPTION)
        return _exit(s, guest, Exit.EXCEPTION_NMI, 1, info)
    s[guest.rip] += 1
    return _deliver(s, guest, DEBUG_VECTOR)


def _deliver(s: list[int], guest: Guest, vector: int) -> bool:
    """An event of the instruction's own is delivered in its place; MTF follows the delivery."""
    deliver(s, guest, vector)
    s[guest.core.mtf] = int(bool(s[guest.vmcs.proc] & MONITOR_TRAP_FLAG))
    return False


HALT = Insn(1, _hlt)
OUT = Insn(2, _out)
STI = Insn(1, _sti)
IRET = Insn(2, _iret)
INT1 = Insn(1, _int1)
BAD_MOV_CR3 = Insn(3, lambda s, guest: _deliver(s, guest, GP_VECTOR))
"""MOV to CR3 of a value that is not canonical: #GP."""


def _unmapped(s: Sequence[int], me: Program, insn: Insn) -> bool:
    return insn.page >= 0 and bool(s[me.cold] >> insn.page & 1)


def _execute(s: list[int], me: Program) -> None:
    guest, insn = me.guest, me.code[s[me.guest.rip]]
    if _unmapped(s, me, insn):
        s[me.cold] &= ~(1 << insn.page)
        _exit(s, guest, Exit.EPT_VIOLATION, 0)
        return
    traced = guest.flags is not None and s[guest.flags.tf]
    if insn.run(s, guest):
        s[guest.rip] += insn.length
        complete(s, guest)
        if traced and guest.debug is not None:
            s[guest.debug] = 1


def _active(s: Sequence[int], me: Program) -> bool:
    return me.guest.activity is None or s[me.guest.activity] == ACTIVE


RUN: Block = loop("code", Step("INSN", _execute, _active, "the guest executes its next instruction"))
"""The CPU of a guest that is not halted."""
