"""Toy systems for tests of the machine: specifications, and the systems made from them.

A toy's state is a few shared cells. Each actor is a list of operations:
``("set", cell, value)``, ``("add", cell, 1)`` (saturating at 3), ``("wait", cell, value)`` (enabled
only while the cell has that value), ``("skip", cell, value)`` (leave the rest if it has),
``("take", cell, value)`` (an interrupt: a wait that preempts and sets the cell to 0). The record of an
actor may be a Member, one of several that are alike; it has three operations more: ``("post", cell, 0)``
sets its bit in a set, ``("own", 0, value)`` adds to a cell of its own, ``("mine", cell, 0)`` waits until
its bit is in a set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kvmlab.machine import system as system_module
from kvmlab.machine.property import Predicate, Property
from kvmlab.machine.state import Cell, Layout, cell, number, show_set
from kvmlab.machine.step import Guard, Step, block, loop
from kvmlab.machine.system import Actor, System
from kvmlab.machine.time import TIME, time_of

Op = tuple[str, int, int]
Spec = tuple[tuple[Op, ...], ...]


@dataclass(frozen=True)
class Toy:
    """A question for the explorer."""

    system: Any
    properties: tuple[Property, ...]
    done: Predicate
    symmetry: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of several that are alike: its bit in every set, and a cell of its own."""

    vector: int
    own: Cell = cell()


def step(op: Op, name: str) -> Step:
    """Return the step of one operation."""
    kind, place, value = op

    def fn(s: list[int], me: Any) -> str | None:
        if kind == "set":
            s[place] = value
        elif kind == "add":
            s[place] = min(s[place] + value, 3)
        elif kind == "skip" and s[place] == value:
            return "body"
        elif kind == "take":
            s[place] = 0
        elif kind == "post":
            s[place] |= 1 << me.vector
        elif kind == "own":
            s[me.own] = min(s[me.own] + value, 3)
        return None

    return Step(name, fn, _guard(op), leaves=("body",) if kind == "skip" else (), preempts=kind == "take")


def _guard(op: Op) -> Guard | None:
    kind, place, value = op
    if kind == "mine":
        return lambda s, me: s[place] >> me.vector & 1
    return (lambda s, me: s[place] == value) if kind in ("wait", "take") else None


def toy(
    spec: Spec,
    cells: int,
    broken: Predicate | None = None,
    done: Predicate | None = None,
    machine: Any = None,
    frames: Sequence[int | None] = (),
    loops: bool = False,
) -> Toy:
    """Return the system of a specification; ``machine`` may be a mutant of the system module.

    Actors with a frame share a CPU whose top is the last cell; ``loops`` lets every actor start again.
    """
    machine = machine or system_module
    layout = Layout()
    for i in range(cells):
        layout.add(f"c{i}")
    tops = [None if frame is None else cells - 1 for frame in frames] or [None] * len(spec)
    body = loop if loops else block
    actors = [
        machine.Actor(
            letter, letter, body("body", *(step(op, f"S{i}") for i, op in enumerate(ops))), None, *cpu
        )
        for letter, ops, *cpu in zip(
            "abcdef", spec, tops, [frame or 0 for frame in frames] or [0] * len(spec), strict=False
        )
    ]
    properties = (Property("BROKEN", "the toy's property", broken),) if broken else ()
    return Toy(machine.System(layout, actors), properties, done or (lambda s: True))


def members(spec: Spec, groups: Sequence[int], broken: Predicate) -> Toy:
    """Return a system of groups of members that are alike, each running its specification.

    Cells 0 and 1 are numbers, 2 and 3 sets in which the members post.
    """
    layout = Layout()
    for i in range(4):
        layout.add(f"c{i}", show=show_set if i > 1 else number)
    letters = iter("abcdef")
    names, actors = [], []
    for ops, size in zip(spec, groups, strict=True):
        path = block("body", *(step(op, f"S{i}") for i, op in enumerate(ops)))
        names.append("".join(next(letters) for _ in range(size)))
        for x in names[-1]:
            actors.append(Actor(x, x, path, layout.record(Member, x, vector=ord(x) - ord("a") + 1)))
    question = Property("BROKEN", "the toy's property", broken)
    return Toy(System(layout, actors), (question,), lambda s: True, tuple(map(tuple, names)))


def timers() -> System:
    """Two timers that fire when their deadline has come, and the time."""
    layout = Layout()
    now = layout.add("now")
    first, second = (layout.add(n, at, deadline=True) for n, at in (("first", 70), ("second", 30)))

    def fire(cell: int) -> Step:
        def fn(s: list[int], me: object) -> None:
            s[cell] = -1

        return Step("FIRE", fn, lambda s, me: 0 <= s[cell] <= s[now])

    actors = [Actor(x, x, block(x, fire(cell)), None) for x, cell in (("a", first), ("b", second))]
    return System(layout, [*actors, Actor("t", "time", TIME, time_of(layout, now))])


def independent(spec: Spec, cells: int, broken: Predicate) -> tuple[int, int, int | None]:
    """Count (states, transitions, steps to the nearest broken state) by a search of its own.

    Depth first over whole states with repeated relaxation of distances: it shares no code and no
    order with the explorer.
    """
    distance: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    edges = set()
    todo = [((0,) * cells, (0,) * len(spec), 0)]
    while todo:
        shared, at, far = todo.pop()
        if distance.get((shared, at), 1 << 30) <= far:
            continue
        distance[shared, at] = far
        if broken(shared):
            continue
        for n, after in _moves(spec, shared, at):
            edges.add((shared, at, n))
            todo.append((*after, far + 1))
    bad = [far for (shared, _), far in distance.items() if broken(shared)]
    return len(distance), len(edges), min(bad, default=None)


def interleavings(spec: Spec, cells: int, broken: Predicate) -> tuple[int, int, Fraction]:
    """Return (all, losing, the chance of a loss) by walking every interleaving there is, one by one."""

    def walk(shared: tuple[int, ...], at: tuple[int, ...], chance: Fraction) -> None:
        moves = [] if broken(shared) else list(_moves(spec, shared, at))
        for _, after in moves:
            walk(*after, chance / len(moves))
        if not moves:
            ends.append((bool(broken(shared)), chance))

    ends: list[tuple[bool, Fraction]] = []
    walk((0,) * cells, (0,) * len(spec), Fraction(1))
    lost = [chance for losing, chance in ends if losing]
    return len(ends), len(lost), sum(lost, Fraction(0))


def _moves(spec: Spec, shared: Sequence[int], at: tuple[int, ...]) -> Any:
    for n, ops in enumerate(spec):
        if at[n] == len(ops):
            continue
        kind, cell, value = ops[at[n]]
        new, where = list(shared), at[n] + 1
        if kind == "wait" and shared[cell] != value:
            continue
        if kind == "set":
            new[cell] = value
        if kind == "add":
            new[cell] = min(shared[cell] + value, 3)
        if kind == "skip" and shared[cell] == value:
            where = len(ops)
        yield n, (tuple(new), at[:n] + (where,) + at[n + 1 :])
