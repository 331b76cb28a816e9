"""Model above, real trace below: the same guest in the model and in a recording, event by event.

The guest sends itself an interrupt, again and again, on a KVM without APICv. What the model leaves out
of the recording is listed in :data:`LEFT_OUT`, and counted; the rest must be the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.self_ipi import self_ipi
from kvmlab.schedulers.clock import clocked
from kvmlab.traces import Event, load

TRACE, KERNEL = "vmx_noapicv_lab_self_ipi", "v6.1+noapicv"
ROUNDS = 16
"""The recorded guest does so many."""

MARKERS, FAULTS, TICK = "the guest's markers", "page faults of the host's", "the host's tick"
PAUSES = "PAUSE exits and their window"
LEFT_OUT: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    MARKERS: (frozenset({"IO_INSTRUCTION"}), frozenset({"kvm_pio", "kvm_userspace_exit"})),
    FAULTS: (frozenset({"EPT_VIOLATION"}), frozenset({"kvm_page_fault"})),
    PAUSES: (frozenset({"PAUSE_INSTRUCTION"}), frozenset({"kvm_ple_window_update"})),
    TICK: (frozenset({"EXTERNAL_INTERRUPT"}), frozenset({"local_timer_entry", "local_timer_exit"})),
}
"""What the model does not have: exits by reason (with the entry behind each), and events by name."""


def modelled(rounds: int = ROUNDS) -> list[Event]:
    """Return what the model's run would print; its time is the number of the step."""
    run = clocked(self_ipi(kernel(KERNEL), rounds=rounds).system, limit=100_000)
    return [Event.of(name, n, fields) for n, step in enumerate(run.steps) for name, fields in step.events]


def recorded() -> list[Event]:
    """Return the recording as it is."""
    return load(TRACE)


def kept(events: Iterable[Event]) -> list[Event]:
    """Return the events that the model has too."""
    return [event for event, why in _sorted(events) if not why]


def left_out(events: Iterable[Event]) -> dict[str, int]:
    """Return how many events are left out, for each reason there is, none among them too."""
    found = Counter(why for _, why in _sorted(events))
    return {why: found[why] for why in LEFT_OUT}


def _sorted(events: Iterable[Event]) -> Iterator[tuple[Event, str]]:
    """Yield each event with why it is left out; the entry behind a left-out exit goes with it."""
    open_exit = ""
    for event in events:
        why = _why(event)
        if event.name == "kvm_exit":
            open_exit = why
        elif event.name == "kvm_entry":
            why, open_exit = open_exit, ""
        yield event, why


def _why(event: Event) -> str:
    reason = event.fields.get("exit_reason")
    return next(
        (why for why, (exits, names) in LEFT_OUT.items() if reason in exits or event.name in names), ""
    )
