"""From events to a recording: a lane for each vCPU, the host's marks, times from the first event on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kvmlab.errors import BadInput
from kvmlab.show.timeline_alarms import alarms
from kvmlab.show.timeline_data import Lane, Mark, Recording
from kvmlab.show.timeline_marks import meaning, printable
from kvmlab.show.timeline_roster import Roster, roster
from kvmlab.show.timeline_spans import spans
from kvmlab.traces.event import Event
from kvmlab.traces.template import Value

_VALID = 1 << 31
"""The bit of an IDT-vectoring information that says an exit came in the middle of a delivery."""


def record(events: Iterable[Event], unit: str = "ticks", title: str = "", note: str = "") -> Recording:
    """Return a run ready to be drawn; ``note`` is what must be said beside it.

    ``unit`` is "ticks" or "ns", as the reader of the trace says. Raises BadInput if there is no event.
    """
    ordered = tuple(sorted(events, key=lambda event: event.time))
    if not ordered:
        raise BadInput("a timeline needs at least one event")
    if unit not in ("ticks", "ns"):
        raise BadInput(f"unit {unit!r}: an event's time is in ticks or in ns")
    zero, length = ordered[0].time, max(1, ordered[-1].time - ordered[0].time)
    who, marks = roster(ordered), _marks(ordered)
    lanes = tuple(_lane(i, who, ordered, marks, length, unit) for i in range(len(who.vcpus)))
    host = tuple(mark for mark, owner in zip(marks, who.owners, strict=True) if owner is None)
    return Recording(title, note, unit, zero, length, ordered, who.owners, lanes, host)


def _marks(events: Sequence[Event]) -> list[Mark]:
    zero = events[0].time
    return [Mark(event.time - zero, i, *meaning(event)) for i, event in enumerate(events)]


def _lane(
    me: int, who: Roster, events: Sequence[Event], marks: Sequence[Mark], length: int, unit: str
) -> Lane:
    vcpu, zero = who.vcpus[me], events[0].time
    own = [event for event, speaker in zip(events, who.speakers, strict=True) if speaker == me]
    timers = [event for event in events if event.name.startswith("hrtimer_")]
    heard = [
        e for e, speaker in zip(events, who.speakers, strict=True) if speaker == me or _switches(e, vcpu.pid)
    ]
    found = spans(heard, vcpu.pid, zero, length, unit)
    return Lane(
        who.name(me),
        f"{printable(who.tasks[me])}-{vcpu.pid}",
        found,
        tuple(sorted(_own_marks(me, who, events, marks), key=lambda mark: mark.time)),
        alarms(own, timers, vcpu.pid, zero, length),
        max(span.level for span in found),
    )


def _switches(event: Event, pid: int) -> bool:
    """Tell whether the scheduler took thread ``pid`` off its CPU here, or put it on."""
    return event.name == "sched_switch" and pid in (
        event.fields.get("prev_pid"),
        event.fields.get("next_pid"),
    )


def _own_marks(me: int, who: Roster, events: Sequence[Event], marks: Sequence[Mark]) -> Iterator[Mark]:
    """Yield the marks of vCPU ``me``; what only two events together tell is added to them."""
    moved = dict(_moved(me, who, events))
    for mark in _received(me, who, marks):
        yield replace(mark, label=f"{mark.label}, {moved[mark.event]}") if mark.event in moved else mark
    yield from _delivered(me, who, events, events[0].time)


def _received(me: int, who: Roster, marks: Sequence[Mark]) -> Iterator[Mark]:
    """Yield the marks of what belongs to vCPU ``me``; an interrupt from another one tells its sender."""
    for mark, owner, speaker in zip(marks, who.owners, who.speakers, strict=True):
        if owner == me:
            yield replace(mark, sender=speaker) if speaker not in (None, me) else mark


def _moved(me: int, who: Roster, events: Sequence[Event]) -> Iterator[tuple[int, str]]:
    """Yield the exits of forced entries, and how far the guest got: did it run before it left?

    The bar alone does not tell, since entry and exit are traced by the host, a little outside.
    """
    forced: Value | None = None
    for i, (event, speaker) in enumerate(zip(events, who.speakers, strict=True)):
        if speaker == me and event.name == "kvm_entry":
            forced = event.fields.get("rip") if event.fields.get("immediate_exit") else None
        elif speaker == me and event.name == "kvm_exit" and isinstance(forced, int):
            rip = event.fields.get("guest_rip")
            if isinstance(rip, int):
                yield i, "same rip" if rip == forced else f"rip {rip - forced:+#x}"


def _delivered(me: int, who: Roster, events: Sequence[Event], zero: int) -> Iterator[Mark]:
    """Yield a mark for each injected interrupt at the entry that delivered it.

    No event says "delivered": it was if the next exit does not say that it came in the middle of it.
    """
    injected: Event | None = None
    entered: int | None = None
    for i, (event, speaker) in enumerate(zip(events, who.speakers, strict=True)):
        if speaker != me:
            continue
        if event.name == "kvm_inj_virq":
            injected, entered = event, None
        elif event.name == "kvm_entry" and injected is not None:
            entered = i
        elif event.name == "kvm_exit" and injected is not None and entered is not None:
            vectoring = event.fields.get("info2", 0)
            if not (isinstance(vectoring, int) and vectoring & _VALID):
                label = meaning(injected).label
                yield Mark(events[entered].time - zero, entered, "interrupt", label, 0, "delivered")
            injected = None
