"""The guest that measures: one vCPU, a program of few instructions, and a handler of one interrupt.

What a program does between two steps that matter takes time, but nobody can see it: its cycles are at the
steps whose names a machine profile knows (the handler up to its RDTSC, the rest of it, the loop around).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.apic import PASSED
from kvmlab.machine.bench import Bench
from kvmlab.machine.state import Cell, Layout, cell
from kvmlab.machine.step import Block, Step, block, loop
from kvmlab.machine.system import Actor, System
from kvmlab.processor import apic_write, shadow
from kvmlab.processor.apic_timer import IA32_TSC_DEADLINE, X2APIC_TMICT
from kvmlab.processor.apic_write import X2APIC_EOI, X2APIC_TPR
from kvmlab.processor.boundary import TIMER_APICV_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit, show
from kvmlab.processor.records import Guest, frame, show_flag, show_point
from kvmlab.scenarios.self_ipi_guest import SENDING
from kvmlab.scenarios.timer_parts import Host, Parts, actors, parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The program's memory.

    ``came``: the handler has run since the program looked last. ``due`` is the deadline that it waits for,
    in its TSC, ``since`` the one whose interrupt it handles; ``turn`` counts deadlines, round and round.
    ``extra`` is for how long its handler has something else to do, ``busy`` until when. ``port`` and ``out``
    are the operands of its last IN or OUT. ``gap``: it has waited since the last VM entry.
    """

    guest: Guest
    now: Cell
    came: Cell = cell(0, show_flag)
    due: Cell = cell(-1, show_point)
    since: Cell = cell(-1, show_point)
    turn: Cell = cell()
    extra: Cell = cell()
    busy: Cell = cell(-1, show_point, deadline=True)
    port: Cell = cell(0, hex)
    out: Cell = cell(0, show_flag)
    gap: Cell = cell(0, show_flag)


Effect = Callable[[list[int], Probe], None]

TURNS = 32
"""As many deadlines, each a cycle further than the one before, meet a counter of rate 5 in every phase."""


def _exits(reason: Exit) -> Effect:
    return lambda s, me: vm_exit(s, me.guest, reason)


def _cli(s: list[int], me: Probe) -> None:
    s[me.guest.cpu.irq] = 0


def _sti(s: list[int], me: Probe) -> None:
    shadow.sti(s, me.guest)


def _nop(s: list[int], me: Probe) -> None:
    shadow.lift(s, me.guest)


def _hlt(s: list[int], me: Probe) -> None:
    shadow.lift(s, me.guest)
    vm_exit(s, me.guest, Exit.HLT)


def _writes(msr: int, value: int) -> Effect:
    return lambda s, me: apic_write.wrmsr(s, me.guest, msr, value)


def _cr8(s: list[int], me: Probe) -> None:
    apic_write.mov_to_cr8(s, me.guest, 0)


def io(label: str, port: int, *, out: bool = False) -> Step:
    """Return an IN or OUT."""

    def run(s: list[int], me: Probe) -> None:
        s[me.port], s[me.out] = port, int(out)
        vm_exit(s, me.guest, Exit.IO_INSTRUCTION)

    return Step(label, run, says=f"the guest {'writes' if out else 'reads'} port {port:#x}")


def _spin(s: list[int], me: Probe) -> None:
    s[me.gap] |= not s[me.came]


def _wait(s: list[int], me: Probe) -> None:
    s[me.came] = 0


def send(msr: str) -> Step:
    """Return the write that sends the guest's own vector to itself, by "icr" or "self_ipi"."""
    return Step(f"WRMSR.{msr}", _writes(*SENDING[msr]), says=f"the guest sends itself an interrupt by {msr}")


CPUID = Step("CPUID", _exits(Exit.CPUID), says="the guest executes CPUID")
VMCALL = Step("VMCALL", _exits(Exit.VMCALL), says="the guest calls its hypervisor")
MOV_CR8 = Step("MOV.cr8", _cr8, says="the guest sets CR8: no exit with a TPR shadow")
TPR_UP = Step("WRMSR.tpr_up", _writes(X2APIC_TPR, 0x0F), says="TPR := 0x0f, of class 0: masks nothing")
TPR_DOWN = Step("WRMSR.tpr_down", _writes(X2APIC_TPR, 0), says="TPR := 0")
CLI = Step("CLI", _cli, says="the guest masks interrupts")
STI = Step("STI", _sti, says="the guest allows interrupts, from the next instruction but one on")
NOP = Step("NOP", _nop, says="the instruction in the shadow of STI")
HLT = Step("HLT", _hlt, says="the guest halts")
SPIN = Step("SPIN", _spin, says="the guest spins, unless its handler has run already")
WAIT = Step("WAIT", _wait, lambda s, me: s[me.came], "the guest sees that its handler has run")
LOOP = Step("G.loop", lambda s, me: None, says="the loop around: call, check, count")
ROUND = Step("ROUND", lambda s, me: None, says="a round is over")


