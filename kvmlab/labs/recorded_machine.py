"""The machine of the recordings: what was measured on it without tracing, beside what the model predicts.

Its numbers are fitted to one recording of a halting guest, stretch by stretch; the whole of a latency was
not, and nothing of an exit by the preemption timer. All are instructions, from deadline to handler.
"""

from collections.abc import Iterator

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.latency import tscdeadline_latency
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profile import MachineProfile
from kvmlab.schedulers.profiles.traced import EVENT, TRACED, fitted

WITH, WITHOUT = "v6.1", "v6.1+preemption-timer=0"

FIRST, LEAST, HALT = "busy, the first", "busy, the least of 16", "halt"
MEASURED = {
    (FIRST, WITHOUT): 1854,
    (FIRST, WITH): 914,
    (LEAST, WITHOUT): 1061,
    (LEAST, WITH): 301,
    (HALT, WITHOUT): 6152,
    (HALT, WITH): 6176,
}
"""Of 16 deadlines. A halting guest's latencies take turns, so that it is the mean of two."""
SAMPLES, OFF = 16, 10


def predictions() -> Iterator[str]:
    """Yield a line per figure and kernel, what the preemption timer changes, and what it hangs on."""
    yield f"{'instructions':<42}{'measured':>10}{'model':>8}{'miss':>10}"
    for what in (HALT, FIRST, LEAST):
        said = [MEASURED[what, on] for on in (WITHOUT, WITH)]
        got = [_predicted(what, on) for on in (WITHOUT, WITH)]
        for on, measured, model in zip((WITHOUT, WITH), said, got, strict=True):
            yield _line(f"{what}, {_timer(on)}", measured, model)
        yield _line(f"{what}: the timer changes", said[1] - said[0], got[1] - got[0])
    for event in (EVENT - OFF, EVENT + OFF):
        what = f"the first, {_timer(WITH)}, {event} an event"
        yield _line(what, MEASURED[FIRST, WITH], _predicted(FIRST, WITH, fitted(event)))


def _timer(on: str) -> str:
    return "preemption timer" if on == WITH else "hrtimer"


def _predicted(what: str, on: str, machine: MachineProfile = TRACED) -> int:
    guest = "halt" if what == HALT else "busy"
    bench = tscdeadline_latency(kernel(on), guest=guest, host="traced", samples=SAMPLES, skip=0)
    found = measure(bench, machine)
    return {FIRST: found.samples[0], LEAST: found.min, HALT: round(found.mean)}[what]


def _line(what: str, measured: int, model: int) -> str:
    miss = 100 * (model - measured) / abs(measured)
    return f"{what:<42}{measured:>10}{model:>8}{miss:>+8.1f} %"
