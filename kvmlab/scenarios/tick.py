"""The host's tick: a timer interrupt for the CPU of a hypervisor, while a guest above it computes.

It is there for what it does on the way: some exit comes, and the hypervisor has a lap. That is why there is
none at other times, and none before the guest has executed anything: ticks are rare. Above level 0 one comes
as any interrupt from elsewhere does, and is never posted, not even with APICv.
Source: arch/x86/kernel/apic/apic.c smp_apic_timer_interrupt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kvmlab.kvm.host import TICK
from kvmlab.kvm.ipi import reach
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.edit import Swap, apply, find
from kvmlab.machine.step import Row, Step, free, loop, prioritised
from kvmlab.machine.system import Actor
from kvmlab.processor.records import Guest, frame
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR, bit

COMES = "TICK.L"
"""How the labels of the ticks begin; the level follows."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """``vcpus[n]`` is what level n keeps of its vCPU; ``guest`` is the one that computes."""

    vcpus: tuple[Vcpu, ...]
    guest: Guest


def _comes(level: int) -> Step:
    def run(s: list[int], me: Ticks) -> None:
        reach(s, me.vcpus[level], LOCAL_TIMER_VECTOR)

    def computes(s: Sequence[int], me: Ticks) -> bool:
        guest, pending = me.guest, s[me.vcpus[level].cpu.irr] & bit(LOCAL_TIMER_VECTOR)
        return bool(s[guest.core.frame] == frame(guest.level) and s[guest.insns] and not pending)

    return Step(f"{COMES}{level}", run, computes, f"the tick of L{level}'s CPU, while the guest computes")


def ticks(vcpus: tuple[Vcpu, ...], guest: Guest) -> Actor:
    """Return the timers of all levels as one actor: whose tick is next is a free choice."""
    path = loop("ticks", free("TICKS", *map(_comes, range(len(vcpus)))))
    return Actor("t", "the tick of every level's CPU", path, Ticks(vcpus, guest))


def takes_ticks(actor: Actor) -> Actor:
    """Return the host's interrupts with the handler of its timer, whose vector is the lowest of them; or
    whoever else it is."""
    if actor.path.name != "host_irq":
        return actor
    row = find(actor.path, "HOST_IRQ")
    assert isinstance(row, Row)
    return replace(
        actor, path=apply(actor.path, Swap(row.label, (prioritised(row.label, *row.steps, TICK),)))
    )
