"""All states of a question and all moves between them, kept: what cannot be decided state by state.

The states are those that the explorer sees, found by the same moves in the same order; that is why the
way to each one is a shortest one.
"""

from dataclasses import dataclass, replace

from kvmlab.errors import BadInput, ModelError
from kvmlab.machine.packed import Packed, PackedSystem
from kvmlab.machine.property import Predicate, Question
from kvmlab.machine.system import Move
from kvmlab.schedulers.explore import Trail

Edge = tuple[Move, int]
"""A move, and the number of the state that it leads to."""


@dataclass(frozen=True, slots=True)
class Graph:
    """``edges[n]`` leave state ``n``, for the states that were expanded; 0 is the first one.

    ``ended`` are the states that were given no moves; ``bound`` is the limit, if it was hit.
    """

    packed: PackedSystem
    states: list[Packed]
    edges: list[list[Edge]]
    trail: Trail
    ended: set[int]
    bound: int | None

    @property
    def transitions(self) -> int:
        """The number of edges."""
        return sum(map(len, self.edges))


def _no(state: object) -> bool:
    return False


def graph(question: Question, limit: int | None = None, ends: Predicate = _no) -> Graph:
    """Return every state of ``question`` with its moves; a schedule stops in a state that ``ends`` it.

    ``limit`` bounds the number of states: nothing is expanded any more once it is passed. Raises BadInput
    for a limit below 1, ModelError for a state in which nobody can move and that is no declared end.
    """
    if limit is not None and limit < 1:
        raise BadInput(f"a limit of {limit} states: 1 or more")
    packed = PackedSystem(question.system)
    found = Graph(packed, [packed.start], [], Trail(), set(), limit)
    numbers, ending = {packed.start: 0}, packed.remember(lambda s: bool(ends(s)))
    for number, state in enumerate(found.states):  # it grows
        if limit is not None and len(found.states) > limit:
            return found
        found.edges.append([])
        if ending(state):
            found.ended.add(number)
            continue
        moves = packed.enabled(state)
        if not moves and not question.done(packed.packing.unpack(state)):
            raise ModelError(f"deadlock: nobody can move after {found.trail.schedule(number)!r}")
        for move, changes in moves:
            after = state ^ changes(state)
            if after not in numbers:
                numbers[after] = len(numbers)
                found.states.append(after)
                found.trail.add(number, move)
            found.edges[-1].append((move, numbers[after]))
    return replace(found, bound=None)
