"""Whose event it is: the vCPU of a line, though most tracepoints print none.

A vCPU is a thread and, once an event told it, a number; a VMM may also run several vCPUs in one thread (a
simulation does), then the number that the thread said last counts. KVM makes a vCPU's APIC id its number,
so an interrupt's target is known by it; where two machines in one trace have the same numbers and a third
thread sends the interrupt, the target is unknown, and said to be.
"""

from dataclasses import dataclass
from typing import NamedTuple

from kvmlab.traces.event import Event

TELLS = {
    "kvm_entry": "vcpu_id",
    "kvm_exit": "vcpu_id",
    "kvm_nested_vmexit": "vcpu_id",
    "kvm_halt_poll_ns": "vcpu_id",
    "kvm_hv_timer_state": "vcpu_id",
    "kvm_wait_lapic_expire": "vcpu_id",
    "kvm_eoi": "apicid",
    "kvm_pv_eoi": "apicid",
}
"""Event, recorded by nobody but the vCPU's own thread, to the field with its number."""


class Who(NamedTuple):
    """A vCPU in a result."""

    pid: int | None
    number: int | None

    @property
    def label(self) -> str:
        """What it is called in a table; an interrupt's target that never spoke has no pid."""
        thread = "" if self.pid is None else f"pid {self.pid}"
        return thread if self.number is None else f"{self.number} ({thread or 'never met'})"

    def row(self) -> dict[str, object]:
        """Return who it is, for JSON."""
        return {"vcpu": self.number, "pid": self.pid}


@dataclass(eq=False, slots=True)
class Vcpu:
    """One vCPU, as long as a trace is read; `number` is None until an event tells it."""

    pid: int
    number: int | None = None

    @property
    def who(self) -> Who:
        """Who it is, as far as is known."""
        return Who(self.pid, self.number)


class Vcpus:
    """All vCPUs met so far; ask for every event that may tell a number, in order."""

    def __init__(self) -> None:
        self._speaks: dict[int, Vcpu] = {}
        self._all: dict[tuple[int, int], Vcpu] = {}

    def of(self, event: Event) -> Vcpu:
        """Return the vCPU whose thread recorded the event."""
        vcpu = self._speaks.get(event.pid)
        if vcpu is None:
            vcpu = self._speaks[event.pid] = Vcpu(event.pid)
        field = TELLS.get(event.name)
        number = event.fields.get(field) if field else None
        return vcpu if number is None or number == vcpu.number else self._named(vcpu, int(number))

    def _named(self, vcpu: Vcpu, number: int) -> Vcpu:
        """Give a vCPU its number, or let another vCPU of the same thread speak."""
        known = self._all.get((vcpu.pid, number))
        if known is None:
            known = vcpu if vcpu.number is None else Vcpu(vcpu.pid)
            known.number = number
            self._all[vcpu.pid, number] = known
        self._speaks[vcpu.pid] = known
        return known

    def unnamed(self, event: Event) -> Vcpu | None:
        """Return the vCPU whose thread recorded the event if it spoke, but never told its number."""
        own = self._speaks.get(event.pid)
        return own if own is not None and own.number is None else None

    def target(self, event: Event) -> Vcpu | None:
        """Return the vCPU whose APIC accepts the interrupt of kvm_apic(v)_accept_irq; None if unsure."""
        apicid = event.fields.get("apicid")
        own = self._speaks.get(event.pid)
        if own is not None and own.number == apicid:
            return own
        same = [vcpu for vcpu in self._all.values() if vcpu.number == apicid]
        near = [vcpu for vcpu in same if vcpu.pid == event.pid] or same
        return near[0] if len(near) == 1 else None
