"""A guest that sends itself an interrupt, again and again: the guest of the recorded traces.

Each round: cli, WRMSR ICR = self-IPI 0xef, sti, nop, cli; the handler counts and writes EOI. Without
APICv a round costs three exits: the ICR write, the interrupt window, the EOI.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.apic import X2APIC_EOI, X2APIC_ICR
from kvmlab.kvm.apic import self_ipi as icr_value
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.property import Property
from kvmlab.machine.state import Cell, Layout, cell
from kvmlab.machine.step import Block, Step, loop
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ROOT, Core, Cpu, Guest, Vmcs, frame
from kvmlab.scenarios.scenario import Scenario

VECTOR = 0xEF


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The guest's own memory: rounds begun, interrupts counted by its handler."""

    guest: Guest
    rounds: int
    begun: Cell = cell()
    counted: Cell = cell()


def _wrmsr(s: list[int], guest: Guest, msr: int, value: int) -> None:
    assert guest.msr is not None and guest.value is not None
    s[guest.msr], s[guest.value] = msr, value
    vm_exit(s, guest, Exit.MSR_WRITE)


def _cli(s: list[int], me: Program) -> str | None:
    s[me.guest.cpu.irq] = 0
    if s[me.begun] == me.rounds:
        return "self_ipi"
    s[me.begun] += 1
    return None


def _send(s: list[int], me: Program) -> None:
    _wrmsr(s, me.guest, X2APIC_ICR, icr_value(VECTOR))


def _sti(s: list[int], me: Program) -> None:
    assert me.guest.shadow is not None
    s[me.guest.cpu.irq] = s[me.guest.shadow] = 1


def _nop(s: list[int], me: Program) -> None:
    assert me.guest.shadow is not None
    s[me.guest.shadow] = 0


def _count(s: list[int], me: Program) -> None:
    s[me.counted] += 1


def _eoi(s: list[int], me: Program) -> None:
    _wrmsr(s, me.guest, X2APIC_EOI, 0)


def _iret(s: list[int], me: Program) -> None:
    guest = me.guest
    assert guest.in_handler is not None and guest.return_rip is not None
    s[guest.in_handler], s[guest.cpu.irq] = 0, 1
    s[guest.rip] = s[guest.return_rip]
    s[guest.core.frame] = frame(guest.level)


def _of(path: Block) -> Block:
    return in_guest(path, lambda me: me.guest)


PROGRAM = _of(
    loop(
        "self_ipi",
        Step("CLI", _cli, says="the guest masks interrupts; all rounds done: stop", leaves=("self_ipi",)),
        Step("WRMSR.icr", _send, says="the guest writes its ICR: a self-IPI, vector 0xef; the write exits"),
        Step("STI", _sti, says="the guest allows interrupts, from the next instruction but one on"),
        Step("NOP", _nop, says="the guest executes the instruction in the shadow of STI"),
    )
)
HANDLER = _of(
    loop(
        "handler",
        Step("COUNT", _count, says="the guest's handler of 0xef counts"),
        Step("WRMSR.eoi", _eoi, says="the handler writes EOI; the write exits"),
        Step("IRET", _iret, says="the handler returns: interrupts are allowed again"),
    )
)


def _actors(kernel: Kernel, core: Core, vcpu: Vcpu, program: Program) -> list[Actor]:
    top = core.frame
    return [
        Actor("v", "vCPU thread (L0)", kernel.paths["vcpu_run"], vcpu, top, ROOT),
        Actor("h", "host interrupts", kernel.paths["host_irq"], vcpu, top, ROOT + 1),
        Actor("g", "guest", PROGRAM, program, top, frame(1)),
        Actor("i", "guest's handler", HANDLER, program, top, frame(1) + 1),
    ]


EXTRA = ("in_handler", "return_rip", "shadow", "msr", "value")
"""What this guest's context has beyond every guest's."""


def self_ipi(kernel: Kernel, *, rounds: int = 16) -> Scenario:
    """Return the scenario on ``kernel`` with so many rounds; the traced guest does 16.

    Raises BadInput if the kernel is not modelled for it, or for fewer rounds than one.
    """
    kernel.require("self-ipi")
    if rounds < 1:
        raise BadInput("rounds counts self-IPIs: 1 or more")
    layout = Layout()
    core = layout.record(Core, "core")
    cpu0, cpu1 = layout.record(Cpu, "L0"), layout.record(Cpu, "L1")
    v01 = layout.record(Vmcs, "vmcs01", owner=0, guest=1, exit_controls=kernel.setting("exit_controls"))
    extra = {name: layout.add(f"guest1.{name}") for name in EXTRA}
    guest = layout.record(Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=v01, **extra)
    program = layout.record(Program, "program", guest=guest, rounds=rounds)
    vcpu = layout.record(Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(guest,))
    system = System(layout, _actors(kernel, core, vcpu, program))
    at, end = system.pc["g"], len(system.places["g"])

    def lost(s: Sequence[int]) -> bool:
        return s[at] == end and s[program.counted] != rounds

    return Scenario(
        "self-ipi",
        "a guest sends itself an interrupt, again and again",
        kernel,
        system,
        (Property("COUNTED", "every self-IPI is counted once by the guest's handler", lost),),
        lambda s: s[at] == end,
        "v" * 11,
        {"rounds": rounds},
        {"core": core, "L0": cpu0, "L1": cpu1, "guest": guest, "vcpu": vcpu, "program": program},
    )
