"""Actors on a machine, and the one definition of "which moves are possible, and what do they do".

Every scheduler (clock, replay, random, person, explorer) asks :meth:`System.enabled` and carries
out a :class:`Move`; nothing else knows how.

Actors share CPUs. An actor may name a cell that holds the frame on top of its CPU; it can move only
while its own frame is there, except for a step marked ``preempts``, whose guard says when an
interrupt may come in. Frames are numbered by the machine's owner; sleeping is a guard.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kvmlab.errors import IllegalTransition, ModelError
from kvmlab.machine.program import Place, compile_path
from kvmlab.machine.state import Cell, Layout, State
from kvmlab.machine.step import Block, Effect, Guard, Step

Top = Cell | Callable[[Sequence[int]], Cell] | None


def top_cell(top: Top, s: Sequence[int]) -> Cell | None:
    """Return the cell that holds the frame on top of an actor's CPU in ``s``."""
    return top(s) if callable(top) else top


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes steps: a letter for schedules, a name for people, a path, and the record it runs on.

    ``top`` is the cell that holds the frame on top of the actor's CPU (``None``: a CPU of its own), or a
    function of the state that finds it, for a thread that migrates;
    ``frame`` the actor's own frame number, ``begins`` the row it begins at (empty: its path's first).
    """

    letter: str
    name: str
    path: Block
    me: Any
    top: Top = None
    frame: int = 0
    begins: str = ""


class Jumps(dict[str | None, int]):
    """Where a step may lead; an undeclared jump is an error of the model."""

    def __init__(self, label: str, following: int, targets: dict[str, int]) -> None:
        super().__init__()
        self.update(targets)
        self[None] = following
        self.label = label

    def __missing__(self, name: str | None) -> int:
        raise ModelError(f"{self.label} returned {name!r}, which its `leaves` does not declare")


@dataclass(frozen=True, slots=True)
class Move:
    """One alternative of one actor at one place, ready to be carried out.

    ``choice`` counts the free alternatives; of the prioritised ones at most one is enabled, and
    when it is, nothing else is, so they all have choice 0.
    """

    actor: Actor
    choice: int
    step: Step
    at: int
    pc: Cell
    fn: Effect
    me: Any
    jumps: Jumps

    @property
    def token(self) -> str:
        """How a schedule writes this move: the actor's letter, and the choice if it is not the first."""
        return f"{self.actor.letter}{self.choice}" if self.choice else self.actor.letter

    @property
    def label(self) -> str:
        """``actor:STEP``, as counterexamples print it."""
        return f"{self.actor.letter}:{self.step.label}"

    def carry_out(self, s: list[int]) -> None:
        """Change the working list ``s`` in place."""
        s[self.pc] = self.jumps[self.fn(s, self.me)]


Ranked = tuple[tuple[Move, ...], tuple[Move, ...]]
"""The moves of one row: by priority, and the free choices."""
Option = tuple[Guard | None, Move]
Asked = tuple[tuple[Move, ...], tuple[Option, ...], tuple[Option, ...]]
"""One place: the moves that need no asking, or else what is asked by priority, then the free choices."""
Entry = tuple[Any, Cell, tuple[Asked, ...]]
"""(the actor's record, its position, its places)."""


class Cpu:
    """The actors of one CPU, and which of their moves are possible.

    An actor whose own frame is not on top is asked only for its steps that preempt.
    """

    def __init__(self, top: Top, actors: Sequence[tuple[Actor, Cell, tuple[Ranked, ...]]]) -> None:
        self.top, self.actors = top, actors
        self._entries: dict[int | None, list[Entry]] = {}

    def enabled(self, s: Sequence[int]) -> list[Move]:
        """Return every move that is possible in ``s``, in the order of the actors."""
        moves: list[Move] = []
        at = self.top(s) if callable(self.top) else self.top
        top = None if at is None else s[at]
        entries = self._entries.get(top)
        for me, pc, places in self._entries_of(top) if entries is None else entries:
            sure, first, free = places[s[pc]]
            moves += sure
            for when, move in first:
                if when is None or when(s, me):
                    moves.append(move)
                    break
            else:
                for when, move in free:
                    if when is None or when(s, me):
                        moves.append(move)
        return moves

    def _entries_of(self, top: int | None) -> list[Entry]:
        """Return who has to be asked while ``top`` is the frame on top."""
        self._entries[top] = [
            (actor.me, pc, tuple(_asked(row, away) for row in rows))
            for actor, pc, rows in self.actors
            if not (away := top is not None and actor.frame != top) or preempts(rows)
        ]
        return self._entries[top]


