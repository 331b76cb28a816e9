"""What happened, in the middle: a line per step, a column per actor."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kvmlab.machine.run import Run, Taken
from kvmlab.machine.system import Actor, System
from kvmlab.processor.records import ROOT
from kvmlab.show.decisive import Verdict
from kvmlab.show.measure import width
from kvmlab.show.places import spoken
from kvmlab.show.theme import level

MOST = 4
"""Columns; more would be too narrow to read."""
ROOM, BETWEEN = 332, 6
"""Pixels for all titles, and from one to the next."""
HOST_HANDLER = ROOT + 1
"""The frame of the host's interrupt handlers."""
OTHERS = "others"
"""Whoever comes from outside the CPU, where they share a column; each step there says who."""


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that a step changed; ``watched``: it is among the places of the state."""

    cell: str
    was: str
    now: str
    watched: bool

    def __str__(self) -> str:
        return f"{self.cell} {spoken(self.was)}→{spoken(self.now)}"


@dataclass(frozen=True, slots=True)
class Happened:
    """Step ``n`` (from 1): who took it, the theme's role of its code, and what it changed.

    ``decisive`` numbers the steps that made the verdict, from 1; 0 for the others.
    """

    n: int
    letter: str
    who: str
    role: str
    step: str
    says: str
    changes: tuple[Change, ...]
    decisive: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, the letters of its actors, and the longest text that the run puts there.

    ``names`` tells its actors apart, in as few words as can be.
    """

    title: str
    letters: str
    names: tuple[str, ...]
    longest: str = ""

    def text(self, letter: str, step: str) -> str:
        """Return what a step in this column says: a column of several says whose step it is."""
        return step if len(self.letters) == 1 else f"{self.names[self.letters.index(letter)]} {step}"


def short(actor: Actor) -> str:
    """Return an actor's name without its explanation: "L1, a hypervisor" is L1."""
    return re.split(r"[,(]", actor.name)[0].strip()


def role(actor: Actor) -> str:
    """Return the theme's role of an actor: the level of its code, or ``other`` for whoever comes in."""
    if _outside(actor) or _handler(actor):
        return "other"
    return level(actor.frame // 2)


def history(past: Run, found: Verdict | None, watched: set[str]) -> tuple[Happened, ...]:
    """Return every step of ``past``; cells in ``watched`` come first among its changes."""
    decisive = {n: i for i, n in enumerate(found.steps, 1)} if found else {}
    steps = enumerate(past.steps, 1)
    return tuple(_happened(step, n, decisive.get(n, 0), past, watched) for n, step in steps)


def _happened(taken: Taken, n: int, decisive: int, past: Run, watched: set[str]) -> Happened:
    actor, step = taken.move.actor, taken.move.step
    changes = _changes(taken, past.system, watched)
    return Happened(n, actor.letter, short(actor), role(actor), step.label, step.says, changes, decisive)


def _changes(taken: Taken, system: System, watched: set[str]) -> tuple[Change, ...]:
    """Return what a step changed; where actors stand is no news, the picture shows it."""
    layout = system.layout
    positions = {layout.cells[cell].name for cell in system.pc.values()}
    changes = [
        Change(name, was, now, name in watched)
        for name, was, now in layout.changes(taken.before, taken.after)
        if name not in positions
    ]
    return tuple(sorted(changes, key=lambda change: not change.watched))


# Columns.


def _outside(actor: Actor) -> bool:
    return actor.top is None


def _handler(actor: Actor) -> bool:
    return not _outside(actor) and actor.frame == HOST_HANDLER


def _guest(actor: Actor) -> bool:
    return not _outside(actor) and actor.frame > HOST_HANDLER


def columns(run: Run) -> tuple[Column, ...]:
    """Return at most :data:`MOST` columns for the actors of ``run``, the same at each of its steps.

    Only as far as there are too many for the room: guests share one (they share a CPU, one runs at a
    time), who never moves in the run is dropped (also where steps would run into the next column), whoever
    comes from outside the CPU shares one, and so do the rest.
    """
    actors = list(run.system.actors.values())
    moved = {step.move.actor.letter for step in run.steps}
    groups = [[actor] for actor in actors]
    if _too_wide(groups):
        groups = _merged(groups, [actor for actor in actors if _guest(actor)])
    if _too_wide(groups) or _crowded(groups, run):
        groups = [g for g in groups if g[0] is actors[0] or any(a.letter in moved for a in g)]
    if _too_wide(groups):
        groups = _merged(groups, [actor for actor in actors if _outside(actor)])
    if len(groups) > MOST:
        groups = [*groups[: MOST - 1], sum(groups[MOST - 1 :], [])]
    return tuple(_column(group, run) for group in groups)


def _too_wide(groups: Sequence[Sequence[Actor]]) -> bool:
    """Whether there are too many columns, or their titles have no room side by side."""
    return len(groups) > MOST or sum(width(_title(group)) + BETWEEN for group in groups) > ROOM


def _crowded(groups: Sequence[Sequence[Actor]], run: Run) -> bool:
    """Whether the steps of some column have no room beside the other columns."""
    wide = (max(width(_title(g)), width(_column(g, run).longest, mono=True) + 2 * BETWEEN) for g in groups)
    return sum(each + BETWEEN for each in wide) > ROOM


def _title(group: Sequence[Actor]) -> str:
    several = len(group) > 1 and _outside(group[0])
    return OTHERS if several else ", ".join(short(actor) for actor in group)


def _column(group: Sequence[Actor], run: Run) -> Column:
    bare = Column(_title(group), "".join(actor.letter for actor in group), _names(group))
    moves = (step.move for step in run.steps if step.move.actor.letter in bare.letters)
    texts = [bare.text(move.actor.letter, move.step.label) for move in moves]
    return replace(bare, longest=max(texts, key=len, default=""))


def _names(group: Sequence[Actor]) -> tuple[str, ...]:
    """Return a name for each: "sender of 0x31" is the sender, or 0x31 if there are several senders."""
    parts = [short(actor).partition(" of ") for actor in group]
    heads = [head for head, _, _ in parts]
    return tuple(tail if tail and heads.count(head) > 1 else head for head, _, tail in parts)


def _merged(groups: list[list[Actor]], together: Sequence[Actor]) -> list[list[Actor]]:
    """Return the groups with those of ``together`` as one, where the first of them was."""
    out: list[list[Actor]] = []
    one: list[Actor] = []
    for group in groups:
        if any(group[0] is actor for actor in together):
            if not one:
                out.append(one)
            one += group
        else:
            out.append(group)
    return out
