"""What a stepper does, without a widget: one schedule, one cursor, several kernels to run it on.

The schedule is the learner's: what was written (or pressed) is kept even where a kernel cannot follow
it to the end, so that another kernel and back loses nothing; what Step adds by the rule of
:mod:`course` is shown, but not kept. A standing verdict ends the run: only a person's press leads on,
or a schedule that says more. A note is said once, in the foot, and is forgotten with the next action.
"""

from collections import Counter
from collections.abc import Sequence

from kvmlab.errors import BadInput, unknown
from kvmlab.machine import schedule as schedules
from kvmlab.machine.run import divergence
from kvmlab.machine.state import State
from kvmlab.machine.system import Actor, Move, System
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.person import Session
from kvmlab.show.decisive import verdict
from kvmlab.show.places import NINE, Place
from kvmlab.show.stepper import sentences
from kvmlab.show.stepper.course import Course, begun
from kvmlab.show.stepper.past import short
from kvmlab.show.stepper.targets import target
from kvmlab.show.stepper.view import StepperView, view

LIMIT = 500
"""Steps after which "run to" gives up."""
ROUNDS = 3
"""So often may "run to" take the same step from the same state."""


class Desk:
    """Scenarios that differ in their kernel, the one on show, its session, and what to say about it.

    Without a ``schedule`` it opens with the story of the first scenario, nothing carried out; with
    one, at its end; ``at`` says otherwise. ``watch`` are the places of the state.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        schedule: str | None = None,
        question: str = "",
        at: int | None = None,
        watch: Sequence[Sequence[Place]] = NINE,
    ) -> None:
        self.scenarios = {scenario.kernel.name: scenario for scenario in scenarios}
        if not scenarios or len(self.scenarios) < len(scenarios):
            raise BadInput("a stepper needs scenarios, one for each kernel")
        self.scenario = scenarios[0]
        self.question, self.watch = question, watch
        self.opening = tidy(self.scenario.story if schedule is None else schedule)
        self.session = Session(self.scenario.system)
        self.rest: tuple[str, ...] = ()
        self.load(self.opening)
        if at is not None or schedule is None:
            self.session.seek(at or 0)

    @property
    def kernel(self) -> str:
        """The name of the kernel on show."""
        return self.scenario.kernel.name

    @property
    def schedule(self) -> str:
        """What is carried out, and the rest of what was written, as one line of text."""
        return Course(self.session.run, self.rest).schedule

    @property
    def stands(self) -> bool:
        """Whether the cursor is at a verdict."""
        found = verdict(self.scenario, self.session.past)
        return found is not None and found.at == self.session.at

    @property
    def rival(self) -> Scenario | None:
        """The scenario whose kernel this one is compared with: the one before, for the first the next."""
        all_ = list(self.scenarios.values())
        at = all_.index(self.scenario)
        return (all_[at - 1] if at else all_[1]) if len(all_) > 1 else None

    @property
    def moves(self) -> list[Move]:
        """What is possible now."""
        return self.session.moves

    @property
    def view(self) -> StepperView:
        """The moment on show."""
        return view(
            self.scenario,
            self.session.run,
            self.session.at,
            question=self.question,
            rival=self.rival,
            note=self.note,
            watch=self.watch,
        )

    def press(self, token: str) -> None:
        """Take one move; what lay ahead stays if it begins so, else it is forgotten (a fork).

        Raises IllegalTransition and changes nothing if the move is not possible.
        """
        run = self.session.run
        self.session.press(token)
        self.note = ""
        if self.session.run is not run:
            at_end = self.session.at == len(run.steps) + 1
            said = self.session.run.steps[-1].move.token
            self.rest = self.rest[1:] if at_end and self.rest[:1] == (said,) else ()
            self.kept = self.schedule

    def step(self) -> bool:
        """Go on along the schedule, or by the rule of :mod:`course`; else ask, and return False."""
        self.note = ""
        if self.session.at < len(self.session.run.steps):
            self.session.seek(self.session.at + 1)
            return True
        if self.stands:
            return False
        before = Course(self.session.run, self.rest)
        after = before.further()
        if after is before:
            self.note = sentences.choose(self.moves) if self.moves else ""
            return False
        self._follow(after, len(after.run.steps))
        return True

    def _follow(self, course: Course, at: int) -> None:
        self.session.run, self.rest = course.run, course.rest
        self.session.seek(at)

    def back(self) -> None:
        """Take the last step back; the schedule stays."""
        self.seek(max(self.session.at - 1, 0))

    def seek(self, at: int) -> None:
        """Put the cursor behind step ``at``; raise IllegalTransition if the schedule is shorter."""
        self.session.seek(at)
        self.note = ""

    def reset(self) -> None:
        """Go back to the start of the schedule that the stepper opened with."""
        self.load(self.opening)
        self.seek(0)

    def load(self, text: str) -> None:
        """Replay another schedule, as far as it is possible; the note says where it is not.

        Raises BadInput for text that is no schedule, and changes nothing.
        """
        self.kept = tidy(text)
        course = begun(self.scenario.system, self.kept)
        self._follow(course, len(course.run.steps))
        self.note = course.run.stopped and _sentence(course.run.stopped)

    def switch(self, kernel: str) -> None:
        """Run the same schedule on another kernel, and say where the two part.

        The cursor stays, but goes back to where they part if it was behind it.
        Raises BadInput for a kernel that this stepper does not have.
        """
        if kernel not in self.scenarios:
            raise unknown("kernel", kernel, self.scenarios)
        was, before, at = self.kernel, Course(self.session.run, self.rest), self.session.at
        if kernel == was:
            return
        self.scenario = self.scenarios[kernel]
        own = begun(self.scenario.system, self.kept)
        longer = max(len(before.run.steps), len(own.run.steps))
        a, b = before.until(longer).run, own.until(longer).run
        at = min(at, divergence(a, b))
        self._follow(own.until(at), at)
        found = verdict(self.scenario, self.session.past)
        self.note = (
            f"{sentences.compared(a, b, was, kernel)} {sentences.short_verdict(kernel, found)}".strip()
        )

    def run_to(self, what: str) -> bool:
        """Go on until :func:`target` ``what`` is reached; return False where it is not, and say why.

        At a standing verdict it goes nowhere; a verdict on the way to something else is a stop too.
        """
        reached = target(self.scenario, what)
        taken: Counter[tuple[State, str]] = Counter()
        for _ in range(LIMIT):
            if self._over(what):
                self.note = ""
                return what == "verdict" and self.stands
            ahead = self.session.at < len(self.session.run.steps)
            if not self.step():
                return False
            last = self.session.past.steps[-1]
            if reached(self.session.past):
                return True
            taken[last.before, last.label] += not ahead
            if taken[last.before, last.label] == ROUNDS:
                self.note = f"Not reached: {what}. The run goes round in circles from here."
                return False
        self.note = f"Not reached in {LIMIT} steps: {what}."
        return False

    def _over(self, what: str) -> bool:
        """Whether there is nothing to run to: a verdict stands, or the only one has passed."""
        return self.stands or (what == "verdict" and verdict(self.scenario, self.session.past) is not None)


def tidy(text: str) -> str:
    """Return a schedule without blanks; raise BadInput if it is none."""
    return schedules.text(schedules.parse(text))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def choices(system: System, limit: int = 1000) -> dict[str, int]:
    """Return how many alternatives each actor may have at once, seen in the first ``limit`` states."""
    most = dict.fromkeys(system.actors, 1)
    seen = [system.start]
    known = {system.start}
    for state in seen:
        for move in system.enabled(state):
            most[move.actor.letter] = max(most[move.actor.letter], move.choice + 1)
            after = list(state)
            move.carry_out(after)
            if tuple(after) not in known and len(seen) < limit:
                known.add(tuple(after))
                seen.append(tuple(after))
    return most


def label(actor: Actor, move: Move | None, system: System, state: Sequence[int]) -> str:
    """Return what an actor's button says: ▶ and the step it would take, or why it takes none."""
    if move is not None:
        return f"▶ {short(actor)}: {move.step.label}"
    finished = state[system.pc[actor.letter]] == len(system.places[actor.letter])
    return f"{short(actor)}: {'done' if finished else 'waits'}"
