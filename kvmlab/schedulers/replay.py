"""A fixed schedule, carried out; on another kernel it runs up to where the two diverge."""

from kvmlab.errors import IllegalTransition
from kvmlab.machine import schedule
from kvmlab.machine.run import Run, Taken, taken
from kvmlab.machine.system import System


def replay(system: System, text: str) -> Run:
    """Return the run that ``text`` describes, as far as it is possible.

    A token that cannot move ends the run; ``Run.stopped`` then says which and why. Raises BadInput
    for text that is no schedule.
    """
    state = system.start
    steps: list[Taken] = []
    for n, token in enumerate(schedule.parse(text), 1):
        try:
            move = system.find(state, token)
        except IllegalTransition as why:
            return Run(system, tuple(steps), f"step {n}: {why}")
        steps.append(taken(move, state))
        state = steps[-1].after
    return Run(system, tuple(steps))
