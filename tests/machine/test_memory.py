"""Who has been asked once is not asked again, and nobody can tell."""

from typing import Any

import pytest
from busy import ACTORS, busy_system
from hypothesis import given
from hypothesis import strategies as st
from plain_clock import plain_steps
from toys import timers

from kvmlab.machine import memory
from kvmlab.machine.memory import NEVER, Memory, look_at
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, free, loop
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.clock import UNIT, Clock, Profile


@given(st.lists(ACTORS, min_size=1, max_size=3), st.integers(0, 3))
def test_a_clock_that_remembers_goes_the_way_of_one_that_asks(actors: Any, cost: int) -> None:
    """Loops, alarms, frames, preemption and choices: each step, its time and the state are the same."""
    system = busy_system(actors)
    profile = Profile("some", {f"{x}{i}c": 2 for x in "abc" for i in range(4)}, cost)
    clock = Clock(system, profile, now=0)
    taken = [(step.time, step.label, step.after) for step in clock.steps(120)]
    assert taken == list(plain_steps(system, 120, profile, now=0))


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


def test_what_is_looked_at_comes_out_as_a_tuple() -> None:
    """None, one, or several places."""
    assert [look_at(places)([7, 8, 9]) for places in ((), (2,), (0, 2))] == [(), (9,), (7, 9)]


def test_the_time_itself_is_no_part_of_a_situation() -> None:
    """Between deadlines the drawers stay; when one comes, is armed, or disarmed, others are right."""
    system = timers()
    mind = Memory(system, system.enabled, system.enabled, 0)
    rooms = [((70, 30), 0), ((70, 30), 29), ((70, 30), 30), ((70, -1), 30), ((-1, 30), 0), ((70, 30), 70)]
    assert [mind.room(armed, time)[0] for armed, time in rooms] == [30, 30, 70, 70, 30, NEVER]
    assert [mind.room(rooms[0][0], 0)[1] is mind.room(*room)[1] for room in rooms] == [True] * 2 + [False] * 4
    assert len({id(mind.room(*room)[1]) for room in rooms}) == 5
