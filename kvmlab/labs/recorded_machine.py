"""The machine of the recordings: what was measured on it without tracing, beside what the model predicts.

A third of its numbers is fitted to one recording of a halting guest, stretch by stretch; the whole of a
latency was not, and nothing of an exit by the preemption timer. All are instructions, deadline to handler.
"""

from collections.abc import Iterator

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.latency import tscdeadline_latency
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profile import MachineProfile
from kvmlab.schedulers.profiles.traced import EVENT, TRACED, fitted

WITH, WITHOUT = "v6.1", "v6.1+preemption-timer=0"

MEASURED = {
    ("halting", "longest", WITHOUT): 6547,
    ("halting", "longest", WITH): 6583,
    ("halting", "shortest", WITHOUT): 5756,
    ("halting", "shortest", WITH): 5772,
    ("busy", "longest", WITHOUT): 1854,
    ("busy", "longest", WITH): 914,
    ("busy", "shortest", WITHOUT): 1061,
    ("busy", "shortest", WITH): 301,
}
"""Of 16 deadlines in a row; a busy guest's longest is its first."""
GUESTS, TIMERS = {"halting": "halt", "busy": "busy"}, {WITHOUT: "hrtimer", WITH: "preemption timer"}
SAMPLES, OTHER = 16, EVENT + 10


def predictions() -> Iterator[str]:
    """Yield a line per latency that was measured, a paragraph per guest, and what hangs on the fit."""
    yield f"{'instructions':<42}{'measured':>10}{'model':>8}{'miss':>10}"
    for guest in GUESTS:
        yield ""
        yield from (_line(*one, TRACED) for one in MEASURED if one[0] == guest)
    yield f"\nif recording an event took {OTHER} instructions, not {EVENT}"
    for guest, what in (("halting", "shortest"), ("busy", "longest")):
        yield _line(guest, what, WITH, fitted(OTHER))


def _line(guest: str, what: str, on: str, machine: MachineProfile) -> str:
    measured, model = MEASURED[guest, what, on], _predicted(guest, what, on, machine)
    miss = 100 * (model - measured) / measured
    return f"{f'{guest}, the {what}, {TIMERS[on]}':<42}{measured:>10}{model:>8}{miss:>+8.1f} %"


def _predicted(guest: str, what: str, on: str, machine: MachineProfile) -> int:
    bench = tscdeadline_latency(kernel(on), guest=GUESTS[guest], host="traced", samples=SAMPLES, skip=0)
    found = measure(bench, machine)
    return found.max if what == "longest" else found.min
