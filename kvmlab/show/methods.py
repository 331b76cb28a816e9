"""Each way of making L2 leave: the kernel that does it so, what came of it, and that in words."""

from collections.abc import Sequence
from functools import lru_cache
from textwrap import wrap

from kvmlab.errors import unknown
from kvmlab.kernels.names import kernel
from kvmlab.show.outcome import Outcome, outcome
from kvmlab.show.titles import plural

METHODS = {
    "No tripwire": "v3.2",
    "Fake the exit": "v3.2+fake-exit",
    "Self-IPI": "d6185f2",
    "MTF": "d6185f2+mtf",
}
"""Each way of making L2 leave, and the kernel that does it so."""
TOP_VECTOR = {"Top vector": "d6185f2+ack-top-vector"}
"""One more, for whoever wants it: a vector of its own, acknowledged by the exit."""

COLUMNS = 80
"""No line of a twin is longer."""

Row = tuple[str, Outcome]
"""The name of a method and what came of it."""


def chosen(names: Sequence[str]) -> dict[str, str]:
    """Return the methods of these names, all of them for none; raise BadInput for a name that is none."""
    for name in names:
        if name not in METHODS:
            raise unknown("method", name, METHODS)
    return {name: METHODS[name] for name in names or METHODS}


def rows(k: int, inject: bool, methods: dict[str, str] = METHODS) -> list[Row]:
    """Return what comes of each method if L2's next natural exit is after ``k`` instructions."""
    return [(name, _known(which, inject, k)) for name, which in methods.items()]


@lru_cache(256)
def _known(which: str, inject: bool, k: int) -> Outcome:
    """Remember outcomes by the kernel's name, so that a slider is dragged over them only once."""
    return outcome(kernel(which), inject, k)


def heading(some: Sequence[Row]) -> tuple[str, str]:
    """Return what is given: the situation, and how far L2 would get on its own."""
    first = some[0][1]
    injects = "and injects 0x31" if first.inject else "and injects nothing"
    return (
        f"0x40 waits for L1, which resumes L2 {injects}",
        f"L2's next natural exit: after {count(first.k)}",
    )


def sentence(some: Sequence[Row]) -> str:
    """Return the foot: which method is late, loses the event, is exact."""
    late = [f"{name} by {count(row.instructions)}" for name, row in some if row.word == "LATE"]
    groups = {word: [name for name, row in some if row.word == word] for word in _WORDS} | {"LATE": late}
    return " ".join(f"{word}: {', '.join(names)}." for word, names in groups.items() if names)


_WORDS = ("LATE", "LOST", "SKIPPED", "BY LUCK", "EXACT")
"""The order of verdicts in the foot."""

FATES = {
    "LOST": "0x31's valid bit cleared, never delivered",
    "LATE": "0x40 for L1 waited all the while",
    "SKIPPED": "nothing was to be lost",
    "BY LUCK": "it is L2's own exit",
}
"""What a verdict means for the row that has it; an exact row needs no more words."""
SIGNS = {"EXACT": "✓", "LATE": "✕", "LOST": "✕"}
"""Right or wrong, without a colour; what is neither has a dash."""


def count(instructions: int) -> str:
    """Print a number of instructions with its unit."""
    return plural(instructions, "instruction")


def threshold_text(some: Sequence[Row]) -> str:
    """Return the picture in words, at most 80 columns wide, the foot sentence last."""
    lines = ["The threshold", *heading(some), ""]
    for name, row in some:
        lines += [f"{name}: {row.kernel}", *(f"  {words}" for words in _story(row))]
    return "\n".join([*lines, "", *wrap(sentence(some), COLUMNS)])


def _story(row: Outcome) -> list[str]:
    """Return what happened in one row, a line for each place of the picture."""
    waits = f"{row.pending} pending at the CPU" if row.pending != "-" else "nothing pending at the CPU"
    trap = ", monitor trap flag on" if row.trap else ""
    door = f"before: entry event {'empty' if row.event == '-' else row.event}, {waits}{trap}"
    if not row.entered:
        return [door, f"no VM entry: {told(row)}", _verdict(row)]
    entry = f"VM entry: delivers {row.event}" if row.delivered else "VM entry: nothing to deliver"
    return [door, entry, f"exit: {row.reason}, RIP {row.rip}, {count(row.instructions)}", _verdict(row)]


def told(row: Outcome) -> str:
    """Return what L1 was told."""
    return f"L1 is told {row.told}"


def sign(row: Outcome) -> str:
    """Return the sign before the verdict of a row: ``✓``, ``✕`` or ``–``."""
    return SIGNS.get(row.word, "–")


def _verdict(row: Outcome) -> str:
    """Return the verdict in words."""
    fate = FATES.get(row.word, "")
    return f"{sign(row)} {row.word}{': ' if fate else ''}{fate}"
