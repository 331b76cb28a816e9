"""The door: four lines of a trace turn into a picture, one by one.

The guest's code stands a storey higher than KVM's; each line moves the picture on to its own time. The
form is what both sides share: an exit writes rip and reason on it, an entry goes on at the rip that it
says. Everything is read off the lines; ``seen`` says how many of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from kvmlab.errors import BadInput
from kvmlab.show.timeline_marks import printable
from kvmlab.traces.event import Event
from kvmlab.traces.line import Clock, format_line

LINES = ("kvm_entry", "kvm_exit", "kvm_msr", "kvm_entry")
"""The events that the picture knows, in this order."""


@dataclass(frozen=True, slots=True)
class Form:
    """What stands on the form: where the guest goes on, and why it left."""

    rip: int
    reason: str


@dataclass(frozen=True, slots=True)
class Door:
    """Four events, of which the first ``seen`` have been read."""

    events: tuple[Event, ...]
    seen: int = 0

    @property
    def form(self) -> Form | None:
        """What the lines so far say of the form."""
        rip, reason, told = 0, "", False
        for event in self.events[: self.seen]:
            where = event.fields.get("rip", event.fields.get("guest_rip"))
            if isinstance(where, int):
                rip, told = where, True
            reason = str(event.fields.get("exit_reason", reason))
        return Form(rip, printable(reason)) if told else None

    @property
    def foot(self) -> str:
        """What the newest line says; the last sentence of picture and twin."""
        says = (_start, _enters, _leaves, _served, _returns)[self.seen]
        return says(self.events)

    def lines(self) -> list[str]:
        """Return the lines read so far, as they stand in the trace."""
        return [printable(format_line(event, Clock.TICKS)) for event in self.events[: self.seen]]

    def time(self, n: int) -> int:
        """Return when line ``n`` (from 0) was, counted from the first."""
        return self.events[n].time - self.events[0].time


def door(events: Sequence[Event], seen: int = 0) -> Door:
    """Return the door for four events; raise BadInput if they are others, or fewer are there to be seen."""
    if tuple(event.name for event in events) != LINES:
        raise BadInput(f"the door needs {', '.join(LINES)}, in this order")
    if not 0 <= seen <= len(LINES):
        raise BadInput(f"{seen} lines seen: there are {len(LINES)}")
    return Door(tuple(events), seen)


def _address(event: Event, field: str) -> int:
    value = event.fields[field]
    assert isinstance(value, int)
    return value


def _hex(event: Event, field: str) -> str:
    return f"{_address(event, field):#x}"


def _start(events: Sequence[Event]) -> str:
    return "Before the first line: KVM runs, the guest does not."


def _enters(events: Sequence[Event]) -> str:
    return f"Line 1, kvm_entry: through the door; the guest's code runs from rip {_hex(events[0], 'rip')} on."


def _leaves(events: Sequence[Event]) -> str:
    ran = events[1].time - events[0].time
    why = printable(str(events[1].fields["exit_reason"]))
    where = _hex(events[1], "guest_rip")
    return f"Line 2, kvm_exit: after {ran} ticks the guest is stopped at rip {where}; the reason is {why}."


def _served(events: Sequence[Event]) -> str:
    msr, data = events[2].fields["ecx"], _hex(events[2], "data")
    return f"Line 3, kvm_msr: KVM does for the guest what it wanted: {data} into its MSR {msr:x}."


def _returns(events: Sequence[Event]) -> str:
    out, where = events[3].time - events[1].time, _hex(events[3], "rip")
    moved = _address(events[3], "rip") - _address(events[1], "guest_rip")
    return f"Line 4, kvm_entry: back in after {out} ticks outside, at rip {where}, {moved} bytes further on."


def written(form: Form | None) -> tuple[str, str]:
    """Return what stands on the form; dots for what no line has told yet."""
    return (f"{form.rip:#x}", form.reason or "…") if form else ("…", "…")


def door_text(shown: Door) -> str:
    """Return the picture in words, at most 80 columns wide, the foot last."""
    told = ["The door"]
    for words in shown.lines():
        cut = " ".join(words.split())
        told.append(cut if len(cut) <= 80 else cut[:77] + "...")
    rip, reason = written(shown.form)
    told.append(f"the form: go on at rip {rip}, left because {reason}")
    return "\n".join([*told, "", *wrap(shown.foot, 80)])
