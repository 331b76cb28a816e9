"""Late, or lost? Which assumption a forced exit rests on: a table of what was found by looking for lassos."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.liveness import liveness

ASSUMED: tuple[tuple[str, ...], ...] = ((), ("runs",), ("delivery",), ("runs", "delivery"))
"""What may be assumed of schedules; each column of the table is one of these."""


def _stack(name: str, n: int, methods: str = "", *, no_a1: bool = False, cancel: bool = False) -> Scenario:
    return levels(kernel(name), levels=n, methods=methods, no_a1=no_a1, cancel=cancel)


ROWS: Mapping[str, Callable[[], Scenario]] = {
    "L0 self-IPI, without A1": partial(_stack, "v4.18", 1, no_a1=True),
    "L0 timer 0": partial(_stack, "d264ee0", 1),
    "L1 self-IPI over timer 0": partial(_stack, "v4.18", 2, "L0=timer0,L1=ipi"),
    "L1 timer 0 over self-IPI": partial(_stack, "v4.18", 2, "L0=ipi,L1=timer0"),
    "L0 timer 0, a canceller": partial(_stack, "d264ee0", 1, cancel=True),
    "the same with 8081ad0": partial(_stack, "d264ee0+8081ad0", 1, cancel=True),
}


def comes(scenario: Scenario, assumed: Sequence[str]) -> bool:
    """Whether what must come does, in every schedule that is fair by the assumptions named."""
    fairness = [each for each in scenario.fairness if each.name in assumed]
    return liveness(scenario, fairness).verdict == "ok"


def in_the_end() -> str:
    """Return for each row and assumption whether the exit comes, or in some schedule never does."""
    heads = [" + ".join(names) or "nothing" for names in ASSUMED]
    lines = [_line("assumed:", heads)]
    for name, make in ROWS.items():
        scenario = make()
        lines.append(_line(name, ["comes" if comes(scenario, names) else "NEVER" for names in ASSUMED]))
    return "\n".join(lines)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<28}{''.join(f'{cell:<10}' for cell in cells)}".rstrip()
