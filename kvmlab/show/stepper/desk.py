"""What a stepper does, without a widget: one schedule, one cursor, several kernels to run it on.

The schedule is the learner's: it is kept as it was written even where a kernel cannot follow it to
the end, so that another kernel and back loses nothing. A note is said once, in the foot, and is
forgotten with the next action.
"""

from collections.abc import Sequence

from kvmlab.errors import BadInput, unknown
from kvmlab.machine import schedule as schedules
from kvmlab.machine.system import Actor, Move, System
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.person import Session
from kvmlab.show.decisive import verdict
from kvmlab.show.places import NINE, Place
from kvmlab.show.stepper import sentences
from kvmlab.show.stepper.past import short
from kvmlab.show.stepper.targets import target
from kvmlab.show.stepper.view import StepperView, view

LIMIT = 500
"""Steps after which "run to" gives up."""


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
        self.schedule = self.opening = tidy(self.scenario.story if schedule is None else schedule)
        self.session = Session(self.scenario.system, self.schedule)
        self.note = self.session.run.stopped and _sentence(self.session.run.stopped)
        if at is not None or schedule is None:
            self.session.seek(at or 0)

    @property
    def kernel(self) -> str:
        """The name of the kernel on show."""
        return self.scenario.kernel.name

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
            self.schedule = self.session.run.schedule

    def step(self) -> bool:
        """Go on along the schedule, or with the only possible move; else ask, and return False."""
        if self.session.at < len(self.session.run.steps):
            self.session.seek(self.session.at + 1)
            self.note = ""
            return True
        if len(self.moves) == 1:
            self.press(self.moves[0].token)
            return True
        self.note = sentences.choose(self.moves) if self.moves else ""
        return False

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
        self.schedule = tidy(text)
        self.session.load(self.scenario.system, self.schedule)
        self.note = self.session.run.stopped and _sentence(self.session.run.stopped)

    def switch(self, kernel: str) -> None:
        """Run the same schedule on another kernel, and say where the two part.

        The cursor stays, but goes as far as the new run does if it was at the old one's end.
        Raises BadInput for a kernel that this stepper does not have.
        """
        if kernel not in self.scenarios:
            raise unknown("kernel", kernel, self.scenarios)
        was, before, at = self.scenario, self.session.run, self.session.at
        if kernel == was.kernel.name:
            return
        self.scenario = self.scenarios[kernel]
        self.session.load(self.scenario.system, self.schedule)
        if at < min(len(before.steps), self.session.at):
            self.session.seek(at)
        found = verdict(self.scenario, self.session.past)
        compared = sentences.compared(before, self.session.run, was.kernel.name, kernel)
        self.note = f"{compared} {sentences.short_verdict(kernel, found)}".strip()

    def run_to(self, what: str) -> bool:
        """Go on until :func:`target` ``what`` is reached; return False where it is not, and say why.

        Along the schedule first; behind its end whoever moved last goes on, as long as he can.
        """
        reached, seen = target(self.scenario, what), {self.session.state}
        for _ in range(LIMIT):
            ahead = self.session.at < len(self.session.run.steps)
            if not (self.step() or self._go_on()):
                return False
            if reached(self.session.past):
                return True
            if not ahead and self.session.state in seen:
                self.note = f"Not reached: {what}. The run goes round in circles from here."
                return False
            seen.add(self.session.state)
        self.note = f"Not reached in {LIMIT} steps: {what}."
        return False

    def _go_on(self) -> bool:
        """Take the only move of whoever moved last; where he has none or a choice, it stays asked."""
        past = self.session.past.steps
        mine = [move for move in self.moves if past and move.actor is past[-1].move.actor]
        if len(mine) != 1:
            return False
        self.press(mine[0].token)
        return True


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
    """Return what an actor's button says: the step it would take, or why it takes none."""
    if move is not None:
        return f"{short(actor)}: {move.step.label}"
    finished = state[system.pc[actor.letter]] == len(system.places[actor.letter])
    return f"{short(actor)}: {'done' if finished else 'waits'}"
