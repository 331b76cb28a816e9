"""States packed into integers, and functions of the state that remember what they have been asked.

Theory of operation
-------------------
A search meets the same few situations a million times: a step looks at a handful of places and changes
fewer. So each question (what is possible on this CPU? is anything broken?) and each effect is run once, on
a recording list, for every sequence of values that it looks at. From then on the answer is found by
looking at the same places in the same order. Nothing is defined a second time: what is remembered is what
the step itself did. It has to be a function of the state and of nothing else.

A place has as many bits in the packed integer as its values so far need, and its first value is all
zeros. So the first state is 0, a place that never changes takes no room, and a place that is given another
bit leaves every state that was packed before as it is.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from kvmlab.machine.state import Cell, State
from kvmlab.machine.system import Cpu, Move, System
from kvmlab.machine.watch import Recorder

Packed = int
T = TypeVar("T")
Node = list[Any]
"""The bits to look at, what their values lead to (another node, or the answer), and whose bits they are."""


class Packing:
    """The bits of each place of a system's state."""

    def __init__(self, start: State) -> None:
        self.size = 0
        self.masks = [0 for _ in start]
        self._bits: list[list[int]] = [[] for _ in start]
        self._codes = [{value: 0} for value in start]
        self._values = [{0: value} for value in start]
        self._nodes: list[list[Node]] = [[] for _ in start]

    def code(self, place: Cell, value: int) -> Packed:
        """Return the bits that say ``value`` at ``place``, which may be given a new one for it."""
        codes = self._codes[place]
        if value not in codes:
            number = len(codes)
            if number & (number - 1) == 0:
                self._widen(place)
            codes[value] = sum(bit for n, bit in enumerate(self._bits[place]) if number >> n & 1)
            self._values[place][codes[value]] = value
        return codes[value]

    def _widen(self, place: Cell) -> None:
        self._bits[place].append(1 << self.size)
        self.size += 1
        self.masks[place] = sum(self._bits[place])
        for node in self._nodes[place]:
            node[0] = self.mask(node[2])

    def mask(self, places: Iterable[Cell]) -> Packed:
        """Return the bits of ``places``."""
        return sum(self.masks[place] for place in places)

    def node(self, places: Sequence[Cell]) -> Node:
        """Return a node that looks at ``places``, at all the bits that they will have."""
        node = [self.mask(places), {}, places]
        for place in places:
            self._nodes[place].append(node)
        return node

    def split(self, node: Node, at: int) -> None:
        """Let ``node`` look at its first ``at`` places only, and nodes behind it at the others."""
        _, leads, places = node
        node[:] = self.mask(places[:at]), {}, places[:at]
        for code, answer in leads.items():
            front = code & node[0]
            if front not in node[1]:
                node[1][front] = self.node(places[at:])
            behind = node[1][front]
            behind[1][code & behind[0]] = answer

    def unpack(self, state: Packed) -> State:
        """Return a state as steps and properties know it."""
        return tuple(values[state & mask] for values, mask in zip(self._values, self.masks, strict=True))


class Remembered(Generic[T]):
    """A function of the state that is asked once for every sequence of values that it looks at.

    Its answer may be anything but a list or ``None``.
    """

    __slots__ = ("_fn", "_packing", "_root")

    def __init__(self, packing: Packing, fn: Callable[[Recorder], T]) -> None:
        self._packing, self._fn = packing, fn
        self._root: dict[Packed, Any] = {0: None}

    def __call__(self, state: Packed) -> T:
        """Return the answer for ``state``."""
        node = self._root[0]
        while type(node) is list:
            node = node[1].get(state & node[0])
        return self._learn(state) if node is None else node

    def _learn(self, state: Packed) -> T:
        recorder = Recorder(self._packing.unpack(state))
        answer = self._fn(recorder)
        leads, code, places = self._root, 0, tuple(recorder.looked)
        while places:
            node = leads.get(code)
            if node is None:
                node = leads[code] = self._packing.node(places)
            same = _in_common(node[2], places)
            if same < len(node[2]):
                self._packing.split(node, same)
            leads, code, places = node[1], state & node[0], places[same:]
        leads[code] = answer
        return answer


def _in_common(a: Sequence[Cell], b: Sequence[Cell]) -> int:
    """Return in how many places two sequences begin alike."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


PackedMove = tuple[Move, Remembered[Packed]]
"""A move, and the bits of the state that it changes."""


class PackedSystem:
    """A system whose states are integers; a move changes bits."""

    start: Packed = 0

    def __init__(self, system: System) -> None:
        self.packing = Packing(system.start)
        self._moves: dict[int, PackedMove] = {}
        self._cpus = [self.remember(self._possible(cpu)) for cpu in system.cpus]

    def remember(self, fn: Callable[[Recorder], T]) -> Remembered[T]:
        """Return a function of the state as one of the packed state."""
        return Remembered(self.packing, fn)

    def enabled(self, state: Packed) -> list[PackedMove]:
        """Return every move that is possible in ``state``, as :meth:`System.enabled` has them."""
        return [move for cpu in self._cpus for move in cpu(state)]

    def _possible(self, cpu: Cpu) -> Callable[[Recorder], tuple[PackedMove, ...]]:
        return lambda s: tuple(self._packed(move) for move in cpu.enabled(s))

    def _packed(self, move: Move) -> PackedMove:
        if id(move) not in self._moves:
            self._moves[id(move)] = move, self.remember(lambda s: self._changes(move, s))
        return self._moves[id(move)]

    def _changes(self, move: Move, s: Recorder) -> Packed:
        """Carry out ``move`` and return the bits that it changes: what a written place was counts, too."""
        before = list.copy(s)
        move.carry_out(s)
        changed = 0
        for place in s.writes:
            if place != move.pc:  # where the actor stands is known: the move starts there
                s.looked[place] = None
            after = list.__getitem__(s, place)
            changed |= self.packing.code(place, before[place]) ^ self.packing.code(place, after)
        return changed
