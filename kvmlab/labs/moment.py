"""The moment of the forced entry, as tracepoints tell it: in a recording and in a run of the model.

One line an event, the decisive fields only. In a recording the first number is the distance from the
entry in ticks: instructions of an emulated CPU, KVM's own among them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kvmlab.labs.laps import entries
from kvmlab.machine.run import Run
from kvmlab.processor.records import show_rip
from kvmlab.traces import facts, load

FORCED = "[immediate exit]"


def recorded(name: str) -> list[str]:
    """Return the last forced entry of a recorded trace, up to the next entry; see traces.load."""
    events = load(name)
    entries = [n for n, event in enumerate(events) if event.name == "kvm_entry"]
    first = max(n for n in entries if events[n].fields["immediate_exit"])
    last = min(n for n in entries if n > first)
    start = events[first].time
    return [
        f"{event.time - start:>5}  {_line(event.name, event.fields, hex)}"
        for event in events[first : last + 1]
    ]


def modelled(run: Run) -> list[str]:
    """Return the same moment of ``run``: its last entry of L2, up to the next entry."""
    entered = entries(run)
    first = max(n for n, who in entered if who == "L2")
    last = min((n for n, _ in entered if n > first), default=len(run.steps))
    events = [event for step in run.steps[first : last + 1] for event in step.events]
    return [_line(name, fields, show_rip) for name, fields in events]


def verdict(name: str, about: str) -> str:
    """Return what the recorded guest printed of its test ``about``."""
    return next(line for line in facts(name) if line.startswith(("PASS", "FAIL")) and about in line)


def _line(name: str, fields: Mapping[str, Any], address: Callable[[int], str]) -> str:
    rip = fields.get("guest_rip", fields.get("rip"))
    parts = (
        fields.get("exit_reason", ""),
        f"rip {address(rip)}" if rip is not None else "",
        f"vector {fields['vector']}" if "vector" in fields else "",
        FORCED if fields.get("immediate_exit") else "",
    )
    return f"{name:<25} {' '.join(part for part in parts if part)}"
