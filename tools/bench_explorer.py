"""How the search of posted interrupts grows with the senders, whole and reduced; read by bench.py.

Each search runs once in a fresh process, so that its peak of memory is its own. As a script:
``bench_explorer.py SENDERS [reduced]`` prints states, transitions, seconds and megabytes.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore

KERNEL = "b95234c"
STATUS = Path("/proc/self/status")


def peak() -> float:
    """Return this process's peak of memory in megabytes.

    Where there is /proc it is asked: what getrusage says goes on counting from the process that started
    this one. macOS, without /proc, says bytes.
    """
    if STATUS.exists():
        return int(STATUS.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def search(senders: int, *, reduced: bool) -> tuple[int, int, float, float]:
    """Return (states, transitions, seconds, peak megabytes) of a search in this process."""
    scenario = posted_interrupts(kernel(KERNEL), senders=senders)
    start = time.perf_counter()
    found = explore(scenario, reduce=reduced)
    seconds = time.perf_counter() - start
    return found.states, found.transitions, seconds, peak()


def afresh(senders: int, *, reduced: bool) -> tuple[int, int, float, float]:
    """Return the same of a search in a process of its own."""
    command = [sys.executable, __file__, str(senders), *(["reduced"] if reduced else [])]
    states, transitions, seconds, megabytes = subprocess.check_output(command, text=True).split()
    return int(states), int(transitions), float(seconds), float(megabytes)


def growth() -> Iterator[tuple[str, str, str]]:
    """Yield (what, value, note) for one to four senders, whole and reduced."""
    for senders in range(1, 5):
        for reduced in (False, True):
            states, transitions, seconds, megabytes = afresh(senders, reduced=reduced)
            what = f"explore {KERNEL}, senders: {senders}{', reduced' if reduced else ''}"
            note = f"{states:,} states, {transitions:,} transitions, {megabytes:.0f} MB"
            yield what, f"{seconds:.2f} s", note


if __name__ == "__main__":
    print(*search(int(sys.argv[1]), reduced=sys.argv[2:] == ["reduced"]))
