"""The path on the left: the rows of one actor, which were taken in this lap, and what a patch did to them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.program import Place
from kvmlab.machine.run import Run
from kvmlab.machine.step import Row
from kvmlab.machine.system import Actor
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.diff import Line, diff

When = Literal["done", "next", "waits", "later"]
"""Of a row in this lap: taken, about to be taken, stood at by an actor who waits, or not (yet) taken."""

Mark = Literal["", "changed", "moved", "added"]
"""What is different about a row from the rival kernel."""


@dataclass(frozen=True, slots=True)
class PathRow:
    """One line of the path; ``source`` is the C function, if all its steps are from one.

    ``taken`` is the alternative that was taken in this lap, if the row has alternatives.
    """

    label: str
    depth: int
    source: str
    when: When
    mark: Mark
    taken: str = ""


def path_rows(scenario: Scenario, past: Run, lead: Actor, rival: Kernel | None) -> tuple[PathRow, ...]:
    """Return the rows of the lead's path as they stand at the end of ``past``."""
    system = scenario.system
    places = system.places[lead.letter]
    at, lap = past.state[system.pc[lead.letter]], this_lap(past, lead)
    moves = any(move.actor is lead for move in system.enabled(past.state))
    marks = differences(rival, scenario.kernel, lead.path.name, places) if rival else {}

    def row(i: int, place: Place) -> PathRow:
        here: When = "next" if moves else "waits"
        when = here if i == at else "done" if i in lap else "later"
        label, depth = place.row.label, max(len(place.blocks) - 2, 0)
        taken = lap.get(i, label)
        source, mark = function(place.row), marks.get(label, "")
        return PathRow(label, depth, source, when, mark, taken if taken != label else "")

    return tuple(row(i, place) for i, place in enumerate(places))


def this_lap(past: Run, lead: Actor) -> dict[int, str]:
    """Return the rows that ``lead`` has taken since it last went backwards, with the step taken there."""
    lap: dict[int, str] = {}
    last = -1
    for step in past.steps:
        if step.move.actor is lead:
            if step.move.at <= last:
                lap.clear()
            last = step.move.at
            lap[last] = step.move.step.label
    return lap if past.state[past.system.pc[lead.letter]] > last else {}


def function(row: Row) -> str:
    """Return the C function that a row stands in; empty if its steps are from several."""
    found = {match[1] if (match := re.search(r"\.[ch] (\w+)", step.source)) else "" for step in row.steps}
    return found.pop() if len(found) == 1 else ""


def differences(before: Kernel, after: Kernel, path: str, places: Sequence[Place]) -> dict[str, Mark]:
    """Return row label -> what ``after`` has done to that row of ``path``, for rows that differ."""
    rows = {place.row.label for place in places}
    marks: dict[str, Mark] = {}
    for line in diff(before, after):
        row = next((name for name in (*line.entry.within, line.entry.label) if name in rows), None)
        if row is not None and line.entry.path == path and (mark := _mark(line, row)):
            marks[row] = mark if row == line.entry.label else marks.get(row, mark)
    return marks


def _mark(line: Line, row: str) -> Mark:
    """Return the mark that one line gives its row; what left a row's alternatives changed the row."""
    if row != line.entry.label:
        return "" if line.status == "same" else "changed"
    if line.after is None or line.status == "same":
        return ""
    return line.status if line.status != "removed" else "changed"
