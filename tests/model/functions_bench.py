"""A vCPU with a timer on a bench: one of KVM's functions at a time, from beginning to end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kvmlab.kernels.names import kernel
from kvmlab.kvm.timer_records import LapicTimer, TimedVcpu
from kvmlab.machine.call import link
from kvmlab.machine.state import Cell, Layout
from kvmlab.machine.step import Block, Fired, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor.apic_timer import Mode
from kvmlab.scenarios.timer_parts import VECTOR, Host, parts

START, DEADLINE = 1_000, 50_000
BY_1 = 0xB


WRITERS = {
    "d": "set_tscdeadline",
    "l": "write_lvtt",
    "c": "write_tmict",
    "v": "write_tdcr",
    "e": "write_spiv",
}
"""The function that handles a write, by the letter of its actor."""
OTHERS = {
    "s": "start_sw_timer",
    "t": "inject_pending_timer_irqs",
    "p": "post_block",
    "x": "expired_hv_timer",
    "f": "apic_timer_fn",
    "a": "apic_timer_expired",
    "b": "vcpu_block",
    "h": "switch_to_hv_timer",
    "w": "switch_to_sw_timer",
    "g": "start_apic_timer",
}
"""More functions of KVM's, where a kernel has them; ``m`` is what it does on the CPU that it was moved to."""


@dataclass(slots=True)
class Bench:
    """A vCPU, and KVM's functions for a write of its guest's."""

    vcpu: TimedVcpu
    system: System
    s: list[int]

    @property
    def timer(self) -> LapicTimer:
        """KVM's timer."""
        return self.vcpu.timer

    def write(self, letter: str, value: int) -> None:
        """Let the kernel handle a write, from beginning to end."""
        cell = self.vcpu.guests[0].value
        assert cell is not None
        self.s[cell] = value
        self.call(letter)

    def call(self, letter: str) -> None:
        """Let a function run, from beginning to end."""
        self.s[self.system.pc[letter]] = 0
        self.rest(letter)

    def events(self, letter: str) -> list[Fired]:
        """Let a function run, from beginning to end; return what it prints."""
        at, fired = self.system.pc[letter], list[Fired]()
        self.s[at] = 0
        while self.s[at] < len(self.system.places[letter]):
            before = tuple(self.s)
            (move,) = (move for move in self.system.enabled(before) if move.actor.letter == letter)
            self.s = list(self.system.take(before, letter))
            fired += move.step.emits(before, self.s, move.me) if move.step.emits else ()
        return fired

    def until(self, letter: str, label: str) -> None:
        """Let a function run from its beginning up to the step ``label``."""
        at, rows = self.system.pc[letter], [place.row.label for place in self.system.places[letter]]
        self.s[at] = 0
        while self.s[at] != rows.index(label):
            self.s = list(self.system.take(tuple(self.s), letter))

    def rest(self, letter: str) -> None:
        """Let a function run on to its end."""
        while self.s[self.system.pc[letter]] < len(self.system.places[letter]):
            self.s = list(self.system.take(tuple(self.s), letter))

    def begin(self, letter: str, value: int) -> None:
        """Let the kernel begin to handle a write, up to where it has to wait, if it has."""
        cell = self.vcpu.guests[0].value
        assert cell is not None
        self.s[cell], self.s[self.system.pc[letter]] = value, 0
        while letter in [move.actor.letter for move in self.system.enabled(tuple(self.s))]:
            self.s = list(self.system.take(tuple(self.s), letter))

    def ends(self) -> int:
        """Return the host's TSC at which the timer that is armed expires."""
        return self.s[self.timer.hv_deadline if self.holders()[0] else self.timer.hrtimer.expires]

    def expire(self) -> int:
        """Let the timer that is armed expire, and the tail run; return how long that was behind START."""
        self.s[self.timer.tsc.host] = at = self.ends()
        if self.holders()[0]:
            self.call("x")
        else:
            self.s[self.timer.hrtimer.expires] = -1
            self.call("f")
        self.call("t")
        return at - START

    def holders(self) -> tuple[bool, bool]:
        """Which timers are armed: the hv timer, the hrtimer."""
        return bool(self.s[self.timer.in_use]), self.s[self.timer.hrtimer.expires] >= 0

    def aside(self, letter: str, *cells: Cell) -> list[int]:
        """Return the whole state but ``cells``, what the guest writes, and where ``letter`` stands."""
        told = self.vcpu.guests[0].value, self.system.pc[letter], *cells
        return [value for place, value in enumerate(self.s) if place not in told]


def bench(
    name: str, mode: Mode, *, apicv: bool = True, more: Mapping[str, Block] | None = None, **host: int
) -> Bench:
    """Return a vCPU whose timer is in ``mode``, on a host that starts at START; ``more``: paths to call."""
    layout, on = Layout(), kernel(name)
    on_host = Host(**{"rate": 0, "khz": 400_000, "bus_khz": 400_000, "start": START} | host)
    vcpu = parts(layout, on, on_host, lvtt=mode << 17 | VECTOR, spiv=True).vcpu
    vcpu = replace(vcpu, forced=layout.add("vcpu.forced"))
    if not apicv:
        vcpu = replace(vcpu, guests=(replace(vcpu.guests[0], apicv=None),))
    functions = {x: f for x, f in {**WRITERS, **OTHERS}.items() if f in on.paths}
    made_of = {**{x: on.paths[f] for x, f in functions.items()}, **(more or {})}
    made_of["m"] = block("load", *on.paths["kvm_arch_vcpu_load"].items[1:])  # behind the move itself
    system = System(layout, [Actor(x, path.name, link(on.paths, path), vcpu) for x, path in made_of.items()])
    made = Bench(vcpu, system, list(system.start))
    made.write("v", BY_1)
    return made
