"""What a stepper shows at one moment, as plain data: picture and text twin are made of it.

:func:`view` is a pure function of a scenario, a run, and how far the run has been carried out. The
path shown is that of the scenario's first actor; the run may go on behind the cursor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.machine.run import Run
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show import places
from kvmlab.show.decisive import Verdict, verdict
from kvmlab.show.places import NINE, Place, Shown
from kvmlab.show.stepper import sentences
from kvmlab.show.stepper.past import Column, Happened, columns, history
from kvmlab.show.stepper.path import PathRow, path_rows
from kvmlab.show.titles import title


@dataclass(frozen=True, slots=True)
class StepperView:
    """One moment: after ``at`` of ``length`` steps; ``foot`` is the one sentence about it."""

    title: str
    kernel: str
    dated: str
    rival: str
    question: str
    path: str
    rows: tuple[PathRow, ...]
    columns: tuple[Column, ...]
    happened: tuple[Happened, ...]
    places: tuple[Shown | None, ...]
    possible: tuple[str, ...]
    verdict: Verdict | None
    schedule: str
    at: int
    length: int
    foot: str


def view(
    scenario: Scenario,
    run: Run,
    at: int,
    *,
    question: str = "",
    rival: Scenario | None = None,
    note: str = "",
    watch: Sequence[Sequence[Place]] = NINE,
) -> StepperView:
    """Return the moment after ``at`` steps of ``run``.

    ``rival`` is whose kernel the path's rows are compared with, ``watch`` the nine places. ``note``
    is a sentence that the foot says instead of what just happened: a mistake in a schedule, say.
    """
    system, past = scenario.system, Run(run.system, run.steps[:at])
    lead = next(iter(system.actors.values()))
    found = verdict(scenario, past)
    seen = history(past, found, places.watched(system.layout, watch))
    return StepperView(
        title=scenario.sentence,
        kernel=scenario.kernel.name,
        dated=title(scenario.kernel),
        rival=rival.kernel.name if rival else "",
        question=question,
        path=lead.path.name,
        rows=path_rows(scenario, past, lead, rival.kernel if rival else None),
        columns=columns(run),
        happened=seen,
        places=places.fill(system.layout, past.steps[-1].before if at else past.state, past.state, watch),
        possible=tuple(sentences.possible(move) for move in system.enabled(past.state)),
        verdict=found,
        schedule=run.schedule,
        at=at,
        length=len(run.steps),
        foot=note or sentences.foot(scenario, past, seen, found),
    )
