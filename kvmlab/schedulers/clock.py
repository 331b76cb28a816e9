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
from typing import Any, Protocol

from kvmlab.machine.memory import NEVER, Memory, look_at
from kvmlab.machine.run import Run, Taken
from kvmlab.machine.state import Cell
from kvmlab.machine.step import Effect
from kvmlab.machine.system import Actor, Move, System, top_cell
from kvmlab.machine.time import TIME
from kvmlab.machine.watch import Recorder
from kvmlab.schedulers.stride import Strider


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
        """Return the cycles, the same whenever it is asked."""


Choose = Callable[[Sequence[Move]], Move]
Cpu = str | Cell
Ready = tuple[Any, Cpu, int, Cell, Effect, Any, Mapping[str | None, int], int, int, Any]
"""A move with its CPU and cycles, and what carries it out, taken apart.

Of a stride it is the last one, and what carries out all of it. Behind it: how many steps, how much later than
the first it begins, and the first. NOBODY stands for no move, None for several, which are in ``me``'s place.
"""

NOBODY = ""
NOTHING: Ready = (NOBODY, NOBODY, 0, 0, lambda s, me: None, None, {}, 0, 0, None)


def by_list(moves: Sequence[Move]) -> Move:
    """Choose the first alternative."""
    return moves[0]


