"""Among the shortest counterexamples, the one with the fewest switches of actor.

Switches of actor are the story; steps that commute make the same story look like noise.
"""

from collections.abc import Callable, Sequence

from kvmlab.errors import BadInput
from kvmlab.machine import schedule
from kvmlab.machine.packed import Packed, PackedSystem
from kvmlab.machine.system import Move, System

Node = tuple[Packed, str]
"""A state, and the letter of the actor that moved into it."""
Way = tuple["Way", Move] | None
"""How a node was reached: the way to the one before, and the move."""


def fewest_switches(system: System, broken: Callable[[Sequence[int]], object], depth: int) -> str:
    """Return the schedule of ``depth`` steps to a broken state with the fewest switches of actor.

    ``depth`` must be the length of a shortest one; the search never leaves that horizon.
    """
    packed = PackedSystem(system)
    breaks = packed.remember(lambda s: bool(broken(s)))
    layer: dict[Node, tuple[int, Way]] = {(packed.start, ""): (0, None)}
    seen = {packed.start}
    for _ in range(depth):
        following: dict[Node, tuple[int, Way]] = {}
        for (state, last), (switches, way) in layer.items():
            if breaks(state):
                continue
            for move, changes in packed.enabled(state):
                after, letter = state ^ changes(state), move.actor.letter
                cost = switches + (letter != last)
                if after not in seen and cost < following.get((after, letter), (1 << 30,))[0]:
                    following[after, letter] = (cost, (way, move))
        seen |= {state for state, _ in following}
        layer = following
    ends = [value for (state, _), value in layer.items() if breaks(state)]
    if not ends:
        raise BadInput(f"no schedule of {depth} steps breaks it")
    return schedule.text(_tokens(min(ends, key=lambda value: value[0])[1]))


def _tokens(way: Way) -> tuple[str, ...]:
    tokens: list[str] = []
    while way is not None:
        way, move = way
        tokens.append(move.token)
    return tuple(tokens[::-1])
