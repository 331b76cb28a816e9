"""Notebook 01b, Two later bugs: everything its cells use."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from kvmlab.kernels.names import kernel as named
from kvmlab.labs import nb01
from kvmlab.labs.laps import laps as laps_of
from kvmlab.labs.predict import Predict, asked
from kvmlab.labs.questions01b import QUESTIONS
from kvmlab.labs.reach import dead_end as dead_end_of
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.show.verdicts import Build, verdict_table
from kvmlab.show.widgets.verdicts import VerdictGrid

__all__ = ["dead_end", "diff", "explore", "foot", "laps", "predict", "run", "stepper", "verdicts"]

diff, explore, foot, run, stepper = nb01.diff, nb01.explore, nb01.foot, nb01.run, nb01.stepper

COLUMNS: Mapping[str, Build] = {
    "nothing else": immediate_exit,
    "a canceller": partial(immediate_exit, cancel=True),
    "a fault": partial(immediate_exit, faults=1),
    "both": partial(immediate_exit, cancel=True, faults=1),
}
"""What may stand beside the entry: another thread, a delivery that faults half-way."""


def predict(number: str) -> Predict:
    """Return the predict box of a question; raise BadInput for a number that is none."""
    return asked(number, QUESTIONS)


def laps(name: str, **knobs: Any) -> list[str]:
    """Return what became of each lap of vcpu_run until L1 runs again, or the run was given up."""
    return laps_of(run(name, **knobs))


def dead_end(name: str, **knobs: Any) -> str:
    """Return a shortest schedule into a state from which L1 is never reached again, or ``no dead end``."""
    return dead_end_of(immediate_exit(named(name), **knobs)) or "no dead end"


def verdicts(*kernels: str) -> VerdictGrid:
    """Return the proof table of ``kernels`` with a column for each thing that may stand beside the entry."""
    return VerdictGrid(verdict_table([named(name) for name in kernels], COLUMNS))
