"""How an immediate exit grows with depth and with trapping accesses; what an entry of L2 takes; for bench.py.

Time is the processor's: what one core needs, whoever else runs. As a script it prints the same lines.
"""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.cpuid import cpuid
from kvmlab.scenarios.levels import levels
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.explore import Exploration, explore

KERNEL = "d264ee0"
DEPTHS, ACCESSES = range(1, 7), range(3)
ROUNDS = 500
Line = tuple[str, str, str]


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds of one core that ``work`` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def growth() -> Iterator[Line]:
    """Yield (what, value, note) for every depth, without and with accesses that trap."""
    for accesses in ACCESSES:
        found = [_explored(depth, accesses) for depth in DEPTHS]
        for depth, (result, took) in zip(DEPTHS, found, strict=True):
            what = f"immediate exit of L{depth}, p = {accesses}: every schedule"
            yield what, f"{took:.3f} s", f"{result.states:,} states, {result.transitions:,} transitions"
        yield f"states for one level more, times, p = {accesses}", "", _ratios(found)


def _explored(depth: int, accesses: int) -> tuple[Exploration, float]:
    scenario = levels(kernel(KERNEL), levels=depth, accesses=accesses)
    found: list[Exploration] = []
    took = seconds(lambda: found.append(explore(scenario)))
    return found[0], took


def _ratios(found: list[tuple[Exploration, float]]) -> str:
    states = [result.states for result, _ in found]
    return " ".join(f"{b / a:.1f}" for a, b in pairwise(states))


def entries(rounds: int = ROUNDS) -> Iterator[Line]:
    """Yield the time from one CPUID of L2 to its next one: L1 is told, and enters L2 again."""
    for accesses in ACCESSES:
        clock = Clock(cpuid(kernel(KERNEL), levels=2, accesses=accesses).system)
        _until(clock, 2)  # a clock that has been round knows what each row asks
        before = clock.taken
        took = seconds(lambda clock=clock: _until(clock, rounds))  # type: ignore[misc]
        what = f"an exit of L2 and L1's entry to it, p = {accesses}"
        yield what, f"{took * 1000 / rounds:.3f} ms", f"{(clock.taken - before) / rounds:.0f} steps"


def _until(clock: Clock, rounds: int) -> None:
    while rounds:
        move = clock.step()
        assert move is not None
        rounds -= move.step.label == "CPUID"


def figures() -> Iterator[Line]:
    """Yield every line."""
    yield from growth()
    yield from entries()


if __name__ == "__main__":
    for title, value, note in figures():
        print(f"{title:<52}{value:>14}  {note}")
