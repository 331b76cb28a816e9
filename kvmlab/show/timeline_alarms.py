"""Who held a guest's armed timer: the VMX-preemption timer or an hrtimer of the host.

A preemption timer is armed by ``hv_timer 1`` until ``hv_timer 0`` or until it fires (an exit that was forced,
``[immediate exit]``, uses the same exit reason and is no alarm). An hrtimer is armed from its start by the
vCPU's thread until it expires or is cancelled.

``hv_timer 0`` is a report: KVM gives the preemption timer up, starts the hrtimer, and says so last. So if an
hrtimer was started before it, the preemption timer had been given up by then.
Source: v4.19 and v6.1 lapic.c start_sw_timer.
"""

from collections.abc import Iterable, Iterator, Sequence

from kvmlab.show.timeline_data import Alarm
from kvmlab.traces.event import Event

_FUNCTIONS = ("apic_timer_fn", "vmx_preemption_timer_fn")
"""What KVM's hrtimers for a guest's timers call: the APIC's timer, and L1's preemption timer."""


def alarms(
    own: Iterable[Event], timers: Iterable[Event], pid: int, zero: int, length: int
) -> tuple[Alarm, ...]:
    """Return the alarms of the vCPU run by thread ``pid``; ``timers`` are the run's hrtimer events."""
    end = zero + length
    software = list(_software(timers, pid, end))
    starts = [start for start, _ in software]
    found = [Alarm(a - zero, b - zero, "preemption timer") for a, b in _hardware(own, starts, end)]
    found += [Alarm(a - zero, b - zero, "hrtimer") for a, b in software]
    return tuple(sorted((a for a in found if a.start < a.end), key=lambda a: (a.start, a.end)))


def _hardware(own: Iterable[Event], starts: Sequence[int], end: int) -> Iterator[tuple[int, int]]:
    since: int | None = None
    forced = False
    for event in own:
        armed = event.fields.get("hv_timer_in_use") if event.name == "kvm_hv_timer_state" else None
        if event.name == "kvm_entry":
            forced = bool(event.fields.get("immediate_exit"))
        fired = (
            event.name == "kvm_exit" and event.fields.get("exit_reason") == "PREEMPTION_TIMER" and not forced
        )
        if armed and since is None:
            since = event.time
        elif since is not None and (fired or armed == 0):
            handed = (start for start in starts if not fired and since < start < event.time)
            yield since, min(handed, default=event.time)
            since = None
    if since is not None:
        yield since, end


def _software(timers: Iterable[Event], pid: int, end: int) -> Iterator[tuple[int, int]]:
    since: dict[object, int] = {}
    for event in timers:
        timer = event.fields.get("hrtimer")
        if timer in since:
            yield since.pop(timer), event.time
        if event.name == "hrtimer_start" and event.pid == pid:
            if str(event.fields.get("function", "")).startswith(_FUNCTIONS):
                since[timer] = event.time
    yield from ((start, end) for start in since.values())
