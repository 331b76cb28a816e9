"""Random busy systems for the clock: loops on two cells, two deadlines, and two CPUs with a frame on top.

An operation is (kind, which of the two, a value). The two cells may hold anything: small numbers, counters
that never come back, points in time.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from kvmlab.machine.state import Layout
from kvmlab.machine.step import STAY, Step, free, loop
from kvmlab.machine.system import Actor, System

NOW, CELLS, ALARMS, TOPS = 0, (1, 2), (3, 4), (5, 6)

Operate = Callable[[list[int], int, int], Any]


def _put(compute: Callable[[list[int], int, int], int]) -> Operate:
    """Return the operation that puts into a cell what is computed from the other one and a value."""

    def operate(s: list[int], n: int, value: int) -> None:
        s[CELLS[n]] = compute(s, CELLS[1 - n], value)

    return operate


def _count(s: list[int], n: int, value: int) -> None:
    s[CELLS[n]] = (s[CELLS[n]] + 1) % 7


def _grow(s: list[int], n: int, value: int) -> None:
    s[CELLS[n]] += value


def _arm(s: list[int], n: int, value: int) -> None:
    s[ALARMS[n]] = s[NOW] + 5 * value


def _snooze(s: list[int], n: int, value: int) -> None:
    s[ALARMS[n]] = s[NOW] + s[CELLS[n]] % 9


def _ring(s: list[int], n: int, value: int) -> None:
    s[ALARMS[n]] = -1


def _top(s: list[int], n: int, value: int) -> None:
    s[TOPS[n]] = value % 2


def _again(s: list[int], n: int, value: int) -> str | None:
    s[CELLS[n]] += 1
    return STAY if s[CELLS[n]] % 4 > value else None


EFFECTS: dict[str, Operate] = {
    "set": _put(lambda s, other, value: value),
    "copy": _put(lambda s, other, value: s[other]),
    "stamp": _put(lambda s, other, value: s[NOW] + value),
    "late": _put(lambda s, other, value: max(s[NOW] - s[other], 0) >> value),
    "branch": _put(lambda s, other, value: 5 if s[other] % 4 > value else s[other]),
    "find": _put(lambda s, other, value: (5, 0, 6)[s[other] % 3]),
    "count": _count,
    "grow": _grow,
    "arm": _arm,
    "snooze": _snooze,
    "ring": _ring,
    "top": _top,
    "again": _again,
    "preempt": _count,
    "wait": lambda s, n, value: None,
}
GUARDS: dict[str, Callable[[Any, int, int], bool]] = {
    "wait": lambda s, n, value: s[CELLS[n]] >= value,
    "preempt": lambda s, n, value: s[CELLS[n]] == value,
    "ring": lambda s, n, value: 0 <= s[ALARMS[n]] <= s[NOW],
}
OPS = st.tuples(st.sampled_from([*EFFECTS, "choose"]), st.integers(0, 1), st.integers(0, 3))
ACTORS = st.tuples(st.sampled_from([None, 0, 1]), st.integers(0, 1), st.lists(OPS, min_size=1, max_size=6))
Actors = list[tuple[int | None, int, list[tuple[str, int, int]]]]


def step(label: str, kind: str, n: int, value: int) -> Step:
    """Return the step of one operation."""
    guard = GUARDS.get(kind)
    return Step(
        label,
        lambda s, me: EFFECTS[kind](s, n, value),
        guard and (lambda s, me: guard(s, n, value)),
        preempts=kind == "preempt",
    )


def row(label: str, kind: str, n: int, value: int) -> Any:
    """Return an operation as a row; "choose" is a free choice of two."""
    if kind != "choose":
        return step(label, kind, n, value)
    return free(label, step(f"{label}+", "wait", n, value), step(f"{label}-", "count", n, value))


def busy_system(actors: Actors) -> System:
    """Return the system: of each actor its CPU (None: one of its own), its frame, its operations."""
    layout = Layout()
    for name in ("now", "x", "y"):
        layout.add(name)
    for n in (0, 1):
        layout.add(f"alarm {n}", -1, deadline=True)
    for n in (0, 1):
        layout.add(f"top {n}")
    made = []
    for letter, (cpu, frame, ops) in zip("abc", actors, strict=False):
        path = loop(letter, *(row(f"{letter}{i}{k[0]}", k, n, v) for i, (k, n, v) in enumerate(ops)))
        made.append(Actor(letter, letter, path, None, None if cpu is None else TOPS[cpu], frame))
    return System(layout, made)
