"""Does it ever happen? A shortest schedule to a step, or the proof that there is none."""

from kvmlab.errors import unknown
from kvmlab.machine import schedule
from kvmlab.machine.state import State
from kvmlab.machine.system import Move, System


def happens(system: System, label: str) -> str | None:
    """Return a shortest schedule whose last step is called ``label``; ``None`` if no schedule takes it.

    Every schedule is tried, whatever it breaks on its way. Raises BadInput for a label that no step has.
    """
    labels = {step.label for places in system.places.values() for place in places for step in place.row.steps}
    if label not in labels:
        raise unknown("step", label, labels)
    parents: dict[State, tuple[State, Move] | None] = {system.start: None}
    queue = [system.start]
    for state in queue:  # it grows
        for move in system.enabled(state):
            if move.step.label == label:
                return schedule.text((*_tokens(parents, state), move.token))
            work = list(state)
            move.carry_out(work)
            after = tuple(work)
            if after not in parents:
                parents[after] = (state, move)
                queue.append(after)
    return None


def _tokens(parents: dict[State, tuple[State, Move] | None], state: State) -> tuple[str, ...]:
    tokens: list[str] = []
    while (came := parents[state]) is not None:
        state = came[0]
        tokens.append(came[1].token)
    return tuple(tokens[::-1])
