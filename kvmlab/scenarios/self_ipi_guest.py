"""The guest of the recorded self-IPI traces, as a path and its handler's path.

Each round: cli, WRMSR = self-IPI 0xef, sti, nop, cli; the handler counts and writes EOI. Which of the two
writes exit is the MSR bitmap's to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kvmlab.machine.state import Cell, cell
from kvmlab.machine.step import Block, Effect, Step, loop
from kvmlab.processor.apic_write import X2APIC_EOI, X2APIC_ICR, X2APIC_SELF_IPI, wrmsr
from kvmlab.processor.boundary import in_guest
from kvmlab.processor.icr import self_ipi
from kvmlab.processor.records import Guest, frame
from kvmlab.processor.shadow import lift, sti

VECTOR = 0xEF

SENDING = {"icr": (X2APIC_ICR, self_ipi(VECTOR)), "self_ipi": (X2APIC_SELF_IPI, VECTOR)}
"""How the guest may send it -> the register and the value written."""

REGISTERS = {"icr": "its ICR", "self_ipi": "SELF_IPI"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The guest's own memory: rounds begun, interrupts counted by its handler."""

    guest: Guest
    rounds: int
    begun: Cell = cell()
    counted: Cell = cell()


def _cli(s: list[int], me: Program) -> str | None:
    s[me.guest.cpu.irq] = 0
    if s[me.begun] == me.rounds:
        return "self_ipi"
    s[me.begun] += 1
    return None


def _send(msr: str) -> Effect:
    return lambda s, me: wrmsr(s, me.guest, *SENDING[msr])


def _sti(s: list[int], me: Program) -> None:
    sti(s, me.guest)


def _nop(s: list[int], me: Program) -> None:
    lift(s, me.guest)


def _count(s: list[int], me: Program) -> None:
    s[me.counted] += 1


def _eoi(s: list[int], me: Program) -> None:
    wrmsr(s, me.guest, X2APIC_EOI, 0)


def _iret(s: list[int], me: Program) -> None:
    guest = me.guest
    assert guest.in_handler is not None and guest.return_rip is not None
    s[guest.in_handler], s[guest.cpu.irq] = 0, 1
    s[guest.rip] = s[guest.return_rip]
    s[guest.core.frame] = frame(guest.level)


def program(msr: str, passed: frozenset[int], events: Mapping[str, Step]) -> Block:
    """Return the guest's loop, sending by ``msr``; ``passed`` are the MSRs whose writes do not exit."""
    register, _ = SENDING[msr]
    sent = f"the guest writes {REGISTERS[msr]}: a self-IPI, vector 0xef; {_then(register in passed)}"
    path = loop(
        "self_ipi",
        Step("CLI", _cli, says="the guest masks interrupts; all rounds done: stop", leaves=("self_ipi",)),
        Step(f"WRMSR.{msr}", _send(msr), says=sent),
        Step("STI", _sti, says="the guest allows interrupts, from the next instruction but one on"),
        Step("NOP", _nop, says="the guest executes the instruction in the shadow of STI"),
    )
    return in_guest(path, lambda me: me.guest, events)


def handler(passed: frozenset[int], events: Mapping[str, Step]) -> Block:
    """Return the guest's handler."""
    path = loop(
        "handler",
        Step("COUNT", _count, says="the guest's handler of 0xef counts"),
        Step("WRMSR.eoi", _eoi, says=f"the handler writes EOI; {_then(X2APIC_EOI in passed)}"),
        Step("IRET", _iret, says="the handler returns: interrupts are allowed again"),
    )
    return in_guest(path, lambda me: me.guest, events)


def _then(passed: bool) -> str:
    return "the CPU does it, no exit" if passed else "the write exits"
