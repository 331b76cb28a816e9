"""How a run goes on: along its schedule, and behind it by a rule of its own.

The rule, so that Step and "run to" always lead on, and always the same way:

1. the next token of the schedule, as soon as it is possible (on another kernel it may come later);
2. on the vCPU's own CPU a handler goes before what it interrupts, else whoever runs goes on;
3. of several choices the one taken least often in this state, of equals the first: a guest that
   could compute for ever leaves at last;
4. a sender or a device comes only by the schedule, by a person, or where nobody else can move.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import IllegalTransition
from kvmlab.machine import schedule
from kvmlab.machine.run import Run, taken
from kvmlab.machine.system import Move, System
from kvmlab.schedulers.replay import replay


@dataclass(frozen=True, slots=True)
class Course:
    """What has been carried out, and the rest of the schedule, which has not been possible so far."""

    run: Run
    rest: tuple[str, ...] = ()

    @property
    def schedule(self) -> str:
        """What is carried out and the rest, as one line of text."""
        return self.run.schedule + schedule.text(self.rest)

    def further(self) -> "Course":
        """Return the course one step on; itself where a person has to choose, or nobody can move."""
        due = _due(self.run, self.rest)
        move = due or default(self.run)
        if move is None:
            return self
        more = Run(self.run.system, (*self.run.steps, taken(move, self.run.state)))
        return Course(more, self.rest[1:] if due else self.rest)

    def until(self, length: int) -> "Course":
        """Return the course with ``length`` steps, or as many as there are."""
        course = self
        while len(course.run.steps) < length and (more := course.further()) is not course:
            course = more
        return course


def begun(system: System, text: str) -> Course:
    """Return the course of a schedule, as far as it is possible without a step of anyone's own."""
    run = replay(system, text)
    return Course(run, schedule.parse(text)[len(run.steps) :])


def _due(run: Run, rest: Sequence[str]) -> Move | None:
    """Return the move that the schedule waits for, if it is possible now."""
    try:
        return run.system.find(run.state, rest[0]) if rest else None
    except IllegalTransition:
        return None


def default(run: Run) -> Move | None:
    """Return who goes on at the end of ``run`` by rules 2 to 4; ``None`` where a person has to choose."""
    moves = run.system.enabled(run.state)
    inside = [move for move in moves if move.actor.top is not None]
    if not inside:
        return moves[0] if len(moves) == 1 else None
    first = max((move.actor.frame for move in inside if move.step.preempts), default=inside[0].actor.frame)
    mine = [move for move in inside if move.actor.frame == first]
    here = [step.move.label for step in run.steps if step.before == run.state]
    return min(mine, key=lambda move: here.count(move.label))
