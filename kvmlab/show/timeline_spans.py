"""Whose code ran when, on one vCPU: read off its entries and exits, its sleep, and the scheduler.

    kvm_entry ... kvm_exit     the guest (both are traced by the host, so each is a little outside)
    kvm_exit ... kvm_entry     root: KVM, or whatever the host does for the VMM in between
    sched_switch away ... back asleep, or preempted if the thread was still runnable
    kvm_vcpu_wakeup "wait"     without sched_switch: asleep since the thread's last event, and where the clock
                               is in ns, no longer than the event says

Level 2 is what was left by an exit that KVM then announced as kvm_nested_vmexit. Two entries or two exits in
a row mean that something between them is missing: that stretch is unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kvmlab.show.timeline_data import Kind, Span
from kvmlab.traces.event import Event

_FROM_L2 = ("kvm_nested_vmexit", "kvm_nested_intr_vmexit")
_TO_L2 = ("kvm_nested_vmenter", "kvm_nested_vmrun")
_TO_L1 = ("kvm_nested_vmexit_inject", "kvm_nested_intr_vmexit")


def spans(own: Sequence[Event], pid: int, zero: int, length: int, unit: str) -> tuple[Span, ...]:
    """Return the spans of the vCPU run by thread ``pid``; ``own`` are its events and its sched_switches."""
    crossings = [event.name for event in own if event.name in ("kvm_entry", "kvm_exit")]
    nested = any(event.name in (*_FROM_L2, *_TO_L2) for event in own)
    past = _Past(pid, zero, unit, "root" if crossings else "unknown", nested)
    past.cut(zero, "guest" if crossings[:1] == ["kvm_exit"] else past.base)
    for event in own:
        past.feed(event)
    return past.spans(zero + length)


@dataclass(slots=True)
class _Cut:
    """From ``time`` on it is ``kind``."""

    time: int
    kind: Kind
    level: int = 0


@dataclass(slots=True)
class _Past:
    """The one pass over a vCPU's events; ``base`` is what it does when neither guest nor off its CPU."""

    pid: int
    zero: int
    unit: str
    base: Kind
    nested: bool
    cuts: list[_Cut] = field(default_factory=list)
    inside: int = 1
    """The level that the next entry enters."""
    last: int = -1
    """When the thread was last heard of; -1: not yet."""
    slept: bool = False
    """Whether it slept since the last exit by the scheduler's own account."""
    settled: bool = True
    """Whether the level that the last exit left is known for certain."""

    def cut(self, time: int, kind: Kind) -> None:
        """Begin another span."""
        self.cuts.append(_Cut(time, kind, self.inside if kind == "guest" else 0))

    def feed(self, event: Event) -> None:
        """Take the next event into account."""
        if event.name == "sched_switch":
            self._switch(event)
            return
        if self.cuts[-1].kind in ("asleep", "preempted"):  # It speaks, so it runs.
            self.cut(event.time, self.base)
        self._cross(event)
        self._nest(event)
        if event.name == "kvm_vcpu_wakeup" and event.fields.get("waited") and not self.slept:
            self._wake(event)
        self.last = event.time

    def _cross(self, event: Event) -> None:
        kind = self.cuts[-1].kind
        if event.name == "kvm_entry":
            self._settle(1)
            if kind == "guest":
                self.cuts[-1].kind, self.cuts[-1].level = "unknown", 0
            self.cut(event.time, "guest")
        elif event.name == "kvm_exit":
            if kind != "guest":
                self.cuts[-1].kind = "unknown"
            self.cut(event.time, "root")
            self.slept, self.settled = False, not self.nested

    def _nest(self, event: Event) -> None:
        """Learn which level was left, and which is next."""
        if event.name in _FROM_L2:
            self._settle(2)
        if event.name in _TO_L2:
            self._settle(1)
            self.inside = 2
        elif event.name in _TO_L1:
            self.inside = 1

    def _settle(self, level: int) -> None:
        """Say which level the latest exit left: one that is not announced as an exit of L2 left L1."""
        guest = next((cut for cut in reversed(self.cuts) if cut.kind == "guest"), None)
        if guest is not None and not self.settled:
            guest.level = self.inside = level
            self.settled = True

    def _switch(self, event: Event) -> None:
        fields = event.fields
        if fields.get("prev_pid") == self.pid:
            runnable = str(fields["prev_state"]).startswith("R")
            self.cut(event.time, "preempted" if runnable else "asleep")
            self.slept = self.slept or not runnable
        elif fields.get("next_pid") == self.pid:
            self.cut(event.time, self.base)

    def _wake(self, event: Event) -> None:
        """Without the scheduler's events: it slept from when it was last heard of until now."""
        since = max(self.last, self.zero)
        ns = event.fields.get("ns")
        if self.unit == "ns" and isinstance(ns, int):
            since = max(since, event.time - ns)
        self.cut(since, "asleep")
        self.cut(event.time, self.base)

    def spans(self, end: int) -> tuple[Span, ...]:
        """Return what was found, without empty spans, equal neighbours but guests as one."""
        found: list[Span] = []
        for cut, after in pairwise([*self.cuts, _Cut(end, "unknown")]):
            span = Span(cut.time - self.zero, after.time - self.zero, cut.kind, cut.level)
            if span.start >= span.end:
                continue
            if found and span.kind != "guest" and found[-1].kind == span.kind:
                span = Span(found.pop().start, span.end, span.kind)
            found.append(span)
        return tuple(found)
