"""The races of patch 3: each a kernel that loses, the shortest schedule that does, and the kernel that holds.

Nothing here is a story written down: the schedule is found by trying all of them, by its mechanism.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kvmlab.errors import ModelError, unknown
from kvmlab.kernels.names import kernel
from kvmlab.machine import schedule
from kvmlab.machine.run import Run, taken
from kvmlab.scenarios.mechanisms import CONSUMED, EATEN, NAMES, NOBODY, STALE
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.mechanism import mechanisms
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.schedulers.replay import replay
from kvmlab.show.stepper.course import default

Knobs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Race:
    """What is to be found: on ``kernel`` with ``knobs``, by ``mechanism``; ``holds`` is the cure."""

    kernel: str
    mechanism: str
    knobs: Knobs = field(default_factory=dict)
    holds: str = "b95234c"
    cure: Knobs | None = None

    @property
    def cured(self) -> Knobs:
        """The knobs on the kernel that holds; without a ``cure`` the same."""
        return self.knobs if self.cure is None else self.cure


RACES: dict[str, Race] = {
    "race 1": Race("v4.10+no-event", NAMES[EATEN]),
    "race 2": Race("v4.10+no-event", NAMES[NOBODY]),
    "VT-d": Race("v4.10", NAMES[EATEN], {"sender": "vtd"}),
    "EVENT used up": Race("v4.10", NAMES[CONSUMED]),
    "no barrier": Race(
        "b95234c", NAMES[STALE], {"memory": "tso", "barrier": False}, cure={"memory": "tso", "barrier": True}
    ),
}
"""The two races of the commit, VT-d's, v4.10's own, and the one that the barrier shuts out."""


@dataclass(frozen=True, slots=True)
class Told:
    """A race found: both scenarios, the losing run, and where the same schedule leads on the other kernel."""

    name: str
    mechanism: str
    scenario: Scenario
    run: Run
    rival: Scenario
    rival_run: Run

    @property
    def schedule(self) -> str:
        """The schedule, for a stepper."""
        return self.run.schedule


@cache
def race(name: str) -> Told:
    """Return the race called ``name``; raise BadInput if there is none."""
    if name not in RACES:
        raise unknown("race", name, RACES)
    found = RACES[name]
    scenario = posted_interrupts(kernel(found.kernel), **found.knobs)
    rival = posted_interrupts(kernel(found.holds), **found.cured)
    run = replay(scenario.system, _schedule(scenario, found.mechanism))
    return Told(name, found.mechanism, scenario, run, rival, carried_on(rival, run.schedule))


def _schedule(scenario: Scenario, wanted: str) -> str:
    """Return a shortest schedule that loses by the mechanism; if there is no other, the most readable one."""
    assert scenario.monitor is not None
    found = mechanisms(scenario, scenario.monitor)
    mine = next((each for each in found if each.name == wanted), None)
    if mine is None:
        raise ModelError(f"{scenario.kernel.name} does not lose by {wanted}")
    broken = next(each.broken for each in scenario.properties if each.label == mine.label)
    return mine.schedule if len(found) > 1 else fewest_switches(scenario.system, broken, mine.steps)


def carried_on(scenario: Scenario, text: str) -> Run:
    """Return the run of a schedule and on to rest.

    Who cannot move when it is his turn moves when he can; behind the schedule whoever runs goes on.
    """
    system, rest, run = scenario.system, [*schedule.parse(text)], Run(scenario.system, ())
    while not scenario.done(run.state):
        can = {move.token: move for move in system.enabled(run.state)}
        due = next((token for token in rest if token in can), "")
        if due:
            rest.remove(due)
        move = can.get(due) or default(run)
        if move is None:
            break
        run = Run(system, (*run.steps, taken(move, run.state)))
    return run
