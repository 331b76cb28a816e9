"""Two vCPUs: one sends the other an IPI and waits until it has been answered; the other halts between.

The sender exits for its write of ICR and posts. The target's thread polls, or its guest still runs: then a
notification takes its time on the wire. Which of the two it is comes out of the run.
Source: kvm-unit-tests x86/vmexit.c ipi, ipi_halt (what they do; none of their code is here).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.apic import WRMSR_ICR
from kvmlab.kvm.nested import nothing
from kvmlab.kvm.posted import SENDER, Post
from kvmlab.machine.edit import Before, Swap, apply, find
from kvmlab.machine.state import Cell, Layout, Show, cell, number
from kvmlab.machine.step import Block, Step, loop
from kvmlab.machine.system import Actor, System
from kvmlab.machine.time import TIME
from kvmlab.processor import apic_write
from kvmlab.processor.apic_timer import MASKED
from kvmlab.processor.apic_write import X2APIC_ICR
from kvmlab.processor.icr import Icr
from kvmlab.processor.records import Cpu
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, bit, show_set
from kvmlab.scenarios import probe as p
from kvmlab.scenarios.costed import costed, on_behalf, with_handlers
from kvmlab.scenarios.probe import Bed, Probe, bed
from kvmlab.scenarios.timer_parts import VECTOR, Host, actors

LONGER = 2_000
"""For so many cycles ipi_halt's sender does something else, so that the other vCPU has halted by then."""


class Second(Layout):
    """The places of a second vCPU in a layout that has one: names of its own, but the same time."""

    def __init__(self, first: Layout) -> None:
        self.first, self.cells = first, first.cells

    def add(self, name: str, initial: int = 0, show: Show = number, *, deadline: bool = False) -> Cell:
        """Allocate a cell of the second vCPU."""
        if name == "now":
            return self.first.index(name)
        return self.first.add(f"second.{name}", initial, show, deadline=deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """IPIs on their way to ``cpu``."""

    cpu: Cpu
    flying: Cell = cell(0, show_set)


def _arrives(s: list[int], me: Wire) -> None:
    s[me.cpu.irr] |= s[me.flying]
    s[me.flying] = 0


FLIGHT = loop(
    "wire",
    Step("WIRE.notify", nothing, lambda s, me: s[me.flying], "a notification is on the wire"),
    Step("WIRE.arrives", _arrives, says="it reaches the other vCPU's CPU"),
)


def _over(path: Block, wire: Wire) -> Block:
    """Return a sender's path in which the notification takes the wire; to write ICR takes time by itself."""
    notify = find(path, "POST.notify")
    assert isinstance(notify, Step)

    def send(s: list[int], me: object) -> str:
        s[wire.flying] |= bit(POSTED_INTR_VECTOR)
        return path.name

    icr = Step("POST.icr", nothing, says="KVM writes the physical ICR", source=notify.source)
    return apply(apply(path, Swap("POST.notify", (replace(notify, fn=send),))), Before("POST.notify", (icr,)))


def _send(s: list[int], me: Probe) -> None:
    apic_write.wrmsr(s, me.guest, X2APIC_ICR, Icr(VECTOR, destination=1).encode(x2apic=True))


def _longer(s: list[int], me: Probe) -> None:
    s[me.busy] = s[me.now] + LONGER


def _enough(s: list[int], me: Probe) -> None:
    s[me.busy] = -1


SEND = (Step("WRMSR.ipi", _send, says="the guest sends vCPU 1 an IPI"), p.SPIN, p.WAIT)
ON_CPU = (*SEND, p.LOOP)
ON_CPU_HALT = (
    *SEND,
    Step("LATER.more", _longer, says="the sender does something else"),
    Step("LATER", _enough, lambda s, me: s[me.busy] <= s[me.now], "2000 cycles later"),
    p.LOOP,
)


def _answer(sender: Probe) -> Step:
    def done(s: list[int], me: object) -> None:
        s[sender.came] = 1

    return Step("DONE", done, says="the function has run: the sender can see that")


def _sends(kernel: Kernel, sender: Bed, target: Bed, wire: Wire) -> Kernel:
    """Return the sender's kernel: its exit for ICR posts to the other vCPU."""
    post = sender.layout.record(Post, "post", vcpu=target.the.vcpu, vector=VECTOR)
    path = _over(on_behalf(kernel.paths.get("post", SENDER), post), wire)
    write = Step(
        "EXIT.wrmsr_icr",
        lambda s, me: path.name,
        WRMSR_ICR.when,
        "the guest sends another vCPU an interrupt: it is posted",
        "v4.10 lapic.c apic_send_ipi, __apic_accept_irq",
        leaves=(path.name,),
    )
    return with_handlers(kernel, (write,), (path,))


def _second(kernel: Kernel, on: Bed, idle: Sequence[Step], answer: Step) -> list[Actor]:
    """Return the second vCPU's actors, under letters of their own."""
    main, isr = p.program(*idle), p.handler(answer, p.EOI, p.REST)
    letters = {"v": "w", "h": "k", "l": "z", "x": "x", "y": "y"}
    made = actors(on.layout, kernel, on.the, *p.guests(on, main, isr, "xy"))
    return [replace(a, letter=letters[a.letter], name=f"{a.name} 1") for a in made if a.path is not TIME]


def two_vcpus(kernel: Kernel, host: Host, rounds: Sequence[Step], idle: Sequence[Step]) -> tuple[Bed, System]:
    """Return the sender's bed, and the system of both: its rounds, and what the other does between."""
    first = bed(kernel, host, MASKED)
    second = bed(kernel, host, MASKED, Second(first.layout))
    wire = first.layout.record(Wire, "wire", cpu=second.the.vcpu.cpu)
    run = _sends(costed(kernel, first.probe.gap), first, second, wire)
    sender = p.guests(first, p.program(*rounds), p.handler(p.REST, p.EOI))
    return first, System(
        first.layout,
        [
            *actors(first.layout, run, first.the, *sender),
            *_second(costed(kernel, second.probe.gap), second, idle, _answer(first.probe)),
            Actor("n", "wire", FLIGHT, wire),
        ],
    )
