"""The foot: the one sentence of a moment. Picture, text twin and screen reader all say this one."""

from collections.abc import Sequence

from kvmlab.machine.run import Run, divergence
from kvmlab.machine.system import Move
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.decisive import Verdict
from kvmlab.show.stepper.past import Happened, short

CHANGES = 3
"""As many changed cells fit into the sentence."""


def foot(scenario: Scenario, past: Run, seen: Sequence[Happened], found: Verdict | None) -> str:
    """Return what just happened, or the verdict with the steps that decided it."""
    if found and found.at == len(seen):
        return violated(seen, found)
    words = [step(seen[-1]) if seen else f"Start: {scenario.sentence}."]
    if found:
        words.append(f"{found.label} was violated at step {found.at}.")
    if not scenario.system.enabled(past.state):
        held = "" if found else ", and every property held"
        words.append(f"Nobody can move: this is the end{held}.")
    return " ".join(words)


def step(taken: Happened) -> str:
    """Return one step as a sentence, with the cells that it changed."""
    changes = ", ".join(map(str, taken.changes[:CHANGES]))
    behind = f" ({changes})" if changes else ""
    end = "" if taken.says.endswith("?") and not behind else "."
    return f"Step {taken.n}, {taken.who}: {taken.says}{behind}{end}"


def violated(seen: Sequence[Happened], found: Verdict) -> str:
    """Return the verdict: the property, and the decisive steps by number; who, where that is news."""
    steps, last = [], ""
    for x in seen:
        if x.decisive:
            steps.append(f"({x.decisive}) {x.step}" if x.who == last else f"({x.decisive}) {x.who} {x.step}")
            last = x.who
    return f"Broken ({found.label}): “{found.broken.sentence}”. Decisive: {', '.join(steps)}."


def short_verdict(kernel: str, found: Verdict | None) -> str:
    """Return what a kernel has violated, in a few words; nothing if it has not."""
    return f"{kernel} violates {found.label} at step {found.at}." if found else ""


def possible(move: Move) -> str:
    """Return a move as a button says it: who (letter): step."""
    return f"{short(move.actor)} ({move.token}): {move.step.label}"


def choose(moves: Sequence[Move]) -> str:
    """Return the question that a person has to answer when several can move."""
    return f"Whose step is next? {', or '.join(possible(move) for move in moves)}."


def compared(a: Run, b: Run, kernel_a: str, kernel_b: str) -> str:
    """Return where the same schedule takes two kernels different ways; ``b`` is the one shown."""
    n = divergence(a, b)
    rest_a, rest_b = a.labels[n:], b.labels[n:]
    if not rest_a and not rest_b:
        return f"{kernel_b} runs this schedule exactly as {kernel_a} does."
    until = f"Up to step {n} the same" if n else "Different from the first step"
    ways = [f"{kernel} takes {rest[0]}" for kernel, rest in ((kernel_b, rest_b), (kernel_a, rest_a)) if rest]
    stop = f" {kernel_b} stops: {b.stopped}." if b.stopped else ""
    return f"{until}; then {' where '.join(ways)}.{stop}"
