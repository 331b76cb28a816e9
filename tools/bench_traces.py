"""Measure the reader of traces on 100 MB of text; print, never assert.

Each figure is taken in a process of its own, so that its peak memory is its own too, and stands beside a
bare loop over the lines of the same file. Time is the processor's: what one core needs, whoever else runs.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kvmlab.traces import Event, Reader, compare, load, summary
from kvmlab.traces.library import lines

SIZE = 100_000_000
"""Bytes of trace text."""
SOURCES = ("vmx_pt1_lab_tsc_hlt", "vmx_noapicv_lab_self_ipi", "nested_pt0_ipidelay2000_zero_test")
"""The recordings that are repeated, with stamps that go on and rips that are never the same again."""

_STAMP_AND_RIP = re.compile(r"^(.*?\s)(\d+)(: kvm_(?:exit|entry|nested_vmexit): .*? rip 0x)([0-9a-f]+)(.*)$")
_STAMP = re.compile(r"^(.*?\s)(\d+)(: .*)$")


def generate(path: Path, size: int = SIZE) -> int:
    """Write a trace of about ``size`` bytes; return how many events it holds."""
    events, written, now = 0, 0, 0
    with path.open("w", encoding="utf-8") as file:
        for line in _endless():
            now += 700
            events += 1
            written += file.write(_restamped(line, now, events))
            if written >= size:
                return events
    return events


def _endless() -> Iterator[str]:
    recorded = [line for name in SOURCES for line in lines(name) if not line.startswith("#")]
    while True:
        yield from recorded


def _restamped(line: str, now: int, number: int) -> str:
    found = _STAMP_AND_RIP.match(line)
    if found:
        return f"{found[1]}{now}{found[3]}{int(found[4], 16) + number:x}{found[5]}\n"
    return _STAMP.sub(rf"\g<1>{now}\3", line) + "\n"


def bare(path: str) -> int:
    """Look at every line."""
    number = 0
    with open(path, encoding="utf-8") as file:
        for _ in file:
            number += 1
    return number


def read(path: str) -> int:
    """Make every line an event."""
    return sum(1 for _ in Reader(path))


def fields(path: str) -> int:
    """Take every event's text apart."""
    number = 0
    for item in Reader(path):
        if isinstance(item, Event):
            number += item.fields is not None
    return number


def summed(path: str) -> int:
    """Do what `kvmlab trace --json` does."""
    return summary(path)["events"]


WORK: dict[str, Callable[[str], int]] = {"bare": bare, "read": read, "fields": fields, "summary": summed}
TITLES = {
    "bare": "trace, 100 MB: for line in file",
    "read": "trace, 100 MB: read",
    "fields": "trace, 100 MB: read with all fields",
    "summary": "trace, 100 MB: summary",
}


def measured(what: str, path: Path) -> tuple[int, float, float]:
    """Do it in a process of its own; return lines or events, seconds of one core, peak memory in MB."""
    command = [sys.executable, __file__, what, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    number, seconds, megabytes = json.loads(done.stdout)
    return number, seconds, megabytes


def once(what: str, path: str) -> None:
    """Do it here, and print what `measured` returns."""
    start = time.process_time()
    number = WORK[what](path)
    print(json.dumps([number, time.process_time() - start, peak()]))


def peak() -> float:
    """Return the most memory that this process ever had, in MB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def figures() -> Iterator[tuple[str, str, str]]:
    """Yield title, value and note of every figure."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "trace.txt"
        generate(path)
        base, took, _ = measured("bare", path)
        yield TITLES["bare"], f"{base / took:,.0f}/s", "the baseline"
        for what in ("read", "fields", "summary"):
            number, seconds, megabytes = measured(what, path)
            note = f"events; {seconds / took:.0f} times the bare loop; peak {megabytes:.0f} MB"
            yield TITLES[what], f"{number / seconds:,.0f}/s", note
    yield _compared()


def _compared() -> tuple[str, str, str]:
    """Compare two runs of 5000 events that have little in common."""
    a, b = (load(name) * 40 for name in (SOURCES[0], SOURCES[1]))
    start = time.perf_counter()
    found = compare(a[:5000], b[:5000])
    seconds = time.perf_counter() - start
    return "trace diff: 5000 events with 5000", f"{seconds:.2f} s", f"{found.shared} rows shared"


if __name__ == "__main__":
    once(sys.argv[1], sys.argv[2])
