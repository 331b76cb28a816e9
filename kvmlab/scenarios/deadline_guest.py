"""The guest of the recorded timer traces: it arms its timer, waits, and does so again.

Its handler counts and writes EOI, which APICv does without an exit, so it is one step. At the end the guest
reads its deadline back, or stops its count, and writes to port 0x80, which ends the run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kvmlab.kvm.tsc import Tsc, guest_tsc
from kvmlab.machine.state import Cell, cell
from kvmlab.machine.step import Block, Step, block, loop
from kvmlab.processor import shadow
from kvmlab.processor.apic_timer import (
    IA32_TSC_DEADLINE,
    MASKED,
    X2APIC_LVTT,
    X2APIC_TDCR,
    X2APIC_TMICT,
    Mode,
)
from kvmlab.processor.boundary import TIMER_APICV_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest
from kvmlab.scenarios.timer_parts import VECTOR

BY_1 = 0xB
"""Divide configuration: by 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The guest's own memory: rounds begun; ``delta`` is what it adds to its TSC, or its count."""

    guest: Guest
    tsc: Tsc
    rounds: int
    delta: int
    begun: Cell = cell()


Effect = Callable[[list[int], Program], str | None]


def _access(reason: Exit, msr: int, value: Callable[[list[int], Program], int]) -> Effect:
    def run(s: list[int], me: Program) -> None:
        assert me.guest.msr is not None and me.guest.value is not None
        s[me.guest.msr], s[me.guest.value] = msr, value(s, me)
        vm_exit(s, me.guest, reason)

    return run


def _wrmsr(label: str, msr: int, value: Callable[[list[int], Program], int], says: str) -> Step:
    return Step(
        f"WRMSR.{label}", _access(Exit.MSR_WRITE, msr, value), says=f"the guest {says}; the write exits"
    )


def _lvtt(mode: Mode, label: str = "lvtt") -> Step:
    return _wrmsr(label, X2APIC_LVTT, lambda s, me: mode << 17 | VECTOR, "sets its timer up, vector 0xef")


def _deadline(s: list[int], me: Program) -> int:
    return guest_tsc(s[me.tsc.host], me.tsc.offset, me.tsc.ratio) + me.delta


def _cli(s: list[int], me: Program) -> str | None:
    s[me.guest.cpu.irq] = 0
    if s[me.begun] == me.rounds:
        return "rounds"
    s[me.begun] += 1
    return None


def _forget(s: list[int], me: Program) -> None:
    s[me.guest.delivered] = 0


def _sti(s: list[int], me: Program) -> None:
    shadow.sti(s, me.guest)


def _pause(s: list[int], me: Program) -> None:
    shadow.lift(s, me.guest)


def _hlt(s: list[int], me: Program) -> str | None:
    """Halt, unless the handler has run; the instruction is behind STI, so nothing comes between."""
    if s[me.guest.delivered]:
        return "until_counted"
    vm_exit(s, me.guest, Exit.HLT)
    return None


def _out(s: list[int], me: Program) -> None:
    vm_exit(s, me.guest, Exit.IO_INSTRUCTION)


ARM = _wrmsr(
    "deadline", IA32_TSC_DEADLINE, _deadline, "reads its TSC and arms its timer for some time ahead of it"
)
COUNT = _wrmsr("tmict", X2APIC_TMICT, lambda s, me: me.delta, "starts a count")
CLI = Step("CLI", _cli, says="the guest masks interrupts; all rounds done: stop", leaves=("rounds",))
STI = Step("STI", _sti, says="the guest allows interrupts, from the next instruction but one on")
BUSY = (
    STI,
    Step("PAUSE", _pause, says="the guest executes the instruction in the shadow of STI"),
    Step("SPIN", _forget, lambda s, me: s[me.guest.delivered], "the guest spins until its handler has run"),
)
HALTING = (
    loop(
        "until_counted",
        STI,
        Step("HLT", _hlt, says="the guest halts, unless its handler has run", leaves=("until_counted",)),
    ),
    Step("COUNTED", _forget, says="the handler has run"),
)
OUT = Step("OUT", _out, says="the guest writes to port 0x80: the end")
READ = Step(
    "RDMSR.deadline",
    _access(Exit.MSR_READ, IA32_TSC_DEADLINE, lambda s, me: 0),
    says="the guest reads its deadline; the read exits",
)
STOP = (
    _wrmsr("tmict_0", X2APIC_TMICT, lambda s, me: 0, "stops its count"),
    _wrmsr("lvtt_masked", X2APIC_LVTT, lambda s, me: MASKED, "masks its timer"),
)
DIVIDE = _wrmsr("tdcr", X2APIC_TDCR, lambda s, me: BY_1, "sets its divider")


def _deadlines(*wait: Step | Block) -> Block:
    return block("guest", _lvtt(Mode.TSC_DEADLINE), loop("rounds", CLI, ARM, *wait), READ, OUT)


PROGRAMS: Mapping[str, Block] = {
    "busy": _deadlines(*BUSY),
    "hlt": _deadlines(*HALTING),
    "past": _deadlines(*BUSY),
    "oneshot_hlt": block(
        "guest", DIVIDE, _lvtt(Mode.ONE_SHOT), loop("rounds", CLI, COUNT, *HALTING), *STOP, OUT
    ),
    "periodic": block(
        "guest", DIVIDE, _lvtt(Mode.PERIODIC), COUNT, loop("rounds", CLI, *HALTING), *STOP, OUT
    ),
}
"""What the guest does, by the name of its trace."""


def guest(mode: str) -> Block:
    """Return the program as guest code."""
    return in_guest(PROGRAMS[mode], lambda me: me.guest, TIMER_APICV_EVENTS)
