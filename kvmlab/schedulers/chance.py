"""A scheduler that draws: every enabled move has the same chance."""

from random import Random

from kvmlab.machine.run import Run, Taken, taken
from kvmlab.machine.system import System


def draw(system: System, seed: int, limit: int = 1000) -> Run:
    """Return a run of at most ``limit`` steps; the same seed gives the same run on every platform.

    Only ``Random.random()`` is used: its sequence is the one part of the module that never changes.
    """
    rng, state = Random(seed), system.start
    steps: list[Taken] = []
    while len(steps) < limit and (moves := system.enabled(state)):
        move = moves[int(rng.random() * len(moves))]
        steps.append(taken(move, state))
        state = steps[-1].after
    return Run(system, tuple(steps))