def arm(deadline: Callable[[Sequence[int], Probe], int]) -> Step:
    """Return the WRMSR of a deadline, in TSC cycles."""

    def run(s: list[int], me: Probe) -> None:
        guest = me.guest
        assert guest.msr is not None and guest.value is not None
        s[me.due] = s[guest.value] = deadline(s, me)
        s[me.turn] = (s[me.turn] + 1) % TURNS
        s[guest.msr] = IA32_TSC_DEADLINE
        vm_exit(s, guest, Exit.MSR_WRITE)

    return Step("WRMSR.deadline", run, says="the guest writes its next deadline")


def start_count(count: int) -> Step:
    """Return the WRMSR of TMICT that starts a periodic timer."""

    def run(s: list[int], me: Probe) -> None:
        apic_write.wrmsr(s, me.guest, X2APIC_TMICT, count)

    return Step("WRMSR.tmict", run, says="the guest starts its periodic timer")


def _rdtsc(s: list[int], me: Probe) -> None:
    s[me.since] = s[me.due]


def _more(s: list[int], me: Probe) -> None:
    s[me.extra] = s[me.turn]
    s[me.busy] = s[me.now] + s[me.extra]


def _enough(s: list[int], me: Probe) -> None:
    s[me.busy] = -1


def _iret(s: list[int], me: Probe) -> None:
    guest = me.guest
    assert guest.in_handler is not None and guest.return_rip is not None
    s[me.came], s[guest.in_handler], s[guest.cpu.irq] = 1, 0, 1
    s[guest.rip] = s[guest.return_rip]
    s[guest.core.frame] = frame(guest.level)


ENTER = Step("ISR.enter", lambda s, me: None, says="the guest's handler begins")
RDTSC = Step("RDTSC", _rdtsc, says="the handler reads the TSC")
PHASE = (
    Step("PHASE.more", _more, says="the handler has something else to do, a cycle longer each time"),
    Step(
        "PHASE", _enough, lambda s, me: s[me.busy] <= s[me.now], "so no entry has the phase of the last one"
    ),
)
REST = Step("ISR.rest", lambda s, me: None, says="the rest of the handler")
EOI = Step("WRMSR.eoi", _writes(X2APIC_EOI, 0), says="the handler writes EOI; the CPU does it, no exit")
IRET = Step("IRET", _iret, says="the handler returns")


def program(*steps: Step, first: Sequence[Step] = ()) -> Block:
    """Return the guest's program: ``first`` once, then ``steps`` for ever."""
    path = block("program", *first, loop("again", *steps))
    return in_guest(path, lambda me: me.guest, TIMER_APICV_EVENTS)


def handler(*steps: Step) -> Block:
    """Return the guest's handler: these steps between its first RDTSC and its IRET."""
    path = loop("handler", ENTER, RDTSC, *steps, IRET)
    return in_guest(path, lambda me: me.guest, TIMER_APICV_EVENTS)


@dataclass(frozen=True, slots=True)
class Bed:
    """What a measured system is built on: its layout, the vCPU's parts, the probe."""

    layout: Layout
    the: Parts
    probe: Probe


def bed(kernel: Kernel, host: Host, lvtt: int, layout: Layout | None = None) -> Bed:
    """Allocate a vCPU for a guest that has a handler, with APICv and a TPR, and its program's memory."""
    layout = layout or Layout()
    plain = parts(layout, kernel, host, lvtt=lvtt)
    needs = [name for name in ("in_handler", "return_rip", "shadow") if getattr(plain.guest, name) is None]
    extra: dict[str, Any] = {name: layout.add(f"guest1.{name}") for name in needs}
    assert plain.guest.apicv is not None
    apicv = replace(plain.guest.apicv, vtpr=layout.add("apicv.vtpr"))
    vmcs = replace(plain.guest.vmcs, passed=PASSED)
    guest = replace(plain.guest, apicv=apicv, vmcs=vmcs, **extra)
    the = replace(plain, guest=guest, vcpu=replace(plain.vcpu, guests=(guest,)))
    return Bed(layout, the, layout.record(Probe, "probe", guest=guest, now=the.now))


def bench(on: Bed, system: System, name: str, sentence: str, end: Step, samples: int, **more: Any) -> Bench:
    """Return what measures the system up to each ``end``, counting exits by reason.

    Raises BadInput for fewer samples than one.
    """
    if samples < 1:
        raise BadInput("samples, rounds: 1 or more")
    return Bench(
        name,
        sentence,
        system,
        end.label,
        samples,
        now=on.the.now,
        tallies={"VMEXIT": lambda move, s: show(s[move.me.guests[0].vmcs.reason])},
        records={**on.the.named, "probe": on.probe},
        **more,
    )


def guests(on: Bed, main: Block, isr: Block, letters: str = "gi") -> tuple[Actor, Actor]:
    """Return the guest's program and its handler as actors."""
    top, probe = on.the.core.frame, on.probe
    return (
        Actor(letters[0], "guest", main, probe, top, frame(1)),
        Actor(letters[1], "guest's handler", isr, probe, top, frame(1) + 1),
    )


def system(kernel: Kernel, on: Bed, main: Block, isr: Block) -> System:
    """Return the system of a costed kernel, the guest's program and its handler."""
    return System(on.layout, actors(on.layout, kernel, on.the, *guests(on, main, isr)))
