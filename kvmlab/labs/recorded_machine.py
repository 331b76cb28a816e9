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
    ("halt", "the most", WITHOUT): 6547,
    ("halt", "the most", WITH): 6583,
    ("halt", "the least", WITHOUT): 5756,
    ("halt", "the least", WITH): 5772,
    ("busy", "the first", WITHOUT): 1854,
    ("busy", "the first", WITH): 914,
    ("busy", "the least", WITHOUT): 1061,
    ("busy", "the least", WITH): 301,
}
"""Of 16 deadlines. The first is a busy guest's most."""
ROWS = tuple(dict.fromkeys((guest, what) for guest, what, _ in MEASURED))
SAMPLES, OFF = 16, 10


def predictions() -> Iterator[str]:
    """Yield a line per figure and kernel, what the preemption timer changes, and what it hangs on."""
    yield f"{'instructions':<42}{'measured':>10}{'model':>8}{'miss':>10}"
    for guest, what in ROWS:
        said = [MEASURED[guest, what, on] for on in (WITHOUT, WITH)]
        got = [_predicted(guest, what, on) for on in (WITHOUT, WITH)]
        for on, measured, model in zip((WITHOUT, WITH), said, got, strict=True):
            yield _line(f"{guest}, {what}, {_timer(on)}", measured, model)
        yield f"{f'{guest}, {what}: the timer changes':<42}{said[1] - said[0]:>+10}{got[1] - got[0]:>+8}"
    for guest, what, on in (("halt", "the least", WITH), ("busy", "the first", WITH)):
        for event in (EVENT - OFF, EVENT + OFF):
            said_of = f"{guest}, {what}, {event} an event"
            yield _line(said_of, MEASURED[guest, what, on], _predicted(guest, what, on, fitted(event)))


def _timer(on: str) -> str:
    return "preemption timer" if on == WITH else "hrtimer"


def _predicted(guest: str, what: str, on: str, machine: MachineProfile = TRACED) -> int:
    bench = tscdeadline_latency(kernel(on), guest=guest, host="traced", samples=SAMPLES, skip=0)
    found = measure(bench, machine)
    return found.min if what == "the least" else found.max


def _line(what: str, measured: int, model: int) -> str:
    miss = 100 * (model - measured) / abs(measured)
    return f"{what:<42}{measured:>10}{model:>8}{miss:>+8.1f} %"
