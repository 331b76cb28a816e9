"""How fast is the clock? Timer periods of whole kernels, with statistics, and as many events in SimPy."""

import time
from collections.abc import Iterator

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.latency import periodic
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.survey import survey

PERIODS, MILLION = 20_000, 1_000_000
KERNELS = ("v4.10", "v6.1")
Line = tuple[str, str, str]


def periods(on: str, n: int = PERIODS) -> tuple[float, int]:
    """Return the seconds that ``n`` timer periods of a kernel take, and how many steps they are."""
    bench = periodic(kernel(on), samples=n)
    start = time.process_time()
    found = survey(bench, HSW16)
    return time.process_time() - start, found.steps


def simpy_events(n: int) -> float | None:
    """Return the seconds that SimPy needs for ``n`` events of one process, None where it is not installed."""
    try:
        import simpy
    except ImportError:
        return None
    env = simpy.Environment()

    def process() -> Iterator[object]:
        for _ in range(n):
            yield env.timeout(1)

    env.process(process())
    start = time.process_time()
    env.run()
    return time.process_time() - start


def figures() -> Iterator[Line]:
    """Yield what is to be printed: title, value, note; where SimPy is missing, without it."""
    for on in KERNELS:
        seconds, steps = periods(on)
        note = f"{steps / PERIODS:.0f} steps each, {steps / seconds:,.0f}/s"
        yield f"a million timer periods of {on}, with statistics", million(seconds), note
        other = simpy_events(steps)
        note = "pip install -e .[bench]" if other is None else "bare events, without effects"
        yield "the same number of events through SimPy", million(other), note


def million(seconds: float | None) -> str:
    """Return what a million periods would take, given the seconds of those that were run."""
    return "left out" if seconds is None else f"{seconds * MILLION / PERIODS:.0f} s"


if __name__ == "__main__":
    for title, value, note in figures():
        print(f"{title:<52}{value:>14}  {note}")
