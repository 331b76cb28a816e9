"""Who has been asked once is not asked again, and nobody can tell."""

from collections import deque
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_clock import plain_steps
from toys import timers

from kvmlab.machine import memory
from kvmlab.machine.memory import Memory, look_at
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, free, loop
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.clock import UNIT, Clock, Profile

OPS = st.tuples(
    st.sampled_from(["set", "count", "wait", "arm", "ring", "top", "preempt", "choose"]),
    st.integers(0, 1),
    st.integers(0, 3),
)
ACTORS = st.tuples(st.sampled_from([None, 0, 1]), st.integers(0, 1), st.lists(OPS, min_size=1, max_size=4))
COSTS = st.dictionaries(st.text("abc012", min_size=3, max_size=3), st.integers(0, 9))


def busy_system(actors: list[tuple[int | None, int, list[tuple[str, int, int]]]]) -> System:
    """Return loops of operations on two cells, two deadlines, and two CPUs with a frame on top."""
    layout = Layout()
    layout.add("now")
    cells = [layout.add(name) for name in "xy"]
    alarms = [layout.add(f"alarm {i}", -1, deadline=True) for i in (0, 1)]
    tops = [layout.add(f"top {i}") for i in (0, 1)]

    def step(label: str, kind: str, n: int, value: int) -> Step:
        def fn(s: list[int], me: Any) -> None:
            if kind == "set":
                s[cells[n]] = value
            elif kind in ("count", "preempt"):
                s[cells[n]] = (s[cells[n]] + 1) % 7
            elif kind == "arm":
                s[alarms[n]] = s[0] + 5 * value
            elif kind == "ring":
                s[alarms[n]] = -1
            elif kind == "top":
                s[tops[n]] = value % 2

        guards: dict[str, Any] = {
            "wait": lambda s, me: s[cells[n]] >= value,
            "preempt": lambda s, me: s[cells[n]] == value,
            "ring": lambda s, me: 0 <= s[alarms[n]] <= s[0],
        }
        return Step(label, fn, guards.get(kind), preempts=kind == "preempt")

    def row(label: str, kind: str, n: int, value: int) -> Any:
        if kind != "choose":
            return step(label, kind, n, value)
        return free(label, step(f"{label}+", "wait", n, value), step(f"{label}-", "count", n, value))

    made = []
    for letter, (cpu, frame, ops) in zip("abc", actors, strict=False):
        path = loop(letter, *(row(f"{letter}{i}{k[0]}", k, n, v) for i, (k, n, v) in enumerate(ops)))
        made.append(Actor(letter, letter, path, None, None if cpu is None else tops[cpu], frame))
    return System(layout, made)


@given(st.lists(ACTORS, min_size=1, max_size=3), st.integers(0, 3))
def test_a_clock_that_remembers_goes_the_way_of_one_that_asks(actors: Any, cost: int) -> None:
    """Loops, alarms, frames, preemption and choices: each step, its time and the state are the same."""
    system = busy_system(actors)
    profile = Profile("some", {f"{x}{i}c": 2 for x in "abc" for i in range(4)}, cost)
    clock = Clock(system, profile, now=0)
    taken = [(step.time, step.label, step.after) for step in clock.steps(120)]
    assert taken == list(plain_steps(system, 120, profile, now=0))


@given(st.lists(ACTORS, min_size=1, max_size=3), st.integers(0, 3), st.sets(st.integers(0, 11)))
def test_a_clock_that_is_asked_for_some_steps_only_takes_all_of_them(
    actors: Any, cost: int, some: set[int]
) -> None:
    """What is seen of the way is the same: each of those steps, its time, the state, and their number."""
    system = busy_system(actors)
    profile = Profile("some", {f"{x}{i}c": 2 for x in "abc" for i in range(4)}, cost)
    whole = list(enumerate(plain_steps(system, 120, profile, now=0), 1))
    labels = [label.partition(":")[2] for _, (_, label, _) in whole]
    seen = {label for i, label in enumerate(dict.fromkeys(labels)) if i in some} | set(labels[-1:])
    clock = Clock(system, profile, now=0, seen=frozenset(seen))
    shown = [step for step, label in zip(whole, labels, strict=True) if label in seen]
    found = [
        (clock.taken, (clock.time, move.label, tuple(clock.state))) for move in islice(clock, len(shown))
    ]
    assert found == shown


