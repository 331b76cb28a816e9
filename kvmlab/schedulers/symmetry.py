"""Actors that are alike: states that differ only by which of them is which count as one.

A scenario declares groups of actors (its ``symmetry``) between which neither a step nor a property makes
a difference. They run the same path on records with the same links; what tells them apart is their own
cells, and the ``vector`` that is their bit in every set of vectors. The key of a state holds what is
shared, without these bits, and beside it what belongs to each member of a group, sorted.

A register that holds *one* vector (RVI) holds "one of the group's" in the key. Which one it is decides
what is delivered next, and nobody asks that: this, too, is what the scenario declares.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields, is_dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

from kvmlab.errors import ModelError
from kvmlab.machine.state import Cell, State, show_member, show_set
from kvmlab.machine.system import Actor, System

Private = tuple[int, ...]
"""What tells members apart: the own cells of each, then the sets of vectors, then the registers."""


class Symmetry:
    """The key of a state up to an exchange of actors that are alike, for ``groups`` of their letters.

    Raises ModelError for actors that cannot be alike.
    """

    def __init__(self, system: System, groups: Sequence[Sequence[str]]) -> None:
        members = [_alike(system, group) for group in groups]
        shows = [info.show for info in system.layout.cells]
        self._own = [[_cells(system, x) for x in group] for group in members]
        self._vectors = [[getattr(x.me, "vector", None) for x in group] for group in members]
        self._sets = [at for at, show in enumerate(shows) if show is show_set]
        registers = [at for at, show in enumerate(shows) if show is show_member]
        private = [cell for group in self._own for cells in group for cell in cells]
        private += [*self._sets, *registers]
        self._private = _reader(private)
        self._shared = _reader([at for at in range(len(shows)) if at not in private])
        self._numbers: dict[Private, int] = {}
        self._forms: dict[Hashable, int] = {}

    def key(self, state: State) -> Hashable:
        """Return what ``state`` has in common with the states that differ by an exchange only."""
        private = self._private(state)
        number = self._numbers.get(private)
        if number is None:
            number = self._forms.setdefault(self._form(private), len(self._forms))
            self._numbers[private] = number
        return self._shared(state), number

    def _form(self, private: Private) -> Hashable:
        """Return what is private without saying whose it is: what members have is sorted."""
        values = iter(private)
        own = [[tuple(islice(values, len(cells))) for cells in group] for group in self._own]
        sets, registers = list(islice(values, len(self._sets))), list(values)
        parts = []
        for vectors, mine in zip(self._vectors, own, strict=True):
            inside = [[v is not None and bool(s >> v & 1) for s in sets] for v in vectors]
            parts.append(sorted(zip(mine, map(tuple, inside), strict=True)))
            ours = {v for v in vectors if v is not None}
            sets = [s & ~sum(1 << v for v in ours) for s in sets]
            registers = [min(ours) if v in ours else v for v in registers]
        return (*map(tuple, parts), *sets, *registers)


def _reader(cells: Sequence[Cell]) -> Callable[[Sequence[int]], Any]:
    """Return a function that reads ``cells`` as one tuple, however few they are."""
    if len(cells) > 1:
        return itemgetter(*cells)
    return lambda s: tuple(s[cell] for cell in cells)


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
