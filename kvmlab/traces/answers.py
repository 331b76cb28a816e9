"""Interrupts that a guest's APIC accepted and that never got their EOI, by vCPU and vector.

An interrupt waits in IRR from its acceptance to its injection, and is in service (ISR) from there to its
EOI; both are bits, so two acceptances may become one interrupt, and one EOI answers both. Only what is open
at the end is reported, and only where an EOI would have been traced:

* with APICv the CPU injects and takes the EOI, and KVM sees neither: EOIs are virtualized, not traced
* a trace without any injection and any EOI of any vector looks the same: not traced, whatever the reason
* where EOIs are traced but injections are not, an EOI after the acceptance answers it

kvm_eoi with vector -1 is an EOI that found nothing in service. Two machines in one trace are not told apart.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from kvmlab.traces.columns import columns
from kvmlab.traces.event import Event, Item, Lost
from kvmlab.traces.irr_isr import OPEN, Bits, State
from kvmlab.traces.vcpus import TELLS, Vcpu, Vcpus

_MEANS: dict[State, str] = {
    "answered": "each got its EOI",
    "waiting": "accepted, never injected (still in IRR)",
    "in service": "injected, never EOI'd (still in ISR)",
    "unanswered": "accepted, never EOI'd",
    "virtualized": "EOIs are virtualized here, not traced",
    "not traced": "no injection and no EOI in this trace: APICv, or not recorded",
}

_STEPS = ("kvm_apic_accept_irq", "kvm_apicv_accept_irq", "kvm_inj_virq", "kvm_eoi", "kvm_pv_eoi")


@dataclass(frozen=True, slots=True)
class Answer:
    """One vector of one vCPU.

    accepted, injected, eois  how many of these lines there are
    state                     of the last interrupt at the end; `since` when, in the trace's unit, if open
    """

    vcpu: int
    vector: int
    accepted: int
    injected: int
    eois: int
    state: State
    since: int | None

    @property
    def open(self) -> bool:
        """Whether an interrupt was accepted and never EOI'd, though its EOI would have been traced."""
        return self.state in OPEN

    def row(self) -> dict[str, object]:
        """Return the numbers by name, for JSON."""
        return {name: getattr(self, name) for name in (*self.__slots__, "open")}


class Answers:
    """The one pass: feed it the items in order, then ask for the `result`."""

    def __init__(self) -> None:
        self._vcpus = Vcpus()
        self._vectors: dict[tuple[int, int], Bits] = {}
        self._held: dict[Vcpu, deque[Event]] = {}
        self._injections = self._eois = 0

    def feed(self, item: Item) -> None:
        """Take the next item of the trace into account; a hole answers everything, for it may have."""
        if isinstance(item, Lost):
            for vector in self._vectors.values():
                vector.irr = vector.isr = None
        elif isinstance(item, Event):
            if item.name in TELLS:
                for held in self._held.pop(self._vcpus.of(item), ()):
                    self._inject(held)
            if item.name in _STEPS and item.fields:
                self._step(item)

    def _step(self, event: Event) -> None:
        fields = event.fields
        if event.name == "kvm_apic_accept_irq" and fields["delivery_mode"] in ("Fixed", "LowPrio"):
            self._vector(fields["apicid"], fields["vec"]).accept(event.time)
        elif event.name == "kvm_apicv_accept_irq":
            self._vector(fields["apicid"], fields["vec"]).virtual = True
        elif event.name == "kvm_inj_virq":
            self._inject(event)
        elif event.name in ("kvm_eoi", "kvm_pv_eoi") and fields["vector"] != -1:
            self._eois += 1
            self._vector(fields["apicid"], fields["vector"]).eoi()

    def _inject(self, event: Event) -> None:
        """Count an injection; that of a vCPU whose number is not known yet waits until it is told."""
        fields, vcpu = event.fields, self._vcpus.of(event)
        if fields.get("soft") or fields.get("reinjected"):
            return
        if vcpu.number is None:
            self._held.setdefault(vcpu, deque(maxlen=256)).append(event)
            return
        self._injections += 1
        self._vector(vcpu.number, fields["vector"]).inject(event.time)

    def _vector(self, vcpu: int | str, vector: int | str) -> Bits:
        return self._vectors.setdefault((int(vcpu), int(vector)), Bits())

    @property
    def result(self) -> tuple[Answer, ...]:
        """One row per vCPU and vector, sorted."""
        traced = self._injections + self._eois > 0
        return tuple(self._answer(*key, traced) for key in sorted(self._vectors))

    def _answer(self, vcpu: int, vector: int, traced: bool) -> Answer:
        v = self._vectors[vcpu, vector]
        state = v.state(traced, self._injections > 0)
        since = (v.irr if v.isr is None else v.isr) if state in OPEN else None
        return Answer(vcpu, vector, v.accepted, v.injected, v.eois, state, since)


def answers(items: Iterable[Item]) -> tuple[Answer, ...]:
    """Return for each vCPU and vector whether its interrupts got their EOI, as far as a trace can tell."""
    passed = Answers()
    for item in items:
        passed.feed(item)
    return passed.result


def format_answers(rows: Iterable[Answer]) -> str:
    """Return a line per vCPU and vector."""
    head = ("interrupts: vcpu", "vector", "accepted", "injected", "eois", "", "since")
    cells = [
        (r.vcpu, f"0x{r.vector:02x}", r.accepted, r.injected, r.eois, _MEANS[r.state], r.since) for r in rows
    ]
    return "\n".join(columns(head, cells)) if cells else "interrupts: none accepted"
