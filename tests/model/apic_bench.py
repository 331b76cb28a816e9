"""A guest on a bench: its state is a list, and what its processor does at a boundary is asked by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kvmlab.kvm.apic import PASSED
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step
from kvmlab.processor.boundary import APICV_EVENTS
from kvmlab.processor.entry import vm_entry
from kvmlab.processor.exits import NONE
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, Vmcs, frame
from kvmlab.processor.vectors import bit

Instruction = Callable[[list[int], Guest], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """A guest that runs with nothing pending, and its state."""

    s: list[int]
    guest: Guest
    page: Apicv

    def enter(self) -> None:
        """Come from root mode."""
        self.s[self.guest.vmcs.reason] = NONE
        vm_entry(self.s, self.guest)

    def event(self) -> Step | None:
        """Return what the processor does now, before the next instruction."""
        if self.s[self.guest.core.frame] == ROOT:
            return None
        return next((e for e in APICV_EVENTS.values() if e.when and e.when(self.s, self.guest)), None)

    def boundary(self) -> list[str]:
        """Let everything happen that happens before the next instruction; return the labels."""
        labels: list[str] = []
        while (event := self.event()) is not None:
            event.fn(self.s, self.guest)
            labels.append(event.label)
            assert len(labels) < 20, f"no end: {labels}"
        return labels

    def run(self, *instructions: Instruction) -> list[list[str]]:
        """Execute instructions; return what happened behind each."""
        happened = []
        for instruction in instructions:
            instruction(self.s, self.guest)
            happened.append(self.boundary())
        return happened

    @property
    def exit(self) -> int:
        """The reason of the last exit."""
        return self.s[self.guest.vmcs.reason]

    @property
    def irr(self) -> int:
        """What is pending in the page."""
        return self.s[self.page.virr]


def bench(
    *,
    guest: Sequence[str] = ("shadow",),
    page: Sequence[str] = (),
    delivery: bool = True,
    exit_controls: int = 0,
    notification: int = 0xF2,
    passed: frozenset[int] = PASSED,
) -> Bench:
    """Return a running guest with IF=1; ``guest`` and ``page`` name the optional cells that it has."""
    layout = Layout()
    core = layout.record(Core, "core", frame=frame(1))
    fields = {"exit_controls": exit_controls, "notification": notification, "passed": passed}
    apicv = layout.record(Apicv, "apicv", delivery=delivery, **{x: layout.add(f"apicv.{x}") for x in page})
    context = layout.record(
        Guest,
        "guest1",
        level=1,
        core=core,
        host=layout.record(Cpu, "L0", irq=0),
        cpu=layout.record(Cpu, "L1"),
        vmcs=layout.record(Vmcs, "vmcs01", owner=0, guest=1, **fields),
        apicv=apicv,
        **{x: layout.add(f"guest1.{x}") for x in guest},
    )
    return Bench(list(layout.start()), context, apicv)


def notified(b: Bench) -> None:
    """The notification arrives: posted-interrupt processing, both halves, whatever else is pending."""
    b.s[b.guest.host.irr] = bit(b.guest.vmcs.notification)
    for label in ("POSTED.notify", "POSTED.copy"):
        half = APICV_EVENTS[label]
        assert half.when is not None and half.when(b.s, b.guest)
        half.fn(b.s, b.guest)


def pending(b: Bench, *vectors: int) -> None:
    """Put vectors into VIRR and the highest into RVI, as software does before an entry."""
    b.s[b.page.virr] = sum(map(bit, vectors))
    b.s[b.page.rvi] = max(vectors)
