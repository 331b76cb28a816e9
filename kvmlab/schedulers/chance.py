"""A scheduler that draws: every enabled move has the same chance."""

from collections.abc import Iterator
from random import Random

from kvmlab.errors import BadInput
from kvmlab.machine.run import Run, Taken, taken
from kvmlab.machine.system import System


def draw(system: System, seed: int, limit: int = 1000) -> Run:
    """Return a run of at most ``limit`` steps; the same seed gives the same run on every platform.

    ``stopped`` says if the limit ended it. Raises BadInput for a negative seed.

    Only ``Random.random()`` is used: its sequence is the one part of the module that never changes.
    """
    if seed < 0:
        raise BadInput(f"seed {seed}: 0 or more")
    rng, state = Random(seed), system.start
    steps: list[Taken] = []
    while len(steps) < limit and (moves := system.enabled(state)):
        move = moves[int(rng.random() * len(moves))]
        steps.append(taken(move, state))
        state = steps[-1].after
    return Run(system, tuple(steps), f"after {limit} steps" if system.enabled(state) else "")


def normal(seed: int) -> Iterator[float]:
    """Yield numbers of mean 0 and deviation 1, the same on every platform: twelve draws make one."""
    rng = Random(seed)
    while True:
        yield sum(rng.random() for _ in range(12)) - 6
