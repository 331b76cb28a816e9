"""The recorded timer traces, and the model's runs beside them: what is compared, and what is left out.

The runs are those of the machine that a learner sees, ``traced``, and as in the recordings each event takes
the time that it takes to record it.

Left out: the guest's own marks and its page fault, PAUSE exits, interrupts that are not for the guest's
timer (the host's tick, a device), each with the entry behind the exit; and kvm_halt_poll_ns, for when the
polling time grows hangs on when a halt begins, and has a test of its own.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from kvmlab.kernels.names import kernel
from kvmlab.machine.run import Run
from kvmlab.scenarios.timer_parts import Host
from kvmlab.scenarios.tsc_deadline import TRACED as HOST
from kvmlab.scenarios.tsc_deadline import tsc_deadline
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.profiles.traced import EVENT, fitted
from kvmlab.traces import Event, load

OWN = {"kvm_pio", "kvm_userspace_exit", "kvm_page_fault", "kvm_ple_window_update", "kvm_halt_poll_ns"}
OWN_EXITS = {"EPT_VIOLATION", "IO_INSTRUCTION", "PAUSE_INSTRUCTION"}
KEYS = ("exit_reason", "vec", "vector", "reg", "ecx", "rw", "hv_timer_in_use", "waited", "prev_state")

LATE = "kvm_wait_lapic_expire"

TRACES = {
    "vmx_pt1_lab_tsc_busy": ("v6.1", "busy"),
    "vmx_pt1_lab_tsc_hlt": ("v6.1", "hlt"),
    "vmx_pt1_lab_oneshot_hlt": ("v6.1", "oneshot_hlt"),
    "vmx_pt0_lab_tsc_busy": ("v6.1+preemption-timer=0", "busy"),
    "vmx_pt0_lab_tsc_hlt": ("v6.1+preemption-timer=0", "hlt"),
    "vmx_pt0_lab_tsc_past": ("v6.1+preemption-timer=0", "past"),
    "vmx_pt0_lab_oneshot_hlt": ("v6.1+preemption-timer=0", "oneshot_hlt"),
    "vmx_pt0_lab_periodic": ("v6.1+preemption-timer=0", "periodic"),
}
"""Recording -> kernel and guest."""


def key(event: Event) -> tuple[object, ...]:
    """Return what two sequences are compared by: the name, and what happened."""
    return event.name, *(event.fields.get(name) for name in KEYS)


def _mine(events: Iterable[Event]) -> Iterator[Event]:
    """Yield what is not the host's own: its tick and the interrupt that brings only that."""
    kept = [e for e in events if e.name not in OWN and e.fields.get("function") != "tick_sched_timer"]
    for event, after in zip(kept, [*kept[1:], None], strict=True):
        if event.name != "local_timer_entry" or (after and after.name == "hrtimer_expire_entry"):
            yield event


def told(events: Iterable[Event]) -> list[Event]:
    """Return the events without exits that are not the timer's, and the entry behind each."""
    mine, out, dropped = list(_mine(events)), [], False
    for event, after in zip(mine, [*mine[1:], None], strict=True):
        if event.name == "kvm_exit":
            reason = event.fields["exit_reason"]
            others = reason == "EXTERNAL_INTERRUPT" and not (after and after.name == "local_timer_entry")
            dropped = reason in OWN_EXITS or others
        if not (dropped and event.name in ("kvm_exit", "kvm_entry")):
            out.append(event)
        dropped &= event.name != "kvm_entry"
    return out


@cache
def recorded(name: str) -> list[Event]:
    """Return a recording; it begins with the entry behind the guest's first mark, which goes too."""
    return told(load(name))[1:]


@cache
def run(name: str, rounds: int = 16, percent: int = 100, event: int = EVENT, host: Host = HOST) -> Run:
    """Return the model's run for a recording, on ``percent`` of a machine fitted with ``event``."""
    on, mode = TRACES[name]
    guest = tsc_deadline(kernel(on), mode=mode, rounds=rounds, host=host, costs=True)
    known = fitted(event)
    machine = known.derive(**{p.name: p.cycles * percent // 100 for p in known.parameters.values()})
    made = clocked(guest.system, machine, 20_000, event=event * percent // 100)
    assert not made.stopped
    return made


@cache
def modelled(
    name: str, rounds: int = 16, percent: int = 100, event: int = EVENT, host: Host = HOST
) -> list[Event]:
    """Return what the model's run would print."""
    made = [
        Event.of(fired, step.time, fields)
        for step in run(name, rounds, percent, event, host).steps
        for fired, fields in step.events
    ]
    return told(made)


def halts(events: Iterable[Event]) -> list[int]:
    """Return the nanoseconds of the halts that were slept through."""
    return [e.fields["ns"] for e in events if e.name == "kvm_vcpu_wakeup" and e.fields["waited"]]


def delays(events: Iterable[Event]) -> list[int]:
    """Return by how many cycles each deadline was late when KVM looked at the clock before the entry."""
    return [event.fields["delta"] for event in events if event.name == LATE]
