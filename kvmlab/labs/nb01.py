"""Notebook 01, Enter, just to leave: everything its cells use."""

from textwrap import fill
from typing import Any

from kvmlab.errors import unknown
from kvmlab.kernels.names import kernel as named
from kvmlab.labs.bench import DeferralBench, check_deferral
from kvmlab.labs.laps import laps as laps_of
from kvmlab.labs.laps import until_l1
from kvmlab.labs.moment import modelled, recorded, verdict
from kvmlab.labs.predict import Predict, asked
from kvmlab.labs.questions01 import QUESTIONS
from kvmlab.machine.run import Run, changed
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.explore import Exploration
from kvmlab.schedulers.explore import explore as explore_all
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.show.diff import KernelDiff
from kvmlab.show.methods import chosen
from kvmlab.show.verdicts import verdict_table
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.threshold import Threshold
from kvmlab.show.widgets.verdicts import VerdictGrid

__all__ = [
    "bench",
    "changes",
    "check_deferral",
    "diff",
    "explore",
    "foot",
    "laps",
    "model_moment",
    "predict",
    "real_moment",
    "real_verdict",
    "run",
    "stepper",
    "threshold",
    "verdicts",
]

VERDICTS = ("v3.2", "v3.2+fake-exit", "d6185f2", "d6185f2+mtf", "v3.10", "v3.10+8081ad0")

REAL = {
    "in time": "nested_pt0_ipidelay0_preemption_timer",
    "late": "nested_pt0_ipidelay2000_preemption_timer",
}
"""The recorded traces by what they show."""


def predict(number: str) -> Predict:
    """Return the predict box of a question; raise BadInput for a number that is none."""
    return asked(number, QUESTIONS)


def threshold(*methods: str, k: int = 1000, inject: bool = True) -> Threshold:
    """Return the threshold picture with a row for each of ``methods``; without any, with all."""
    return Threshold(k, inject, chosen(methods))


def stepper(
    *kernels: str, schedule: str | None = None, at: int | None = 0, question: str = "", **knobs: Any
) -> Stepper:
    """Return a stepper on the scenario, before its first step, with a switch if there are several kernels.

    Without ``schedule`` it gets the most telling one of the first kernel: a shortest one that goes
    wrong, or the whole run if none does. ``at=None`` opens it at the schedule's end.
    """
    scenarios = [immediate_exit(named(name), **knobs) for name in kernels]
    return Stepper(scenarios, schedule or _telling(scenarios[0]), question, at)


def _telling(scenario: Scenario) -> str:
    worst = explore_all(scenario).shortest
    if worst is None:
        return clocked(scenario.system).schedule
    return fewest_switches(scenario.system, worst.property.broken, len(worst.labels) - 1)


def foot(shown: Stepper | Threshold) -> str:
    """Return the sentence under a picture, in lines that fit the page."""
    return fill(shown.foot, 80)


def diff(before: str, after: str) -> KernelDiff:
    """Return what distinguishes two kernels, step by step."""
    return KernelDiff(named(before), named(after))


def run(name: str, **knobs: Any) -> Run:
    """Return the run from L1's VMRESUME until L1 runs again, every CPU at the same speed."""
    return until_l1(named(name), **knobs)


def changes(name: str, label: str) -> list[str]:
    """Return what the first step called ``label`` changed in :func:`run` of a kernel.

    Raises BadInput if the run has no such step.
    """
    done = run(name)
    taken = [step.move.step.label for step in done.steps]
    if label not in taken:
        raise unknown(f"step of {name}", label, taken)
    return [f"{cell}: {was} -> {now}" for cell, was, now in changed(done, taken.index(label))]


def laps(name: str) -> list[str]:
    """Return what became of each lap of vcpu_run in :func:`run` of a kernel."""
    return laps_of(run(name))


def explore(name: str, **knobs: Any) -> Exploration:
    """Try every schedule of the scenario on a kernel."""
    return explore_all(immediate_exit(named(name), **knobs))


def verdicts() -> VerdictGrid:
    """Return the proof table of the lesson's kernels."""
    return VerdictGrid(verdict_table([named(name) for name in VERDICTS]))


def bench() -> DeferralBench:
    """Return the bench of the exercise."""
    return DeferralBench()


def model_moment(name: str, inject: bool = True) -> list[str]:
    """Return the events around L2's entry in :func:`run` of a kernel."""
    return modelled(run(name, inject=inject))


def real_moment(which: str) -> list[str]:
    """Return the events around the forced entry in a recording: ``in time`` or ``late``."""
    return recorded(_recording(which))


def real_verdict(which: str) -> str:
    """Return what the test in the recorded guest said of itself."""
    return verdict(_recording(which), "0 value")


def _recording(which: str) -> str:
    if which not in REAL:
        raise unknown("recording", which, REAL)
    return REAL[which]
