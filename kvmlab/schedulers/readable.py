"""Among the shortest counterexamples, the one with the fewest switches of actor.

Switches of actor are the story; steps that commute make the same story look like noise.
"""

from collections.abc import Callable, Sequence

from kvmlab.errors import BadInput
from kvmlab.machine import schedule
from kvmlab.machine.run import taken
from kvmlab.machine.state import State
from kvmlab.machine.system import Move, System

Node = tuple[State, str]
"""A state, and the letter of the actor that moved into it."""


def fewest_switches(system: System, broken: Callable[[Sequence[int]], object], depth: int) -> str:
    """Return the schedule of ``depth`` steps to a broken state with the fewest switches of actor.

    ``depth`` must be the length of a shortest one; the search never leaves that horizon.
    """
    layer: dict[Node, tuple[int, tuple[Move, ...]]] = {(system.start, ""): (0, ())}
    seen = {system.start}
    for _ in range(depth):
        following: dict[Node, tuple[int, tuple[Move, ...]]] = {}
        for (state, last), (switches, path) in layer.items():
            if broken(state):
                continue
            for move in system.enabled(state):
                after, letter = taken(move, state).after, move.actor.letter
                cost = switches + (letter != last)
                if after not in seen and cost < following.get((after, letter), (1 << 30,))[0]:
                    following[after, letter] = (cost, (*path, move))
        seen |= {state for state, _ in following}
        layer = following
    ends = [value for (state, _), value in layer.items() if broken(state)]
    if not ends:
        raise BadInput(f"no schedule of {depth} steps breaks it")
    best = min(ends, key=lambda value: value[0])
    return schedule.text(tuple(move.token for move in best[1]))
