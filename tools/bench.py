"""Measure the explorer, the clock, the import and the screen; print, never assert.

Every figure stands beside a baseline taken in the same run, so that it means something on another
machine. The last part needs JupyterLab and Chromium and is left out where they are missing.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench_clock import figures as clock_figures
from bench_explorer import growth
from bench_levels import figures as level_figures
from bench_traces import figures

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.count import count
from kvmlab.schedulers.explore import explore

ROUNDS = 9


def median(measure: Callable[[], float]) -> float:
    """Return the median of a few measurements."""
    return statistics.median(measure() for _ in range(ROUNDS))


def rate(work: Callable[[], int]) -> float:
    """Return how many things ``work`` did in a second; it returns how many it did."""

    def once() -> float:
        start = time.perf_counter()
        return work() / (time.perf_counter() - start)

    return median(once)


def bare_loop(n: int = 200_000) -> int:
    """Copy a tuple of 44 integers, change one, hash the copy: what a transition costs at the very least.

    (Unless states are packed into one integer each, as the explorer has them.)
    """
    state, seen = tuple(range(44)), set()
    for i in range(n):
        work = list(state)
        work[7] = i
        seen.add(tuple(work))
    return n


def searches() -> dict[str, Scenario]:
    """Return the scenarios whose transitions are counted."""
    return {
        "d6185f2": immediate_exit(kernel("d6185f2")),
        "d6185f2 --cancel": immediate_exit(kernel("d6185f2"), cancel=True),
        "v3.10+8081ad0 --cancel": immediate_exit(kernel("v3.10+8081ad0"), cancel=True),
        "b95234c, senders: 3": posted_interrupts(kernel("b95234c"), senders=3),
    }


def counting() -> float:
    """Return the seconds for counting the interleavings of two senders."""
    start = time.perf_counter()
    count(posted_interrupts(kernel("v4.10+no-event"), senders=2))
    return time.perf_counter() - start


def clock_steps(n: int = 50_000) -> int:
    """Let L2 compute on the clock."""
    clock = Clock(immediate_exit(kernel("v3.2"), after=10**9).system)
    for _ in range(n):
        clock.step()
    return n


def interpreter(code: str) -> float:
    """Return the milliseconds that a fresh interpreter needs for ``code``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - start) * 1000


def line(what: str, value: str, note: str = "") -> None:
    """Print one figure."""
    print(f"{what:<52}{value:>14}  {note}".rstrip())


def screen() -> None:
    """Print the medians from key press to picture, or why they are missing."""
    script = Path(__file__).with_name("bench_screen.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    last = (done.stderr.strip().splitlines() or ["?"])[-1]
    for text in done.stdout.splitlines() if done.returncode == 0 else [f"screen: left out ({last})"]:
        what, _, value = text.partition(": ")
        line(what, value)


def main() -> None:
    """Print every figure."""
    bare = rate(bare_loop)
    line("bare loop: copy, change, hash", f"{bare:,.0f}/s", "the baseline")
    for name, scenario in searches().items():
        speed = rate(lambda scenario=scenario: explore(scenario).transitions)  # type: ignore[misc]
        line(f"explore {name}: transitions", f"{speed:,.0f}/s", f"{speed / bare:.2f} of the bare loop")
    for grown in growth():
        line(*grown)
    line("count v4.10+no-event, senders: 2", f"{median(counting):.2f} s")
    line("clock: steps", f"{rate(clock_steps):,.0f}/s")
    nothing, package = (median(lambda c=c: interpreter(c)) for c in ("pass", "import kvmlab"))  # type: ignore[misc]
    core = median(lambda: interpreter("import kvmlab.kernels.names, kvmlab.scenarios.names"))
    line("import kvmlab, over a bare interpreter", f"{package - nothing:.0f} ms", f"bare: {nothing:.0f} ms")
    line("import the whole core, over a bare interpreter", f"{core - nothing:.0f} ms")
    for figure in (*level_figures(), *clock_figures(), *figures()):
        line(*figure)
    screen()


if __name__ == "__main__":
    main()
