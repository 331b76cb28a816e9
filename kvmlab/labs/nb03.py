"""Notebook 03, Where did my interrupt go?: everything its cells use."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import groupby
from textwrap import fill
from typing import Any, Protocol

from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kernels.names import kernel as named
from kvmlab.labs.lost import why_lost
from kvmlab.labs.own_path_bench import OwnPathBench, check_path
from kvmlab.labs.predict import Predict, asked
from kvmlab.labs.questions03 import QUESTIONS
from kvmlab.labs.transfer_bench import WakeupBench, check_wakeup
from kvmlab.labs.watch03 import WATCH
from kvmlab.machine.run import Run, changed
from kvmlab.machine.schedule import parse as tokens
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.explore import Exploration
from kvmlab.schedulers.explore import explore as explore_all
from kvmlab.schedulers.mechanism import mechanisms
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.schedulers.replay import replay
from kvmlab.show.diff import KernelDiff
from kvmlab.show.places import spoken
from kvmlab.show.stepper.past import short
from kvmlab.show.verdicts import Build, verdict_table
from kvmlab.show.widgets.game import SchedulerGame
from kvmlab.show.widgets.lanes import SwimLanes as lanes
from kvmlab.show.widgets.nets import Nets as nets
from kvmlab.show.widgets.order_map import OrderMap as order_map
from kvmlab.show.widgets.registers import following as registers
from kvmlab.show.widgets.space import DesignSpace as design_space
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.verdicts import VerdictGrid

__all__ = [
    "check_path",
    "check_wakeup",
    "delivered",
    "design_space",
    "diff",
    "explore",
    "foot",
    "game",
    "lanes",
    "losses",
    "nets",
    "order_map",
    "own_path",
    "predict",
    "registers",
    "stepper",
    "verdicts",
    "wakeup",
    "why",
]

VERDICTS = (
    "v4.10",
    "v4.10+no-event",
    "v4.10+no-event+irq-off-first",
    "v4.10+no-event+sync-late",
    "b95234c",
)
"""The kernel before, the naive removal, each half of the fix, and the fix."""

SENDERS: Mapping[str, Build] = {
    "another CPU": posted_interrupts,
    "VT-d": partial(posted_interrupts, sender="vtd"),
}
"""The columns of the proof table."""

BELL = {
    "apicv.pir": "PIR",
    "apicv.on": "ON",
    "L0.irr": "at the CPU",
    "apicv.virr": "IRR",
    "apicv.rvi": "RVI",
    "guest1.delivered": "the guest's counter",
}
"""The cells that tell a post's story, by the names that a learner reads."""

TOLD = (RUN_LOOP, "post", "host_irq", "request_and_kick")
"""The paths of a post; the timer's delivery, which is one too, has a lesson of its own."""

INSIDE = "vvvvvvvvv"
"""One lap of b95234c, up to where the guest runs."""


class Foot(Protocol):
    """Any picture with a sentence under it."""

    @property
    def foot(self) -> str:
        """The sentence."""


def predict(number: str) -> Predict:
    """Return the predict box of a question; raise BadInput for a number that is none."""
    return asked(number, QUESTIONS)


def foot(shown: Foot) -> str:
    """Return the sentence under a picture, in lines that fit the page."""
    return fill(shown.foot, 80)


def delivered() -> list[str]:
    """Return what becomes of a post to a guest that runs: a line a step, with what it changed."""
    run = replay(posted_interrupts(named("b95234c")).system, INSIDE + "aaaaggg")
    return [_line(run, n) for n in range(len(INSIDE), len(run.steps))]


def _line(run: Run, n: int) -> str:
    move = run.steps[n].move
    seen = [(BELL[cell], was, now) for cell, was, now in changed(run, n) if cell in BELL]
    changes = ", ".join(f"{name} {spoken(was)}→{spoken(now)}" for name, was, now in seen)
    return f"{move.actor.name:<16}{move.step.label:<19}{changes}".rstrip()


def game(*kernels: str, **knobs: Any) -> SchedulerGame:
    """Return the scheduler game, with a switch if there are several kernels."""
    return SchedulerGame([posted_interrupts(named(name), **knobs) for name in kernels], watch=WATCH)


def stepper(
    *kernels: str, schedule: str | None = None, at: int | None = 0, question: str = "", **knobs: Any
) -> Stepper:
    """Return a stepper on the scenario, before its first step, with a switch if there are several kernels.

    Without ``schedule`` it gets the most telling one of the first kernel: a shortest one that loses, or the
    whole run if none does. ``at=None`` opens it at the schedule's end.
    """
    scenarios = [posted_interrupts(named(name), **knobs) for name in kernels]
    return Stepper(scenarios, schedule or _telling(scenarios[0]), question, at, WATCH)


def _telling(scenario: Scenario) -> str:
    worst = explore_all(scenario).shortest
    if worst is None:
        return clocked(scenario.system).schedule
    return fewest_switches(scenario.system, worst.property.broken, len(worst.labels) - 1)


def explore(name: str, **knobs: Any) -> Exploration:
    """Try every schedule of the scenario on a kernel."""
    return explore_all(posted_interrupts(named(name), **knobs))


def losses(name: str, **knobs: Any) -> list[str]:
    """Return every mechanism by which a kernel loses an interrupt, with a shortest schedule of each, told."""
    scenario = posted_interrupts(named(name), **knobs)
    assert scenario.monitor is not None
    found = mechanisms(scenario, scenario.monitor)
    return [f"{each.name}, after {each.steps} steps: {turns(scenario, each.schedule)}" for each in found]


def turns(scenario: Scenario, schedule: str) -> str:
    """Return a schedule as people tell it: who moves, and how many steps in a row."""
    actors = [scenario.system.actors[token[0]] for token in tokens(schedule)]
    return ", ".join(f"{who} {len([*stretch])}" for who, stretch in groupby(map(short, actors)))


def why(name: str, schedule: str, **knobs: Any) -> str:
    """Return why a schedule loses its interrupt, in lines that fit the page."""
    return fill(why_lost(posted_interrupts(named(name), **knobs), schedule), 80)


def diff(before: str, after: str) -> KernelDiff:
    """Return what distinguishes two kernels, step by step, in the paths that this lesson is about."""
    return KernelDiff(*map(_told, (before, after)))


def _told(name: str) -> Kernel:
    kernel = named(name)
    return replace(kernel, paths={name: path for name, path in kernel.paths.items() if name in TOLD})


def verdicts() -> VerdictGrid:
    """Return the proof table: the kernel before, each part of the patch, and all of it."""
    table = verdict_table([named(name) for name in VERDICTS], SENDERS, beside="sender")
    return VerdictGrid(table, watch=WATCH)


def own_path() -> OwnPathBench:
    """Return the bench of the warm-up."""
    return OwnPathBench()


def wakeup() -> WakeupBench:
    """Return the bench of the exercise."""
    return WakeupBench()
