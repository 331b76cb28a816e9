"""A guest with a preemption timer on a bench: time is set by hand, events are asked for one by one."""

import json
from dataclasses import dataclass
from pathlib import Path

from kvmlab.machine.state import Cell, Layout
from kvmlab.machine.step import Step
from kvmlab.processor.boundary import TIMER_EVENTS
from kvmlab.processor.controls import ACTIVATE_PREEMPTION_TIMER
from kvmlab.processor.entry import retire, vm_entry, vm_exit
from kvmlab.processor.exits import NONE, Exit
from kvmlab.processor.exits import show as show_exit
from kvmlab.processor.intr_info import HARDWARE_EXCEPTION, event
from kvmlab.processor.preemption_timer import SAVE_PREEMPTION_TIMER
from kvmlab.processor.records import ROOT, Core, Cpu, Guest, PreemptionTimer, Vmcs

ROWS = json.loads((Path(__file__).parents[1] / "data" / "conformance_timer.json").read_text())
"""Row id -> what a real test asserts, in our own words."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A guest in root mode, its state, and the cell of the host's TSC."""

    s: list[int]
    guest: Guest
    tsc: Cell

    def value(self, ticks: int) -> None:
        """VMWRITE the timer's value."""
        assert self.guest.vmcs.timer is not None
        self.s[self.guest.vmcs.timer] = ticks

    def enter(self, ticks: int | None = None) -> list[str]:
        """Write the value if given, enter, and let happen what comes before an instruction."""
        if ticks is not None:
            self.value(ticks)
        vm_entry(self.s, self.guest)
        return self.boundary()

    def boundary(self) -> list[str]:
        """Let everything happen that happens before the next instruction; return the labels."""
        labels = []
        while (step := self.event()) is not None:
            step.fn(self.s, self.guest)
            labels.append(step.label)
        return labels

    def event(self) -> Step | None:
        """Return what the processor does now, before the next instruction."""
        if not self.runs:
            return None
        return next((e for e in TIMER_EVENTS.values() if e.when and e.when(self.s, self.guest)), None)

    def at(self, tsc: int) -> list[str]:
        """Let time come to ``tsc``, and what happens then."""
        self.s[self.tsc] = tsc
        return self.boundary()

    def insn(self) -> None:
        """The guest executes an instruction."""
        retire(self.s, self.guest)

    def vmcall(self) -> None:
        """The guest executes VMCALL, which exits."""
        vm_exit(self.s, self.guest, Exit.VMCALL)

    @property
    def runs(self) -> bool:
        """Whether the guest is in non-root mode."""
        return self.s[self.guest.core.frame] != ROOT

    @property
    def exit(self) -> str:
        """The reason of the last exit, by name."""
        return show_exit(self.s[self.guest.vmcs.reason])

    @property
    def left(self) -> int:
        """The timer's value in the VMCS."""
        assert self.guest.vmcs.timer is not None
        return self.s[self.guest.vmcs.timer]


def bench(
    *, on: bool = True, save: bool = False, rate: int = 5, tsc: int = 1000, exceptions: int = 0
) -> Bench:
    """Return a guest whose VMCS has the timer ``on`` or not, saved on exit or not."""
    layout = Layout()
    add, now = layout.add, layout.add("tsc", tsc)
    core = layout.record(Core, "core")
    cells = {
        "pin": add("vmcs01.pin", ACTIVATE_PREEMPTION_TIMER if on else 0),
        "timer": add("vmcs01.timer"),
        "exit_controls": SAVE_PREEMPTION_TIMER if save else 0,
    }
    vmcs = layout.record(Vmcs, "vmcs01", owner=0, guest=1, reason=NONE, exceptions=exceptions, **cells)
    timer = layout.record(PreemptionTimer, "timer", tsc=now, rate=rate, frozen=add("timer.frozen", -1))
    more = {name: add(name) for name in ("debug", "smm", "shadow", "activity")}
    cpus = {"host": layout.record(Cpu, "L0"), "cpu": layout.record(Cpu, "L1")}
    guest = layout.record(Guest, "guest1", level=1, core=core, vmcs=vmcs, timer=timer, cap=99, **cpus, **more)
    return Bench(list(layout.start()), guest, now)


def inject_debug(b: Bench) -> None:
    """VMWRITE the entry field: a hardware exception, vector 1."""
    b.s[b.guest.vmcs.intr_info] = event(1, HARDWARE_EXCEPTION)
