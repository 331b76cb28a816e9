"""Whose code ran when, on one vCPU: read off its entries and exits, its sleep, and the scheduler.

    kvm_entry ... kvm_exit     the guest (both are traced by the host, so each is a little outside)
    kvm_exit ... kvm_entry     root: KVM, or whatever the host does for the VMM in between
    sched_switch away ... back asleep, or preempted if the thread was still runnable
    kvm_vcpu_wakeup "wait"     without sched_switch: asleep since the thread's last event, and where the clock
                               is in ns, no longer than the event says

Which level it was, :mod:`kvmlab.traces.stretches` says. Two entries or two exits in a row mean that something
between them is missing: that stretch is unknown.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kvmlab.show.timeline_data import Kind, Span
from kvmlab.traces.event import Event
from kvmlab.traces.stretches import Stretch, stretches


def spans(own: Sequence[Event], pid: int, zero: int, length: int, unit: str) -> tuple[Span, ...]:
    """Return the spans of the vCPU run by thread ``pid``; ``own`` are its events and its sched_switches."""
    crossings = [event.name for event in own if event.name in ("kvm_entry", "kvm_exit")]
    past = _Past(pid, zero, unit, "root" if crossings else "unknown")
    past.cut(zero, "guest" if crossings[:1] == ["kvm_exit"] else past.base)
    for event in own:
        past.feed(event)
    return past.spans(zero + length, sorted(stretches(own), key=lambda stretch: stretch.begin))


@dataclass(slots=True)
class _Cut:
    """From ``time`` on it is ``kind``."""

    time: int
    kind: Kind


@dataclass(slots=True)
class _Past:
    """The one pass over a vCPU's events; ``base`` is what it does when neither guest nor off its CPU."""

    pid: int
    zero: int
    unit: str
    base: Kind
    cuts: list[_Cut] = field(default_factory=list)
    last: int = -1
    """When the thread was last heard of; -1: not yet."""
    slept: bool = False
    """Whether it slept since the last exit by the scheduler's own account."""

    def cut(self, time: int, kind: Kind) -> None:
        """Begin another span."""
        self.cuts.append(_Cut(time, kind))

    def feed(self, event: Event) -> None:
        """Take the next event into account."""
        if event.name == "sched_switch":
            self._switch(event)
            return
        if self.cuts[-1].kind in ("asleep", "preempted"):  # It speaks, so it runs.
            self.cut(event.time, self.base)
        self._cross(event)
        if event.name == "kvm_vcpu_wakeup" and event.fields.get("waited") and not self.slept:
            self._wake(event)
        self.last = event.time

    def _cross(self, event: Event) -> None:
        kind = self.cuts[-1].kind
        if event.name == "kvm_entry":
            if kind == "guest":
                self.cuts[-1].kind = "unknown"
            self.cut(event.time, "guest")
        elif event.name == "kvm_exit":
            if kind != "guest":
                self.cuts[-1].kind = "unknown"
            self.cut(event.time, "root")
            self.slept = False

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

    def spans(self, end: int, levels: Sequence[Stretch]) -> tuple[Span, ...]:
        """Return what was found, without empty spans, equal neighbours but guests as one."""
        found: list[Span] = []
        for cut, after in pairwise([*self.cuts, _Cut(end, "unknown")]):
            level = _level(cut.time, levels) if cut.kind == "guest" else 0
            span = Span(cut.time - self.zero, after.time - self.zero, cut.kind, level)
            if span.start >= span.end:
                continue
            if found and span.kind != "guest" and found[-1].kind == span.kind:
                span = Span(found.pop().start, span.end, span.kind)
            found.append(span)
        return tuple(found)


def _level(time: int, levels: Sequence[Stretch]) -> int:
    """Return the level that an entry at ``time`` enters; before the first stretch, that one's level."""
    at = bisect_right(levels, time, key=lambda stretch: stretch.begin) - 1
    return levels[max(at, 0)].level if levels else 1
