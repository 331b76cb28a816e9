"""The proof table of the timers; a press shows who has the alarm, stretch by stretch, and the schedule."""

from collections.abc import Mapping
from functools import partial

import ipywidgets as widgets

from kvmlab.labs.keep_one import WATCH
from kvmlab.machine.run import Run
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.schedulers.replay import replay
from kvmlab.show.alarm_story import AlarmStory, story
from kvmlab.show.alarm_story_svg import alarm_story_svg
from kvmlab.show.alarm_story_text import alarm_story_text
from kvmlab.show.deadline_rows import undisturbed
from kvmlab.show.verdicts import Build, VerdictTable
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.twin import TwinBox
from kvmlab.show.widgets.verdicts import VerdictGrid

HALTS: Mapping[str, Build] = {
    "computes": partial(hv_timer, hlt=0, wakes=0),
    "halts": partial(hv_timer, hlt=1, wakes=0),
    "is woken": partial(hv_timer, hlt=1, wakes=1),
}
"""The guest arms one deadline. Then it only computes, or may halt, or may also be woken by another CPU."""

WRITES: Mapping[str, Build] = {
    "writes 0": partial(hv_timer, hlt=0, wakes=0, rewrite="off"),
    "writes far": partial(hv_timer, hlt=0, wakes=0, rewrite="far"),
    "is woken": HALTS["is woken"],
}
"""The guest arms one deadline. Then it writes 0, or one that does not fit; or it halts and may be woken."""


QUESTION = "Who has the guest's alarm? (The sender of 0x31 is the other CPU, which may wake the guest.)"
"""What stands above a schedule."""


class AlarmVerdicts(TwinBox):
    """A verdict grid; what is pressed opens its alarm line and its schedule below."""

    def __init__(self, table: VerdictTable) -> None:
        self._grid = VerdictGrid(table, self._open)
        self._below = widgets.VBox()
        super().__init__([self._grid, self._below])

    @property
    def table(self) -> VerdictTable:
        """The verdicts, as data."""
        return self._grid.table

    def press(self, kernel: str, column: str) -> None:
        """Press the cell of ``kernel`` and ``column``; raise BadInput if there is none."""
        self._grid.press(kernel, column)

    def _open(self, scenario: Scenario, schedule: str | None) -> None:
        """Show what breaks, with a kernel of the other verdict at hand; else the undisturbed run."""
        if schedule is None:
            run = Run(scenario.system, tuple(undisturbed(scenario)))
            stepper = Stepper(scenario, run.schedule, QUESTION, 0, WATCH)
        else:
            run, rival = replay(scenario.system, schedule), self._grid.table.rival(scenario)
            stepper = Stepper([scenario, rival] if rival else scenario, schedule, QUESTION, watch=WATCH)
        self._below.children = (widgets.HTML(alarm_story_svg(alarm_story(scenario, run))), stepper)

    def __repr__(self) -> str:
        return repr(self._grid)


class AlarmLine(TwinBox):
    """Who has the alarm in a shortest schedule that breaks a scenario, or in its undisturbed run."""

    def __init__(self, scenario: Scenario) -> None:
        worst = explore(scenario).shortest
        run = Run(scenario.system, tuple(undisturbed(scenario)))
        if worst:
            length = len(worst.labels) - 1
            run = replay(scenario.system, fewest_switches(scenario.system, worst.property.broken, length))
        self.shown = alarm_story(scenario, run)
        super().__init__([widgets.HTML(alarm_story_svg(self.shown))])

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self.shown.foot

    def __repr__(self) -> str:
        return alarm_story_text(self.shown)


def alarm_story(scenario: Scenario, run: Run) -> AlarmStory:
    """Return the alarm line of a run; its title says whose it is, and what is wrong at its end."""
    broken = next((p.label for p in scenario.properties if p.broken(run.state)), "")
    wrong = f"{broken}, " if broken else ""
    return AlarmStory(f"{scenario.kernel.name}: {wrong}who has the alarm", story(scenario.records, run.steps))
