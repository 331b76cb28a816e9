"""The machine of the recordings: what was measured on it without tracing, beside what the model predicts.

Its numbers are fitted to one recording of a busy guest, event by event, with the preemption timer; the whole
of a latency was not, and nothing of hrtimers and halts. All are instructions, from deadline to handler.
"""

from collections.abc import Iterator

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.latency import tscdeadline_latency
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.traced import TRACED

WITH, WITHOUT = "v6.1", "v6.1+preemption-timer=0"

MEASURED = {
    ("busy", WITHOUT): 1854,
    ("busy", WITH): 914,
    ("halt", WITHOUT): 6152,
    ("halt", WITH): 6176,
}
"""(guest, kernel): a busy guest's first deadline; the mean of the two that take turns in a halting one."""
SAMPLES = 16


def predictions() -> Iterator[str]:
    """Yield a line per guest and kernel, and one for what the preemption timer changes."""
    yield f"{'instructions':<36}{'measured':>10}{'model':>10}{'miss':>10}"
    for guest in ("busy", "halt"):
        said = [MEASURED[guest, on] for on in (WITHOUT, WITH)]
        got = [_predicted(guest, on) for on in (WITHOUT, WITH)]
        for on, measured, model in zip((WITHOUT, WITH), said, got, strict=True):
            yield _line(f"{guest}, {on}", measured, model)
        yield _line(f"{guest}: the timer changes", said[1] - said[0], got[1] - got[0])


def _predicted(guest: str, on: str) -> int:
    found = measure(
        tscdeadline_latency(kernel(on), guest=guest, host="traced", samples=SAMPLES, skip=0), TRACED
    )
    return found.samples[0] if guest == "busy" else round(found.mean)


def _line(what: str, measured: int, model: int) -> str:
    miss = 100 * (model - measured) / abs(measured)
    return f"{what:<36}{measured:>10}{model:>10}{miss:>+8.1f} %"
