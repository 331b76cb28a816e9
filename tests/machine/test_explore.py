"""The explorer: known answers, a second search that shares no code, and mutants that must die."""

import importlib.util
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import Spec, independent, toy

from kvmlab.errors import ModelError
from kvmlab.kernels.names import kernel
from kvmlab.machine import packed as real_packed
from kvmlab.machine import system as real_system
from kvmlab.machine.property import broken as first_broken
from kvmlab.machine.run import taken
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.kick import kick
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers import explore as real_explore

NOP = ("add", 1, 0)
LOST_UPDATE: Spec = tuple(
    (("skip", 0, 1), ("set", 0, 1), ("add", 1, 1), ("add", 1, -1), ("set", 0, 0)) for _ in range(2)
)
"""Two threads that test a lock and then take it, in two steps; both inside makes cell 1 read 2."""


def both_inside(s: Any) -> bool:
    return bool(s[1] == 2)


def known_answers(explore: Callable[..., Any], machine: Any) -> None:
    """Graphs small enough to be counted by hand."""
    for n in range(1, 5):
        found = explore(toy(((NOP,) * n, (NOP,) * n), 2, machine=machine))
        assert (found.states, found.transitions) == ((n + 1) ** 2, 2 * n * (n + 1))  # an n by n grid
    cube = explore(toy(((NOP,),) * 3, 2, machine=machine))
    assert (cube.states, cube.transitions) == (8, 12)  # a cube's corners and edges
    counter = explore(toy(((("add", 0, 1),), (("add", 0, 1),)), 1, machine=machine))
    assert (counter.states, counter.transitions) == (4, 4)
    race = explore(toy(LOST_UPDATE, 2, both_inside, machine=machine))
    # a: test, b: test, both take, both enter: 6 steps and the check; none is shorter
    assert (race.verdict, len(race.shortest.labels)) == ("violated", 7)
    assert all(len(v.labels) >= 7 for v in race.violations)
    assert (race.states, race.transitions) == independent(LOST_UPDATE, 2, both_inside)[:2]
    ordered = explore(toy(((("set", 0, 1),), (("wait", 0, 1), ("set", 1, 1))), 2, machine=machine))
    assert (ordered.states, ordered.transitions) == (4, 3)  # the guard leaves one path
    either = explore(toy(((("set", 0, 1),), (("set", 0, 2),)), 1, lambda s: s[0] == 2, machine=machine))
    assert (len(either.violations), either.states) == (2, 4)  # b first; a, then b
    detour = explore(toy(((("set", 0, 1),), (NOP,) * 3), 2, lambda s: s[0] == 1, machine=machine))
    assert [len(v.labels) for v in detour.violations] == [2, 3, 4, 5]  # nearest first
    with pytest.raises(ModelError, match="deadlock"):
        explore(toy(((("wait", 0, 1),),), 1, done=lambda s: False, machine=machine))


def test_graphs_counted_by_hand() -> None:
    """States, transitions, shortest lengths and deadlocks are those counted by hand."""
    known_answers(real_explore.explore, real_system)


OPS = st.tuples(st.sampled_from(["set", "add", "wait", "skip"]), st.integers(0, 1), st.integers(0, 2))
SPECS = st.lists(st.lists(OPS, max_size=4).map(tuple), min_size=1, max_size=3).map(tuple)


@given(SPECS)
def test_a_second_search_agrees(spec: Spec) -> None:
    """On random systems a search that shares no code counts the same and finds the same distance."""
    found = real_explore.explore(toy(spec, 2, both_inside))
    length = len(found.shortest.labels) - 1 if found.shortest else None
    assert (found.states, found.transitions, length) == independent(spec, 2, both_inside)


def mutant(module: ModuleType, *changes: tuple[str, str]) -> ModuleType:
    """Return ``module`` with its source changed; every change must find its place exactly once."""
    source = Path(str(module.__file__)).read_text("utf-8")
    for old, new in changes:
        assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times"
        source = source.replace(old, new)
    spec = importlib.util.spec_from_loader("mutant", loader=None)
    assert spec is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["mutant"] = made  # dataclasses look their module up
    exec(compile(source, "mutant", "exec"), made.__dict__)
    return made


EXPLORER_MUTANTS = {
    "farthest first": (
        (
            "violations += [_violation(prop, trail, number) for number, prop in bad.items()]",
            "violations = [_violation(prop, trail, n) for n, prop in bad.items()] + violations",
        ),
    ),
    "remembers the last way to a state": (("if len(seen) > size:", "if len(seen) > size or 1:"),),
    "a field left out of the hash": (("else after)", "else after & ~1)"),),
    "stops at the first violation": (("                continue\n", "                break\n"),),
    "explores behind a violation": (("                continue\n", "                pass\n"),),
    "deadlocks are fine": (
        ("if not moves and not question.done(packed.packing.unpack(state)):", "if False:"),
    ),
    "counts states for transitions": (("transitions += len(moves)", "transitions += 1"),),
    "the check is no step": (('f"check:{prop.label}"', "*()"),),
}