def preempts(rows: Sequence[Ranked]) -> bool:
    """Return whether an actor of these rows may interrupt another frame."""
    return any(move.step.preempts for row in rows for move in (*row[0], *row[1]))


def _asked(row: Ranked, away: bool) -> Asked:
    """Return what is asked at ``row`` of an actor, whose own frame is on top or ``away``."""
    first, free = (
        tuple((move.step.when, move) for move in moves if move.step.preempts or not away) for moves in row
    )
    if first or any(when for when, _ in free):
        return (), first, free
    return tuple(move for _, move in free), (), ()


class System:
    """A layout, its actors, and the first state; the actors' positions are cells like any other.

    ``rows`` are the moves of each actor at each of its positions; at the last one it is finished.
    """

    def __init__(self, layout: Layout, actors: Sequence[Actor]) -> None:
        letters = [actor.letter for actor in actors]
        if len(set(letters)) < len(letters) or not all(len(x) == 1 and x.isalpha() for x in letters):
            raise ModelError(f"actors need letters of their own, one each: {letters}")
        self.layout = layout
        self.actors = {actor.letter: actor for actor in actors}
        self.places: dict[str, tuple[Place, ...]] = {x.letter: compile_path(x.path) for x in actors}
        self.pc = {
            x.letter: layout.add(f"{x.letter}.at", self._first(x), self._place_name(x)) for x in actors
        }
        self.rows = {x.letter: self._rows(x) for x in actors}
        self.cpus = self._group()
        self.start: State = layout.start()

    def _group(self) -> list[Cpu]:
        """Return the CPUs in the order in which each was first named; who names none has its own."""
        cpus: dict[Any, list[tuple[Actor, Cell, tuple[Ranked, ...]]]] = {}
        for x in self.actors.values():
            cpu = cpus.setdefault(x.letter if x.top is None else x.top, [])
            cpu.append((x, self.pc[x.letter], self.rows[x.letter]))
        return [Cpu(actors[0][0].top, actors) for actors in cpus.values()]

    def _first(self, actor: Actor) -> int:
        rows = [place.row.label for place in self.places[actor.letter]]
        if actor.begins and actor.begins not in rows:
            raise ModelError(f"{actor.path.name} has no row {actor.begins} to begin at")
        return rows.index(actor.begins) if actor.begins else 0

    def _place_name(self, actor: Actor) -> Any:
        places = self.places[actor.letter]
        return lambda at: places[at].row.label if at < len(places) else "done"

    def _rows(self, actor: Actor) -> tuple[Ranked, ...]:
        rows = [self._ranked(actor, at, place) for at, place in enumerate(self.places[actor.letter])]
        return (*rows, ((), ()))

    def _ranked(self, actor: Actor, at: int, place: Place) -> Ranked:
        first, free = place.row.first, place.row.free
        return (
            tuple(self._move(actor, at, place, 0, step) for step in first),
            tuple(self._move(actor, at, place, i, step) for i, step in enumerate(free)),
        )

    def _move(self, actor: Actor, at: int, place: Place, choice: int, step: Step) -> Move:
        jumps = Jumps(step.label, place.following, place.targets)
        return Move(actor, choice, step, at, self.pc[actor.letter], step.fn, actor.me, jumps)

    def enabled(self, s: Sequence[int]) -> list[Move]:
        """Return every move that is possible in ``s``: by CPU, then in the order of the actors."""
        return [move for cpu in self.cpus for move in cpu.enabled(s)]

    def find(self, s: Sequence[int], token: str) -> Move:
        """Return the enabled move that ``token`` names, or raise IllegalTransition saying why not.

        A bare letter takes the only possible choice, so that "v" works in a row of priorities.
        """
        mine = [move for move in self.enabled(s) if move.actor.letter == token[0]]
        exact = [move for move in mine if move.token == token]
        if len(token) == 1 and len(mine) == 1:
            return mine[0]
        if exact:
            return exact[0]
        raise IllegalTransition(self._why_not(s, token, mine))

    def _why_not(self, s: Sequence[int], token: str, mine: list[Move]) -> str:
        if token[0] not in self.actors:
            return f"no actor {token[0]}; the actors are {', '.join(self.actors)}"
        where = self.layout.text(self.pc[token[0]], s)
        if mine:
            return f"{token} cannot move so at {where}; it may take {', '.join(m.token for m in mine)}"
        return f"{token[0]} ({self.actors[token[0]].name}) cannot move at {where}: it is finished or waits"

    def take(self, s: State, token: str) -> State:
        """Return the state after the move ``token``; raise IllegalTransition and change nothing."""
        work = list(s)
        self.find(s, token).carry_out(work)
        return tuple(work)