class Clock:
    """A system in motion: a working state edited in place, and the time at which its last step began.

    ``now`` is the cell that shows the time to the steps; time begins at its value. With ``seen``, only steps
    with these labels are yielded; what lies between is made in strides where that makes no difference, and
    ``taken`` counts it.
    """

    def __init__(
        self,
        system: System,
        profile: Costs = UNIT,
        now: Cell | None = None,
        choose: Choose = by_list,
        seen: frozenset[str] | None = None,
    ) -> None:
        self.system, self.profile, self.choose = system, profile, choose
        self.state = list(system.start)
        self.time, self.taken = 0 if now is None else self.state[now], 0
        self._now = now
        self._free: dict[Cpu, int] = {NOBODY: NEVER}
        self._memory = Memory(system, self._ready if seen is None else self._stride, self._ready, now)
        apart, restless = self._memory.apart, self._memory.restless
        self._strider = Strider(self._possible, self.plan, now, apart, restless, seen or frozenset())
        self._running = self._run(seen)

    def step(self) -> Move | None:
        """Carry out the next step and return it; ``None`` when nothing can ever happen again."""
        return next(self._running, None)

    def __iter__(self) -> Iterator[Move]:
        """Go on, yielding every move behind its effect, or those that are to be seen."""
        return self._running

    def _run(self, seen: frozenset[str] | None) -> Iterator[Move]:
        """Yield what is to be seen. This loop is the one that has to be fast."""
        s, free, now, time, memory = self.state, self._free, self._now, self.time, self._memory
        alarms, room = look_at(memory.deadlines), dict[int, Any]()
        armed, due, place, taken = None, NEVER, 0, 0
        while True:
            if alarms(s) != armed:
                armed = alarms(s)
                due, room = memory.room(armed, time)
            try:
                key, answers, _ = room[place]
                ready = answers[key(s)]
            except KeyError:
                ready = memory.learn(s, room, place)
            move, cpu, cycles, pc, fn, me, jumps, steps, last, first = ready
            if move is None:
                move, cpu, cycles, pc, fn, me, jumps, steps, last, first = self._first(me)
            start = free[cpu]
            if start < time:
                start = time
            if last and start + last >= due:  # a deadline falls into the stride: go step by step
                move, cpu, cycles, pc, fn, me, jumps, steps, last, first = self._apart(first)
            if start >= due:
                if due == NEVER:
                    return
                start, armed = due, None
            if start > time:
                self.time = time = start
                if now is not None:
                    s[now] = time
            if armed is None:
                continue
            at = jumps[fn(s, me)]
            if at < 0:  # the stride cannot be made
                move, cpu, cycles, pc, fn, me, jumps, steps, last, first = self._apart(first)
                at = jumps[fn(s, me)]
            s[pc] = at
            if last:
                self.time = time = start + last
            if cycles:
                free[cpu] = time + cycles
            place = pc << 20 | at
            taken += steps
            if seen is None or move.step.label in seen:
                self.taken = taken
                yield move

    def _possible(self, s: Sequence[int]) -> list[Move]:
        """Return what is possible; who only lets time pass has no say where there is a clock."""
        return [move for move in self.system.enabled(s) if move.actor.path is not TIME]

    def _ready(self, s: Sequence[int]) -> Ready:
        """Return what is possible, taken apart."""
        ready = [self._apart(move) for move in self._possible(s)]
        if len(ready) > 1:
            return (None, *NOTHING[1:5], ready, *NOTHING[6:])
        return ready[0] if ready else NOTHING

    def _apart(self, move: Move) -> Ready:
        cpu, cycles = self.plan(move)
        self._free.setdefault(cpu, 0)
        return move, cpu, cycles, move.pc, move.fn, move.me, move.jumps, 1, 0, move

    def _stride(self, r: Recorder) -> Ready:
        """Return what is possible; if that is one move, the stride that begins with it."""
        ready = self._ready(r)
        if not ready[0]:
            return ready
        found = self._strider.go(r, ready[0], max(self._free[ready[1]], self.time))
        end, cpu, cycles = found.end, ready[1], self.profile.cost(found.end)
        return end, cpu, cycles, end.pc, found.fn, end.me, found.leads, found.steps, found.last, ready[0]

    def _first(self, ready: Sequence[Ready]) -> Ready:
        """Return what is next: the earliest start, then the highest frame, then the list."""
        best, start = NOTHING, NEVER
        for one in ready:
            at = max(self._free[one[1]], self.time)
            if at < start or (at == start and one[0].actor.frame > best[0].actor.frame):
                best, start = one, at
        choices = [one for one in ready if one[0].actor is best[0].actor]
        if len(choices) < 2:
            return best
        chosen = self.choose([one[0] for one in choices])
        return next(one for one in choices if one[0] is chosen)

    def plan(self, move: Move, s: Sequence[int] | None = None) -> tuple[Cpu, int]:
        """Return the CPU of a move in ``s``, or as things are, and the cycles for which it occupies it."""
        return self._cpu(move.actor, self.state if s is None else s), self.profile.cost(move)

    def _cpu(self, actor: Actor, s: Sequence[int]) -> Cpu:
        """Actors that share a frame cell share a CPU; any other has one of its own."""
        top = top_cell(actor.top, s)
        return actor.letter if top is None else top

    def steps(self, limit: int) -> Iterator[Taken]:
        """Yield at most ``limit`` steps with the states around them."""
        for _ in range(limit):
            before = tuple(self.state)
            move = self.step()
            if move is None:
                return
            yield Taken(move, before, tuple(self.state), self.time)

    def recorded(self, limit: int, event: int) -> Iterator[Taken]:
        """Yield the steps as somebody makes them who records: each event takes ``event`` cycles more."""
        for step in self.steps(limit):
            cpu = self._cpu(step.move.actor, self.state)
            self._free[cpu] = max(self._free[cpu], self.time) + event * len(step.events)
            yield step


def clocked(system: System, profile: Costs = UNIT, limit: int = 1000, event: int = 0) -> Run:
    """Return the run that the clock makes; ``stopped`` says if the limit ended it.

    Where the system has time as an actor, its cell shows the clock's time. To record an event takes ``event``
    cycles.
    """
    now = next((actor.me.now for actor in system.actors.values() if actor.path is TIME), None)
    clock = Clock(system, profile, now)
    steps = tuple(clock.recorded(limit, event) if event else clock.steps(limit))
    cut = len(steps) == limit and bool(system.enabled(steps[-1].after))
    return Run(system, steps, f"after {limit} steps" if cut else "")
