"""The runs that the stepper's laws are tested on: every kernel, a shortest counterexample or a long run."""

from functools import cache

from kvmlab.kernels.names import LISTED, kernel
from kvmlab.machine.run import Run
from kvmlab.scenarios.names import SCENARIOS
from kvmlab.scenarios.names import scenario as scenario_called
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.chance import draw
from kvmlab.schedulers.explore import explore
from kvmlab.show.stepper import StepperView, stepper_svg, view
from tests.show.pictures import Words, words

LATE = "mvvvvdvvvvvvvvvvg"
"""v3.2 lets L2 run although 0x40 waits."""

FIRST = "immediate-exit"
CANCELLED = "immediate-exit, cancelled"
"""The first lesson, with another thread that may cancel an entry."""

LONG = {"hv-timer", "tsc-deadline", "levels", "pending-smi"}
"""Scenarios whose path is too long for the column of a path: they are not for this picture."""

SHORT = {name: {} for name in SCENARIOS if name not in LONG}
KNOBS: dict[str, dict[str, object]] = {**SHORT, CANCELLED: {"cancel": True}}
CASES = [(what, name) for what in KNOBS for name in LISTED if what.split(",")[0] in kernel(name).scope]
"""(scenario, kernel): all there are."""


@cache
def scenario(name: str, what: str = FIRST) -> Scenario:
    """Return a scenario on a kernel."""
    return scenario_called(what.split(",")[0], kernel(name), **KNOBS[what])


@cache
def counterexample(what: str, name: str) -> Run | None:
    """Return a shortest counterexample, if there is one among the first states."""
    return explore(scenario(name, what), 5000).counterexample


@cache
def runs(what: str, name: str) -> tuple[Run, ...]:
    """Return the counterexample, if there is one, and two random runs of 50 steps."""
    found = counterexample(what, name)
    drawn = tuple(draw(scenario(name, what).system, seed, 50) for seed in range(2))
    return (found, *drawn) if found else drawn


@cache
def moments(what: str, name: str) -> tuple[StepperView, ...]:
    """Return every moment of these runs, compared with another kernel of the course."""
    kernels = [other for scene, other in CASES if scene == what]
    rival = scenario(kernels[kernels.index(name) - 1], what)
    return tuple(
        view(scenario(name, what), run, at, rival=rival)
        for run in runs(what, name)
        for at in range(len(run.steps) + 1)
    )


@cache
def pictures(what: str, name: str) -> tuple[tuple[StepperView, str, list[Words]], ...]:
    """Return every moment with its picture and the texts in it."""
    drawn = ((moment, stepper_svg(moment)) for moment in moments(what, name))
    return tuple((moment, svg, words(svg)) for moment, svg in drawn)
