"""What the rows of a system may ever read and write, whoever goes when.

:func:`kvmlab.machine.watch.footprint` says what one move does in one state. Here each row is run on every
combination of the values that it looks at, so that the answer holds in every state. The values that a
place may ever have, its range, are found on the way: ranges grow from the first state until no row adds
a value. Combinations that never meet are run too: the answer may say too much, never too little.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kvmlab.errors import KvmlabError
from kvmlab.machine.property import Predicate
from kvmlab.machine.state import Cell
from kvmlab.machine.system import Move, System
from kvmlab.machine.watch import Recorder

VALUES, RUNS = 128, 4096
"""How many values a place may have, and how many combinations of them a step may tell apart."""


class Unbounded(KvmlabError):
    """The values that some place may have, or that some step may look at, are too many to be listed."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the steps of one row may read and write, their guards included, and where they may lead."""

    reads: frozenset[Cell]
    writes: frozenset[Cell]
    leads: frozenset[int]


class Guess(Recorder):
    """A state of which only ``known`` places are known: any other is given a value when it is looked at.

    ``script`` says which value of its range each place is given, in the order of looking; it is
    continued with first values where it ends. ``chances`` are the sizes of these ranges.
    """

    def __init__(self, ranges: Sequence[Sequence[int]], known: Mapping[Cell, int], script: list[int]) -> None:
        super().__init__([0] * len(ranges))
        self.ranges, self.known, self.script = ranges, set(known), script
        self.chances: list[int] = []
        for place, value in known.items():
            list.__setitem__(self, place, value)

    def __getitem__(self, at: Any) -> Any:
        if at not in self.known:
            if len(self.script) == len(self.chances):
                self.script.append(0)
            list.__setitem__(self, at, self.ranges[at][self.script[len(self.chances)]])
            self.chances.append(len(self.ranges[at]))
            self.known.add(at)
        return super().__getitem__(at)

    def __setitem__(self, at: Any, value: Any) -> None:
        self.known.add(at)
        super().__setitem__(at, value)


class Footprints:
    """The footprint of every row that can be reached, by actor and position, and the range of every place.

    Raises Unbounded if they cannot be found: a counter without a bound, a step that looks at everything.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.ranges = [[value] for value in system.start]
        self.rows: dict[tuple[str, int], Footprint] = {}
        self._last: dict[tuple[str, int], list[int]] = {}
        sizes: list[int] = []
        while sizes < (sizes := self._sizes()):
            for letter, rows in system.rows.items():
                for at in self.ranges[system.pc[letter]]:  # it grows: the row may lead on
                    self._run((letter, at), [*rows[at][0], *rows[at][1]])

    def reads(self, predicate: Predicate) -> frozenset[Cell]:
        """Return the places that ``predicate`` may look at."""
        return frozenset[Cell]().union(*(run.reads for run in self._runs(predicate, {})))

    def _sizes(self) -> list[int]:
        return [len(values) for values in self.ranges]

    def _run(self, row: tuple[str, int], moves: Sequence[Move]) -> None:
        """Run a row, unless all that it looks at may have the same values as when it was last run."""
        now, last = self._sizes(), self._last.get(row)
        if moves and (last is None or any(now[place] > last[place] for place in self.rows[row].reads)):
            self.rows[row], self._last[row] = self._row(moves, row[1]), now

    def _row(self, moves: Sequence[Move], at: int) -> Footprint:
        reads: set[Cell] = set()
        writes: set[Cell] = set()
        leads: set[int] = set()
        for move in moves:
            for run in self._runs(lambda s, move=move: _attempt(move, s), {move.pc: at}):  # type: ignore[misc]
                reads |= run.reads
                writes |= run.writes
                for place in run.writes:
                    self._widen(place, list.__getitem__(run, place))
                if move.pc in run.writes:
                    leads.add(list.__getitem__(run, move.pc))
        return Footprint(frozenset(reads), frozenset(writes), frozenset(leads))

    def _widen(self, place: Cell, value: int) -> None:
        if value not in self.ranges[place]:
            self.ranges[place].append(value)
            if len(self.ranges[place]) > VALUES:
                raise Unbounded(f"{self.system.layout.cells[place].name} may have any value")

    def _runs(self, look: Callable[[Any], object], known: Mapping[Cell, int]) -> Iterator[Guess]:
        """Yield a run of ``look`` for every combination of values that it tells apart."""
        script: list[int] = []
        for _ in range(RUNS):
            run = Guess(self.ranges, known, script)
            try:
                look(run)
            except KvmlabError:
                pass  # the model refuses values that never meet; up to there it has looked
            except Exception as why:
                raise Unbounded("a step has no answer to values that never meet") from why
            yield run
            del script[len(run.chances) :]
            while script and script[-1] + 1 == run.chances[len(script) - 1]:
                script.pop()
            if not script:
                return
            script[-1] += 1
        raise Unbounded("a step looks at too much")


def _attempt(move: Move, s: Guess) -> None:
    """Ask for ``move`` and carry it out, its actor's frame being on top.

    Moves of higher priority are not asked: that one of them is enabled only takes this one away.
    """
    top = move.actor.top
    s.looked |= dict.fromkeys((move.pc, top(s) if callable(top) else move.pc if top is None else top))
    if move.step.when is None or move.step.when(s, move.me):
        move.carry_out(s)
