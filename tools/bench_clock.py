"""How fast is the clock? Timer periods of whole kernels, with statistics, and as many events in SimPy.

A million of the newest kernel's are really run, and SimPy's events too, which takes about a minute; of the
other one fewer, and the line says so.
"""

import time
from collections.abc import Generator, Iterator
from typing import Any

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.latency import periodic
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.survey import survey

MILLION = 1_000_000
PERIODS = {"v6.1": MILLION, "v4.10": MILLION // 10}
"""Kernel -> how many are run."""
EVENT = "here a step with its effect, in strides once it is known; there a timeout of a process"
Line = tuple[str, str, str]


def periods(on: str, n: int) -> tuple[float, int]:
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

    def process() -> Generator[Any, Any, None]:
        for _ in range(n):
            yield env.timeout(1)

    env.process(process())
    start = time.process_time()
    env.run()
    return time.process_time() - start


def figures() -> Iterator[Line]:
    """Yield what is to be printed: title, value, note; where SimPy is missing, without it."""
    for on, n in PERIODS.items():
        seconds, steps = periods(on, n)
        yield f"a million timer periods of {on}, with statistics", *figure(seconds, steps, n)
        other = simpy_events(steps)
        if other is None:
            yield "as many events through SimPy", "left out", "pip install -e .[bench]"
        else:
            yield "as many bare events, without effects, in SimPy", *figure(other, steps, n)
    yield "an event of the clock, and of SimPy", "", EVENT


def figure(seconds: float, steps: int, n: int) -> tuple[str, str]:
    """Return what a million takes, and how that is known: as many steps as ``n`` have took so long."""
    ran = f"all {n:,} run" if n == MILLION else f"extrapolated from {n:,}"
    return f"{seconds * MILLION / n:.0f} s", f"{ran}: {steps:,} in {seconds:.1f} s, {steps / seconds:,.0f}/s"


if __name__ == "__main__":
    for title, value, note in figures():
        print(f"{title:<52}{value:>14}  {note}", flush=True)
