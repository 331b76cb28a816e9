"""The clock: every step costs cycles, and the CPU that is free first moves next.

Rules that live here and nowhere else:

* A step takes effect at once and then occupies its CPU for its cost.
* Order is total: (time, priority, sequence). Priority is the frame (an interrupt handler goes
  before the thread below it), then the actor's place in the system's list; sequence is the choice
  number. Ties are never left to chance.
* ``now`` is a cell of the state (if the scenario has one); steps read only it and deadlines.
* When a deadline comes before the next step could start, time stops there first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kvmlab.machine.run import Run, Taken
from kvmlab.machine.state import Cell
from kvmlab.machine.system import Actor, Move, System, top_cell
from kvmlab.machine.time import TIME


@dataclass(frozen=True, slots=True)
class Profile:
    """A machine: cycles by step label, and a default for steps that the table does not name."""

    name: str
    cycles: Mapping[str, int] = field(default_factory=dict)
    default: int = 1

    def cost(self, move: Move) -> int:
        """Return the cycles that ``move`` occupies its CPU."""
        return self.cycles.get(move.step.label, self.default)


UNIT = Profile("every step costs 1 cycle")


class Costs(Protocol):
    """Anything that says for how many cycles a move occupies its CPU."""

    def cost(self, move: Move) -> int:
        """Return the cycles."""


Choose = Callable[[Sequence[Move]], Move]


def by_list(moves: Sequence[Move]) -> Move:
    """Choose the first alternative."""
    return moves[0]


class Clock:
    """A system in motion: a working state edited in place, and the time at which each CPU is free."""

    def __init__(
        self, system: System, profile: Costs = UNIT, now: Cell | None = None, choose: Choose = by_list
    ) -> None:
        self.system, self.profile, self.choose = system, profile, choose
        self.state = list(system.start)
        self.time = 0
        self._now = now
        self._free: dict[str | Cell, int] = {}
        self._time = {letter for letter, actor in system.actors.items() if actor.path is TIME}
        self._deadlines = [i for i, info in enumerate(system.layout.cells) if info.deadline]

    def step(self) -> Move | None:
        """Carry out the next step and return it; ``None`` when nothing can ever happen again."""
        move = self.ahead()
        if move is not None:
            self.do(move)
        return move

    def ahead(self) -> Move | None:
        """Let time pass up to the next step and return it, not carried out yet."""
        while True:
            moves = self._moves()
            first, start = self._first(moves)
            due = min((self.state[d] for d in self._deadlines if self.state[d] > self.time), default=None)
            if due is not None and (first is None or due <= start):
                self._at(due)
            elif first is None:
                return None
            else:
                self._at(start)
                choices = [m for m in moves if m.actor is first]
                return choices[0] if len(choices) == 1 else self.choose(choices)

    def do(self, move: Move) -> int:
        """Carry out what is ahead and return the cycles for which it occupies its CPU."""
        cycles = self.profile.cost(move)
        self._free[self.cpu(move.actor)] = self.time + cycles
        move.carry_out(self.state)
        return cycles

    def _moves(self) -> list[Move]:
        """Return what is possible; an actor that only lets time pass has no say where there is a clock."""
        moves = self.system.enabled(self.state)
        return [m for m in moves if m.actor.letter not in self._time] if self._time else moves

    def _first(self, moves: Sequence[Move]) -> tuple[Actor | None, int]:
        """Return who moves next, and when: the earliest start, then the highest frame, then the list."""
        first: Actor | None = None
        start = 0
        for move in moves:
            actor = move.actor
            at = max(self._free.get(self.cpu(actor), 0), self.time)
            if first is None or at < start or (at == start and actor.frame > first.frame):
                first, start = actor, at
        return first, start

    def cpu(self, actor: Actor) -> str | Cell:
        """Return a name for an actor's CPU: who shares a frame cell shares one, others have one each."""
        top = top_cell(actor.top, self.state)
        return actor.letter if top is None else top

    def _at(self, time: int) -> None:
        self.time = time
        if self._now is not None:
            self.state[self._now] = time

    def steps(self, limit: int) -> Iterator[Taken]:
        """Yield at most ``limit`` steps with the states around them."""
        for _ in range(limit):
            before = tuple(self.state)
            move = self.step()
            if move is None:
                return
            yield Taken(move, before, tuple(self.state), self.time)


def clocked(system: System, profile: Costs = UNIT, limit: int = 1000) -> Run:
    """Return the run that the clock makes; ``stopped`` says if the limit ended it."""
    steps = tuple(Clock(system, profile).steps(limit))
    cut = len(steps) == limit and bool(system.enabled(steps[-1].after))
    return Run(system, steps, f"after {limit} steps" if cut else "")
