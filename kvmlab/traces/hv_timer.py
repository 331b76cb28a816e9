"""When the hardware's alarm was on: the VMX-preemption timer as a guest's deadline, from kvm_hv_timer_state.

A span begins with hv_timer 1 and ends with hv_timer 0, or when the alarm fires: the exit PREEMPTION_TIMER
takes it away without a line of its own. An exit that was forced by a timer of 0 (`[immediate exit]`) has the
same reason, but is no alarm; kernels before 5.x do not say so at the entry, so there a few spans may look
shorter. A 1 while it is on arms it anew within the same span; a 0 while it is off says "not used".
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kvmlab.traces.columns import columns
from kvmlab.traces.event import Event, Item, Lost
from kvmlab.traces.spread import Spread, more
from kvmlab.traces.vcpus import Vcpu, Vcpus, Who


@dataclass(frozen=True, slots=True)
class HvTimer:
    """One vCPU's spans.

    lines      of kvm_hv_timer_state
    spans      that ended; their times in the trace's unit; None if there was none
    cancelled  of these: ended by hv_timer 0
    fired      of these: ended by the alarm itself
    on         when the last one began, if it is on at the end
    """

    vcpu: Who
    lines: int
    spans: Spread | None
    cancelled: int
    fired: int
    on: int | None

    def row(self) -> dict[str, object]:
        """Return the numbers by name, for JSON."""
        counts = {"lines": self.lines, "cancelled": self.cancelled, "fired": self.fired, "on": self.on}
        return {**self.vcpu.row(), **counts, "spans": self.spans and self.spans.row("time")}


@dataclass(slots=True)
class _State:
    """The running account of one vCPU."""

    lines: int = 0
    spans: Spread | None = None
    cancelled: int = 0
    fired: int = 0
    on: int | None = None
    forced: bool = False

    def end(self, now: int, fired: bool) -> None:
        """End the span, if there is one."""
        if self.on is not None:
            self.spans = more(self.spans, now - self.on)
            self.fired += fired
            self.cancelled += not fired
            self.on = None


class HvTimers:
    """The one pass: feed it the items in order, then ask for the `result`."""

    def __init__(self) -> None:
        self._vcpus = Vcpus()
        self._states: dict[Vcpu, _State] = {}

    def feed(self, item: Item) -> None:
        """Take the next item of the trace into account; a span across a hole is not counted."""
        if isinstance(item, Lost):
            for state in self._states.values():
                state.on = None
        elif isinstance(item, Event) and item.name in ("kvm_hv_timer_state", "kvm_exit", "kvm_entry"):
            self._step(self._states.setdefault(self._vcpus.of(item), _State()), item)

    def _step(self, state: _State, event: Event) -> None:
        fields = event.fields
        if event.name == "kvm_entry":
            state.forced = bool(fields.get("immediate_exit"))
        elif event.name == "kvm_exit":
            if fields.get("exit_reason") == "PREEMPTION_TIMER" and not state.forced:
                state.end(event.time, fired=True)
        elif fields:
            state.lines += 1
            if not fields["hv_timer_in_use"]:
                state.end(event.time, fired=False)
            elif state.on is None:
                state.on = event.time

    @property
    def result(self) -> tuple[HvTimer, ...]:
        """One row per vCPU with a line of kvm_hv_timer_state, in the order of their first events."""
        return tuple(
            HvTimer(vcpu.who, state.lines, state.spans, state.cancelled, state.fired, state.on)
            for vcpu, state in self._states.items()
            if state.lines
        )


def hv_timer(items: Iterable[Item]) -> tuple[HvTimer, ...]:
    """Return how often and how long each vCPU's deadline was left to the VMX-preemption timer."""
    timers = HvTimers()
    for item in items:
        timers.feed(item)
    return timers.result


def format_hv_timer(rows: Iterable[HvTimer], unit: str) -> str:
    """Return a line per vCPU; `unit` is the trace's."""
    head = (
        "hv_timer: vcpu",
        "lines",
        "spans",
        "cancelled",
        "fired",
        f"on ({unit})",
        "min",
        "max",
        "mean",
        "",
    )
    cells = [(row.vcpu.label, row.lines, *_numbers(row), "still on" * (row.on is not None)) for row in rows]
    return "\n".join(columns(head, cells)) if cells else "hv_timer: no kvm_hv_timer_state"


def _numbers(row: HvTimer) -> tuple[object, ...]:
    spans = row.spans
    if spans is None:
        return 0, 0, 0, 0, None, None, None
    return spans.samples, row.cancelled, row.fired, spans.total, spans.min, spans.max, spans.mean
