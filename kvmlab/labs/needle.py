"""Exercise of notebook 00, Thread the needle: the judge.

The learner writes a schedule for a vCPU's thread and a kicker. The kick must land behind the recheck
and before the entry. Then the guest is entered and thrown out by EXTERNAL_INTERRUPT with nothing
executed, and the next lap sees the request. The schedule is replayed; where it ends, the run goes on
to that next lap for as long as nobody has a choice (the host takes an interrupt as soon as it may).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.labs.needle_story import ASK, REQUEST, SEEN, SEND, praise, why_not
from kvmlab.machine import schedule as schedules
from kvmlab.machine.run import Run, Taken, taken
from kvmlab.machine.system import Move
from kvmlab.scenarios.kick import kick
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.replay import replay

KERNEL = "v3.10"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A schedule, the run it made, and what is to be said of it; ``threaded`` if that is the needle."""

    scenario: Scenario
    schedule: str
    run: Run
    threaded: bool
    sentence: str

    def __repr__(self) -> str:
        return f"schedule {self.schedule}: {'threaded' if self.threaded else 'not yet'}\n{self.sentence}"


def attempt(text: str) -> Attempt:
    """Replay the schedule ``text`` and say whether its kick threads the needle, and if not, why.

    Raises BadInput for text that is no schedule, an empty one, or one that cannot be carried out.
    """
    tokens = schedules.parse(text)
    if not tokens:
        raise BadInput("write a schedule: a letter for each step, like vvvaaa")
    scenario, letters = kick(kernel(KERNEL)), schedules.text(tokens)
    run = replay(scenario.system, letters)
    if run.stopped:
        raise BadInput(f"the schedule cannot be carried out; {run.stopped}")
    whole = _to_its_end(run)
    reason = why_not(scenario, whole)
    return Attempt(scenario, letters, whole, not reason, reason or praise(scenario, whole))


def _to_its_end(run: Run) -> Run:
    """Go on to the lap that sees the request; stop earlier where somebody would have to choose."""
    steps: list[Taken] = list(run.steps)
    system, state = run.system, run.state
    while not _is_seen(steps) and (move := _next(system.enabled(state))):
        steps.append(taken(move, state))
        state = steps[-1].after
    return Run(system, tuple(steps))


def _next(moves: Sequence[Move]) -> Move | None:
    """Return the host's interrupt if it can be taken, else the only move, else nothing."""
    host = [move for move in moves if move.step.preempts]
    return host[0] if host else moves[0] if len(moves) == 1 else None


def _is_seen(steps: list[Taken]) -> bool:
    """Whether a lap has begun behind the last step of the other thread."""
    labels = [step.label for step in steps]
    last = max((n for n, label in enumerate(labels) if label in (REQUEST, ASK, SEND)), default=len(labels))
    return SEEN in labels[last:]
