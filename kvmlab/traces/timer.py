"""One vCPU's TSC-deadline timer, round by round: from the write that arms it to its interrupt.

    kvm_msr write 6e0        arms the timer for a guest TSC (0 disarms); the line comes after KVM has handled
                             the write, so a round begins at the exit before it, where exits are traced
    kvm_apic_accept_irq      its vector, from LVTT, becomes pending; for a deadline in the past this comes
                             before the kvm_msr line
    kvm_apicv_accept_irq     ... and is left to the CPU (APICv): the end of a round
    kvm_inj_virq             ... or is put into the entry by KVM: the end of a round
    kvm_eoi                  seen first: nothing but the acceptance was traced, and that is the end
    kvm_wait_lapic_expire    what KVM measured before this line, and behind kvm_entry if that is the line
                             before: guest TSC - deadline

Sources: apic_timer_expired and __kvm_wait_lapic_expire in arch/x86/kvm/lapic.c; SDM vol. 3, "TSC-Deadline
Mode".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kvmlab.traces.event import Event
from kvmlab.traces.offset import Measured
from kvmlab.traces.vcpus import Vcpu

TSC_DEADLINE, X2APIC_LVTT = 0x6E0, 0x832
_WRMSR = ("MSR_WRITE", "msr")
"""The exits that may be such a write: VMX, SVM."""


class Round(NamedTuple):
    """One interrupt of the timer: `began` and `time` in the trace's unit, `deadline` in guest TSC cycles."""

    vcpu: Vcpu
    deadline: int
    began: int
    time: int
    end: str


@dataclass(slots=True)
class Timer:
    """What is known of one vCPU's timer; None where it has not got so far, or nobody said."""

    vcpu: Vcpu
    vector: int | None
    deadline: int | None = None
    began: int = 0
    accepted: int | None = None
    expired: int | None = None
    write: int | None = None
    """When the guest left for the WRMSR that is being handled."""
    at_once: list[Event] | None = None
    """What was accepted during that write: the new round's, if it arms one."""
    entered: int | None = None
    """When the guest was entered, if that was the last event."""
    armed: int = 0
    delivered: int = 0
    unknown: int = 0

    def forget(self) -> None:
        """Drop what may have changed in a hole of the trace: all but the vector and the counts."""
        self.deadline = self.accepted = self.expired = self.write = self.at_once = self.entered = None

    def feed(self, event: Event) -> Iterator[Round | Measured]:
        """Take the next event of this vCPU into account."""
        yield from STEPS[event.name](self, event) or ()
        self.entered = event.time if event.name == "kvm_entry" else None

    def _cross(self, event: Event) -> None:
        self.write = event.time if event.fields.get("exit_reason") in _WRMSR else None
        self.at_once = None

    def _apic(self, event: Event) -> None:
        fields = event.fields
        if fields.get("rw") == "write" and fields.get("reg") == "APIC_LVTT":
            self._lvtt(int(fields["val"]))

    def _lvtt(self, value: int) -> None:
        """Learn the vector; bits 18:17 say the mode. SDM vol. 3, "Local Vector Table"."""
        self.vector = value & 0xFF if value >> 17 & 3 == 2 else -1

    def _msr(self, event: Event) -> Iterator[Round]:
        fields, began, accepted = event.fields, self.write, self.at_once or []
        self.write = self.at_once = None
        if fields.get("rw") == "write" and not fields["exception"]:
            if fields["ecx"] == X2APIC_LVTT:
                self._lvtt(int(fields["data"]))
            if fields["ecx"] == TSC_DEADLINE and self.vector != -1:
                yield from self._arm(int(fields["data"]), event.time if began is None else began)
        for event in accepted:
            yield from self._accept(event)

    def _arm(self, deadline: int, began: int) -> Iterator[Round]:
        """Begin a round; one of which only the acceptance was seen has ended there."""
        yield from self.end_accepted()
        self.unknown += self.vector is None
        self.armed += deadline > 0
        self.deadline, self.began = deadline or None, began

    def _accept(self, event: Event) -> Iterator[Round]:
        """Let the vector become pending, by KVM's APIC or by APICv, but not before a write has its line."""
        if event.fields.get("vec") != self.vector or self.vector is None:
            return
        if self.write is not None:
            self.at_once = [*(self.at_once or []), event]
        elif self.deadline is not None and event.name == "kvm_apicv_accept_irq":
            yield self._end(event.name, event.time)
        elif self.deadline is not None and self.accepted is None:
            self.accepted, self.expired = event.time, self.deadline

    def _inject(self, event: Event) -> Iterator[Round]:
        fields = event.fields
        again = fields.get("reinjected") or fields.get("soft")
        if self.accepted is not None and fields.get("vector") == self.vector and not again:
            yield self._end(event.name, event.time)

    def _eoi(self, event: Event) -> Iterator[Round]:
        if event.fields.get("vector") == self.vector:
            yield from self.end_accepted()

    def end_accepted(self) -> Iterator[Round]:
        """End a round of which only the acceptance was seen."""
        if self.accepted is not None:
            yield self._end("kvm_apic_accept_irq", self.accepted)

    def _end(self, name: str, time: int) -> Round:
        deadline = self.deadline or 0
        self.delivered += 1
        self.expired, self.deadline, self.accepted = deadline, None, None
        return Round(self.vcpu, deadline, self.began, time, name)

    def _measure(self, event: Event) -> Iterator[Measured]:
        delta = event.fields.get("delta")
        if isinstance(delta, int):
            yield Measured(self.vcpu, delta, self.expired, self.entered, event.time)


STEPS: Mapping[str, Callable[[Timer, Event], Iterator[Round | Measured] | None]] = {
    "kvm_exit": Timer._cross,
    "kvm_entry": Timer._cross,
    "kvm_apic": Timer._apic,
    "kvm_msr": Timer._msr,
    "kvm_apic_accept_irq": Timer._accept,
    "kvm_apicv_accept_irq": Timer._accept,
    "kvm_inj_virq": Timer._inject,
    "kvm_eoi": Timer._eoi,
    "kvm_pv_eoi": Timer._eoi,
    "kvm_wait_lapic_expire": Timer._measure,
}
