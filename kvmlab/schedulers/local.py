"""Local steps go first: what nobody else can see need not be tried at every time.

A row is *local* if none of its steps writes what a property may look at, if it leads only forward, and if
it is independent of every row of everybody who can move while its actor stands there: neither writes
what the other reads or writes, guards being read. While an actor can move at a local row, it is enough
that it moves. Every end, and every set of values that the properties look at, is reached as before:
what the others would have done first they can still do, with the same effect. "Only forward" sees to it
that nobody is held up for ever.

Footprints hold for every state, so this needs no look ahead. It is also little: a step of the model is
by its very definition something that another CPU can see.
"""

from collections.abc import Iterator

from kvmlab.machine.footprint import Footprint, Footprints
from kvmlab.machine.property import Question
from kvmlab.machine.state import Cell
from kvmlab.machine.system import Actor, System, preempts

Place = tuple[Cell, int]
"""The position cell of an actor, and one of its positions."""


def local_rows(question: Question) -> frozenset[Place]:
    """Return the local rows of a scenario's system.

    Raises Unbounded if the footprints of its rows cannot be found.
    """
    system, found = question.system, Footprints(question.system)
    visible = frozenset[Cell]().union(*(found.reads(p.broken) for p in question.properties))
    return frozenset(
        (system.pc[letter], at)
        for (letter, at), mine in found.rows.items()
        if not mine.writes & visible
        and all(lead > at for lead in mine.leads)
        and all(_independent(mine, theirs) for theirs in _beside(system, found, letter, at))
    )


def _independent(a: Footprint, b: Footprint) -> bool:
    return not (a.writes & (b.reads | b.writes) or b.writes & a.reads)


def _beside(system: System, found: Footprints, letter: str, at: int) -> Iterator[Footprint]:
    """Yield the footprints of all rows of everybody who can move while an actor stands at ``at``.

    Nobody of them puts another frame on top of its CPU: its own row reads that, and would not be local.
    """
    held = [] if preempts([system.rows[letter][at]]) else _held(system, system.actors[letter])
    for (other, _), row in found.rows.items():
        if other != letter and other not in held:
            yield row


def _held(system: System, actor: Actor) -> list[str]:
    """Return who cannot move while the frame of ``actor`` is on top of its CPU."""
    if not isinstance(actor.top, int):
        return []
    return [
        letter
        for letter, other in system.actors.items()
        if other.top == actor.top and other.frame != actor.frame and not preempts(system.rows[letter])
    ]
