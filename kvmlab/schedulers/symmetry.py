"""Actors that are alike: states that differ only by which of them is which count as one.

A scenario declares groups of actors (its ``symmetry``) between which neither a step nor a property makes
a difference. They run the same path on records with the same links; what tells them apart is their own
cells, and the ``vector`` that is their bit in every set of vectors. The key of a state holds what is
shared, without these bits, and beside it what belongs to each member of a group, sorted.

A register that holds *one* vector (RVI) holds "one of the group's" in the key. Which one it is decides
what is delivered next, and nobody asks that: this, too, is what the scenario declares.
"""

from collections.abc import Hashable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from kvmlab.errors import ModelError
from kvmlab.machine.state import Cell, show_member, show_set
from kvmlab.machine.system import Actor, System


class Symmetry:
    """States up to an exchange of actors that are alike, for ``groups`` of their letters.

    ``private`` are the places that tell members apart: their own cells, the sets, the registers. Raises
    ModelError for actors that cannot be alike.
    """

    def __init__(self, system: System, groups: Sequence[Sequence[str]]) -> None:
        members = [_alike(system, group) for group in groups]
        self._own = [[_cells(system, x) for x in group] for group in members]
        self._vectors = [[getattr(x.me, "vector", None) for x in group] for group in members]
        shows = [info.show for info in system.layout.cells] if groups else []
        self._sets = [at for at, show in enumerate(shows) if show is show_set]
        self._registers = [at for at, show in enumerate(shows) if show is show_member]
        own = [cell for group in self._own for cells in group for cell in cells]
        self.private = (*own, *self._sets, *self._registers)

    def form(self, s: Sequence[int]) -> Hashable:
        """Return what is private in ``s`` without saying whose it is: what members have is sorted."""
        sets, registers = [s[at] for at in self._sets], [s[at] for at in self._registers]
        parts = []
        for vectors, own in zip(self._vectors, self._own, strict=True):
            inside = [tuple(v is not None and bool(a >> v & 1) for a in sets) for v in vectors]
            mine = [tuple(s[cell] for cell in cells) for cells in own]
            parts.append(tuple(sorted(zip(mine, inside, strict=True))))
            ours = {v for v in vectors if v is not None}
            sets = [a & ~sum(1 << v for v in ours) for a in sets]
            registers = [min(ours) if v in ours else v for v in registers]
        return (*parts, *sets, *registers)

    def key(self, s: Sequence[int]) -> Hashable:
        """Return what ``s`` has in common with the states that differ by an exchange only."""
        return self.form(s), tuple(value for at, value in enumerate(s) if at not in self.private)


def _alike(system: System, group: Sequence[str]) -> list[Actor]:
    if strange := [letter for letter in group if letter not in system.actors]:
        raise ModelError(f"no actor {', '.join(strange)} to be like others")
    actors = [system.actors[letter] for letter in group]
    for other in actors[1:]:
        if _constants(other) != _constants(actors[0]):
            raise ModelError(f"{group[0]} and {other.letter} are not alike: path, CPU or links differ")
    return actors


def _constants(actor: Actor) -> tuple[object, ...]:
    """Return what must be the same for actors that are alike."""
    links = {f.name: getattr(actor.me, f.name) for f in _fields(actor, cells=False) if f.name != "vector"}
    return actor.path, actor.top, actor.frame, actor.begins, type(actor.me), links


def _cells(system: System, actor: Actor) -> list[Cell]:
    return [system.pc[actor.letter], *(getattr(actor.me, f.name) for f in _fields(actor, cells=True))]


def _fields(actor: Actor, *, cells: bool) -> list[Any]:
    known = fields(actor.me) if is_dataclass(actor.me) else ()
    return [f for f in known if ("cell" in f.metadata) is cells]
