"""Late, or lost? Which assumption a forced exit rests on: a table of what was found by looking for lassos."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from kvmlab.kernels.kernel import Kernel, Patch, swap
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.liveness import liveness

ASSUMED: tuple[tuple[str, ...], ...] = ((), ("runs",), ("delivery",), ("exits",))
"""What may be assumed of schedules; each column of the table is one of these."""

Build = Callable[..., Scenario]
"""Builds the scenario, with ``tick`` or without."""

FORGETFUL = Patch(
    "without-8081ad0",
    "v6.1, but a wish that is called off is forgotten",
    "before 8081ad06b68a x86.c vcpu_enter_guest",
    (swap("CANCEL.event"),),
)
"""No release: v6.1 has the repair, and no longer asks at every lap what L1 has to hear of."""


def _stack(base: Kernel, n: int, methods: str = "") -> Build:
    return partial(levels, base, levels=n, methods=methods)


ROWS: Mapping[str, Build] = {
    "L0 self-IPI, without A1": partial(_stack(kernel("v4.18"), 1), no_a1=True),
    "L0 timer 0": _stack(kernel("d264ee0"), 1),
    "L1 self-IPI over timer 0": _stack(kernel("v4.18"), 2, "L0=timer0,L1=ipi"),
    "L1 timer 0 over self-IPI": _stack(kernel("v4.18"), 2, "L0=ipi,L1=timer0"),
    "L0 timer 0, a canceller": partial(_stack(kernel("d264ee0"), 1), cancel=True),
    "the same with 8081ad0": partial(_stack(kernel("d264ee0+8081ad0"), 1), cancel=True),
    "v6.1, a canceller": partial(_stack(kernel("v6.1"), 1), cancel=True),
    "the same without 8081ad0": partial(_stack(FORGETFUL.on(kernel("v6.1")), 1), cancel=True),
}


def comes(build: Build, assumed: Sequence[str]) -> bool:
    """Whether what must come does, in every schedule that is fair by the assumptions named.

    A tick is there only where it is assumed to come.
    """
    scenario = build(tick="exits" in assumed)
    fairness = [each for each in scenario.fairness if each.name in assumed]
    return liveness(scenario, fairness).verdict == "ok"


def in_the_end() -> str:
    """Return for each row and assumption whether the exit comes, or in some schedule never does."""
    heads = [" + ".join(names) or "nothing" for names in ASSUMED]
    lines = [_line("assumed:", heads)]
    for name, build in ROWS.items():
        lines.append(_line(name, ["comes" if comes(build, names) else "NEVER" for names in ASSUMED]))
    return "\n".join(lines)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<28}{''.join(f'{cell:<10}' for cell in cells)}".rstrip()