@pytest.mark.parametrize("name", EXPLORER_MUTANTS)
def test_a_broken_explorer_is_found_out(name: str) -> None:
    """No mutant of the explorer passes the known answers."""
    broken = mutant(real_explore, *EXPLORER_MUTANTS[name])
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        known_answers(broken.explore, real_system)


def remembers(machine: Any) -> None:
    """A function that looks where it is sent is asked once for every way that it is sent."""
    packing, asked = machine.Packing((0,) * 4), []

    def walk(s: Any) -> tuple[int, ...]:
        places = [0]
        for _ in range(2 + s[0]):
            places.append((places[-1] + s[places[-1]] + 1) % 4)
        return *places, s[places[-1]]

    def ask(s: Any) -> tuple[int, ...]:
        answer = walk(s)
        asked.append(tuple((place, s[place]) for place in [*s.looked]))
        return answer

    remembered = machine.Remembered(packing, ask)
    for state in sorted(product(range(5), repeat=4), key=lambda s: (sum(s), s)):
        packed = sum(packing.code(place, value) for place, value in enumerate(state))
        assert packing.unpack(packed) == state
        assert remembered(packed) == walk(state)
    assert len(asked) == len(set(asked))


def test_what_is_known_is_not_asked_again() -> None:
    """The answer is remembered by what was looked at, in the order in which it was."""
    remembers(real_packed)


PACKING_MUTANTS = {
    "a place has one bit": (("if number & (number - 1) == 0:", "if number == 1:"),),
    "a question looks at the bits of old": (("node[0] = self.mask(node[2])", "pass"),),
    "a node that is split loses its second half": (
        ("behind[1][code & behind[0]] = answer", "node[1][code & node[0]] = answer"),
    ),
    "what a written place was does not count": (("if place != move.pc:", "if False:"),),
    "only the first look counts": (("tuple(recorder.looked)", "tuple(recorder.looked)[:1]"),),
    "all places but the last count": (("tuple(recorder.looked)", "tuple(recorder.looked)[:-1]"),),
}


@pytest.mark.parametrize("name", PACKING_MUTANTS)
def test_a_broken_packing_is_found_out(name: str) -> None:
    """No search over wrongly packed states, or wrongly remembered steps, passes the known answers."""
    broken = mutant(real_explore)
    packed = mutant(real_packed, *PACKING_MUTANTS[name])
    broken.PackedSystem = packed.PackedSystem
    with pytest.raises((AssertionError, KeyError, TypeError)):
        known_answers(broken.explore, real_system)
        remembers(packed)


def test_ignored_guards_are_found_out() -> None:
    """A machine that ignores guards does not pass the known answers."""
    line = "                for when, move in free:\n                    if "
    blind = mutant(real_system, (f"{line}when is None or when(s, me):", f"{line}True:"))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        known_answers(real_explore.explore, blind)


@given(SPECS)
def test_packed_states_are_the_states(spec: Spec) -> None:
    """A packed state unpacks to the state, its moves are the system's, and they lead to the same states."""
    system = toy(spec, 2).system
    packed = real_packed.PackedSystem(system)
    todo = {packed.start: system.start}
    for _ in range(40):
        for state, plain in list(todo.items()):
            assert packed.packing.unpack(state) == plain
            assert [move for move, _ in packed.enabled(state)] == system.enabled(plain)
            todo |= {state ^ bits(state): system.take(plain, m.token) for m, bits in packed.enabled(state)}
    assert len(set(todo.values())) == len(todo)


@pytest.mark.parametrize(
    "question",
    [
        immediate_exit(kernel("v3.2"), cancel=True),
        kick(kernel("v3.10")),
        posted_interrupts(kernel("v4.10"), exits=1),
        posted_interrupts(kernel("b95234c"), senders=2, memory="tso"),
    ],
    ids=["immediate exit", "kick", "v4.10", "tso"],
)
def test_what_is_remembered_is_what_the_steps_do(question: Any) -> None:
    """On the kernels a plain walk, which asks and takes every step anew, finds as much as the explorer."""
    start = question.system.start
    todo, seen, transitions, broken = [start], {start}, 0, 0
    for state in todo:
        if first_broken(question.properties, state):
            broken += 1
            continue
        moves = question.system.enabled(state)
        transitions += len(moves)
        behind = {taken(move, state).after for move in moves} - seen
        seen |= behind
        todo += behind
    found = real_explore.explore(question)
    assert (found.states, found.transitions, len(found.violations)) == (len(seen), transitions, broken)


def test_a_bounded_search_says_its_bound() -> None:
    """A limit makes the search incomplete, and the result says so."""
    grid = toy(((NOP,) * 9, (NOP,) * 9), 2)
    found = real_explore.explore(grid, limit=20)
    assert (found.complete, found.bound) == (False, 20)
    assert "first 20 states" in repr(found)
    assert real_explore.explore(grid, limit=100).complete
