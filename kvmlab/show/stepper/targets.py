"""Where "run to" stops: at a VM exit, at a change of a cell, at a verdict."""

from collections.abc import Callable

from kvmlab.errors import unknown
from kvmlab.machine.run import Run, Taken
from kvmlab.machine.state import Layout
from kvmlab.machine.system import System, top_cell
from kvmlab.processor.records import ROOT
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.decisive import verdict

Reached = Callable[[Run], bool]
"""Whether a run that has just grown by a step has arrived."""


def target(scenario: Scenario, what: str) -> Reached:
    """Return when to stop: at an ``exit``, a ``verdict``, or a change of a cell (``requests``, ``L1.irr``).

    Raises BadInput for a name that is none of these.
    """
    if what == "verdict":
        return lambda past: (found := verdict(scenario, past)) is not None and found.at == len(past.steps)
    if what == "exit":
        return lambda past: _is_exit(past.steps[-1], scenario.system)
    cells = _cells(scenario.system.layout, what)
    return lambda past: any(past.steps[-1].before[c] != past.steps[-1].after[c] for c in cells)


def _cells(layout: Layout, what: str) -> list[int]:
    """Return the cells called ``what``, with or without their record."""
    cells = [i for i, info in enumerate(layout.cells) if what in (info.name, info.name.split(".")[-1])]
    if not cells:
        raise unknown("target", what, ("exit", "verdict", *(info.name for info in layout.cells)))
    return cells


def _is_exit(step: Taken, system: System) -> bool:
    """Whether a step left a guest for root mode, be it within an entry that was thrown back."""
    top = top_cell(step.move.actor.top, step.before)
    left = top is not None and step.before[top] != ROOT == step.after[top]
    told = any(name.startswith("vmcs0") and name.endswith(".reason") for name, _, _ in _news(step, system))
    return left or told


def _news(step: Taken, system: System) -> list[tuple[str, str, str]]:
    return system.layout.changes(step.before, step.after)