@pytest.mark.parametrize("sets", range(3, 9))
def test_a_deadline_comes_first_wherever_it_falls_into_a_stride(sets: int) -> None:
    """Who waits for it stands first in the list: what the other has done by then is what he finds."""
    other = [("arm", 0, 1), *(("set", 1, value) for value in range(sets))]
    system = busy_system([(None, 0, [("ring", 0, 0), ("set", 0, 1)]), (None, 0, other)])
    whole = [step for step in plain_steps(system, 99, now=0) if step[1].startswith("a:")]
    clock = Clock(system, now=0, seen=frozenset({"a0r", "a1s"}))
    assert [(clock.time, move.label, tuple(clock.state)) for move in islice(clock, len(whole))] == whole
    assert len(whole) > 2 or sets < 4


def test_a_limit_that_is_soon_reached_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters make the memory give up, place by place; the strides stop in front of them."""
    monkeypatch.setattr(memory, "LIMIT", 4)
    rows = [("count", 0, 0), ("set", 1, 2), ("wait", 0, 0), ("arm", 0, 1), ("ring", 0, 0)]
    system = busy_system([(0, 0, rows), (0, 1, [("wait", 0, 5), ("set", 0, 0)])])
    whole = [step for step in plain_steps(system, 300, now=0) if step[1].endswith("r")]
    clock = Clock(system, now=0, seen=frozenset({"a4r"}))
    assert [(clock.time, move.label, tuple(clock.state)) for move in islice(clock, len(whole))] == whole
    assert len(whole) > 20


def test_with_time_among_the_actors_too() -> None:
    """An actor that lets time pass has no say, remembered or not."""
    taken = [(step.time, step.label) for step in Clock(timers(), now=0).steps(9)]
    assert taken == [step[:2] for step in plain_steps(timers(), 9, now=0)] != []


def test_nobody_is_asked_twice_in_the_same_situation() -> None:
    """A loop without counters is learned in its first round."""
    system = busy_system([(None, 0, [("set", 0, 1), ("wait", 0, 1), ("set", 0, 2)])])
    asked = []
    enabled = system.enabled
    system.enabled = lambda s: asked.append(tuple(s)) or enabled(s)  # type: ignore
    clock = Clock(system, UNIT, now=0)
    for _ in range(60):
        clock.step()
    assert len(asked) <= 5


def test_a_counter_that_a_guard_looks_at_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit it is asked every time; the answers stay right."""
    monkeypatch.setattr(memory, "LIMIT", 8)
    layout = Layout()
    n = layout.add("n")

    def count(s: list[int], me: Any) -> None:
        s[n] += 1

    path = loop("p", free("R", Step("A", count, lambda s, me: s[n] < 30), Step("B", count)))
    system = System(layout, [Actor("a", "a", path, None)])
    steps = [step.label for step in Clock(system).steps(40)]
    assert steps == ["a:A"] * 30 + ["a:B"] * 10


def test_a_stride_ends_in_front_of_a_look_at_what_never_comes_again() -> None:
    """Who looks at a counter is asked once a round; the way up to there and behind it is remembered."""
    layout = Layout()
    layout.add("now")
    n, x = layout.add("n"), layout.add("x")

    def count(s: list[int], me: Any) -> None:
        s[n] += 1

    def put(s: list[int], me: Any) -> None:
        s[x] = 1

    look = Step("LOOK", put, lambda s, me: s[n] >= 0)
    rows = (*(Step(f"A{i}", put) for i in range(5)), look, *(Step(f"B{i}", put) for i in range(5)))
    path = loop("p", *rows, Step("COUNT", count), Step("END", put))
    system = System(layout, [Actor("a", "a", path, None)])
    clock = Clock(system, UNIT, now=0, seen=frozenset({"END"}))
    deque(islice(clock, 4 * memory.LIMIT), 0)
    asked, enabled = [], system.enabled
    system.enabled = lambda s: asked.append(clock.time) or enabled(s)  # type: ignore
    deque(islice(clock, 20), 0)
    assert len(asked) == 20
    whole = list(plain_steps(system, 13 * (4 * memory.LIMIT + 20), now=0))
    assert (clock.time, tuple(clock.state)) == (whole[-1][0], whole[-1][2])


def test_what_is_looked_at_comes_out_as_a_tuple() -> None:
    """None, one, or several places."""
    assert [look_at(places)([7, 8, 9]) for places in ((), (2,), (0, 2))] == [(), (9,), (7, 9)]


def test_the_time_itself_is_no_part_of_a_situation() -> None:
    """Between deadlines the drawers stay; when one comes, is armed, or disarmed, others are right."""
    system = timers()
    mind = Memory(system, system.enabled, system.enabled, 0)
    armed = list(system.start)
    assert mind.room(armed, 0) is mind.room(armed, 29)
    assert mind.room(armed, 0) is not mind.room(armed, 30)
    assert mind.room([*armed[:2], -1, *armed[3:]], 0) is not mind.room(armed, 0)
