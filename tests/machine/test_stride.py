"""Strides: who looks at some steps only sees nothing else than who goes step by step."""

from collections import deque
from itertools import islice
from typing import Any

import pytest
from busy import ACTORS, busy_system
from hypothesis import example, given
from hypothesis import strategies as st
from plain_clock import plain_steps

from kvmlab.kernels.names import kernel
from kvmlab.machine import memory
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block, loop
from kvmlab.machine.system import Actor, Move, System
from kvmlab.machine.watch import Recorder
from kvmlab.scenarios.benches import bench
from kvmlab.schedulers import clock as clocks
from kvmlab.schedulers.clock import UNIT, Clock, Profile
from kvmlab.schedulers.foresight import ELSE
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.stride import Stride, Strider


class Checked(Strider):
    """Who tries every stride where it is found."""

    def go(self, r: Recorder, move: Move, start: int) -> Stride:
        """Return the stride; what it asks is answered as it was."""
        s = list.copy(r)
        if self.now is not None:
            s[self.now] = start
        stride = super().go(r, move, start)
        assert stride.fn(s, stride.end.me) != ELSE
        return stride


Shown = list[tuple[int, tuple[int, str, tuple[int, ...]]]]
"""How many steps have been taken, the time, who took the last one, and the state behind it."""


def shown(one: Clock, n: int) -> Shown:
    """Return what the clock shows, ``n`` times."""
    return [(one.taken, (one.time, move.label, tuple(one.state))) for move in islice(one, n)]


AGAIN_0 = [(None, 0, [("choose", 0, 0), ("set", 0, 0), ("stamp", 0, 0)])]
"""A cell is set to 0: when that is done first it has been 0 already."""
LIMITS = st.sampled_from([2, 4, 8, memory.LIMIT])


@given(st.lists(ACTORS, min_size=1, max_size=3), st.integers(0, 3), st.sets(st.integers(0, 11)), LIMITS)
@example(AGAIN_0, 1, {1}, memory.LIMIT)
def test_a_clock_that_is_asked_for_some_steps_only_takes_all_of_them(
    actors: Any, cost: int, some: set[int], limit: int
) -> None:
    """What is seen of the way is the same: each of those steps, its time, the state, and their number.

    The smaller the memory, the sooner it takes a cell for one that never holds the same value again.
    """
    system = busy_system(actors)
    profile = Profile("some", {f"{x}{i}c": 2 for x in "abc" for i in range(4)}, cost)
    whole = list(enumerate(plain_steps(system, 120, profile, now=0), 1))
    labels = [label.partition(":")[2] for _, (_, label, _) in whole]
    seen = {label for i, label in enumerate(dict.fromkeys(labels)) if i in some} | set(labels[-1:])
    expected = [step for step, label in zip(whole, labels, strict=True) if label in seen]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "LIMIT", limit)
        patch.setattr(clocks, "Strider", Checked)
        assert shown(Clock(system, profile, now=0, seen=frozenset(seen)), len(expected)) == expected


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
    """Counters make the memory give up, place by place; strides go on without their values."""
    monkeypatch.setattr(memory, "LIMIT", 4)
    monkeypatch.setattr(clocks, "Strider", Checked)
    rows = [("count", 0, 0), ("set", 1, 2), ("wait", 0, 0), ("arm", 0, 1), ("ring", 0, 0)]
    system = busy_system([(0, 0, rows), (0, 1, [("wait", 0, 5), ("set", 0, 0)])])
    whole = [step for step in plain_steps(system, 300, now=0) if step[1].endswith("r")]
    clock = Clock(system, now=0, seen=frozenset({"a4r"}))
    assert [(clock.time, move.label, tuple(clock.state)) for move in islice(clock, len(whole))] == whole
    assert len(whole) > 20


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


def counters(look: Any, **jumps: Any) -> System:
    """Return a loop with a counter in it, and a step that does something with it."""
    layout = Layout()
    for name in ("now", "n", "x"):
        layout.add(name)

    def count(s: list[int], me: Any) -> None:
        s[1] += 1

    def put(s: list[int], me: Any) -> None:
        s[2] = 1

    rows = (
        Step("COUNT", count),
        Step("A", put),
        Step("LOOK", look, **jumps),
        Step("B", put),
        Step("END", put),
    )
    return System(layout, [Actor("a", "a", loop("p", block("q", *rows)), None)])


def times_n(s: list[int], me: Any) -> None:
    s[2] = s[1] * s[0] + s[2]


def every_third(s: list[int], me: Any) -> str | None:
    s[2] = s[1] + 3
    return None if s[1] % 3 else "q"


def out_of_a_list(s: list[int], me: Any) -> None:
    s[2] = [7, 8, 9][s[1] % 3]


@pytest.mark.parametrize("look", [times_n, every_third, out_of_a_list])
def test_what_is_done_with_a_counter_is_done_in_a_stride(look: Any) -> None:
    """Also if that leads elsewhere now and then, or cannot be foreseen at all; and nobody is asked again."""
    system = counters(look, leaves=("q",))
    rounds = 4 * memory.LIMIT
    whole = list(plain_steps(system, 5 * (rounds + 21), now=0))
    ends = [(n, step) for n, step in enumerate(whole, 1) if step[1] == "a:END"]
    clock = Clock(system, UNIT, now=0, seen=frozenset({"END"}))
    assert shown(clock, rounds // 2) == ends[: rounds // 2]
    asked, enabled = [], system.enabled
    system.enabled = lambda s: asked.append(clock.time) or enabled(s)  # type: ignore
    assert shown(clock, 20) == ends[rounds // 2 : rounds // 2 + 20]
    assert asked == []


def test_a_deadline_that_is_written_anew_within_a_stride_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stride may be found where a deadline is written to what it was; it ends where it becomes another."""
    monkeypatch.setattr(memory, "LIMIT", 4)
    layout = Layout()
    now, n, d = layout.add("now"), layout.add("n"), layout.add("d", -3, deadline=True)

    def count(s: list[int], me: Any) -> None:
        s[n] += 1

    def arm(s: list[int], me: Any) -> None:
        """Each 16th round of 6 steps: two cycles from now; in the others the same again."""
        s[d] = s[n] // 16 * (16 * 6) - 3

    names = ("A0", "A1", "A2", "A3")
    path = loop("p", Step("COUNT", count), Step("ARM", arm), *(Step(a, lambda s, me: None) for a in names))
    bell = loop("q", Step("RING", lambda s, me: None, lambda s, me: s[d] == s[now]))
    system = System(layout, [Actor("a", "a", path, None), Actor("b", "b", bell, None)])
    seen = frozenset({"A3", "RING"})
    whole = [it for it in enumerate(plain_steps(system, 400, now=now), 1) if it[1][1][2:] in seen]
    assert shown(Clock(system, now=now, seen=seen), len(whole)) == whole
    assert sum(label == "b:RING" for _, (_, label, _) in whole) == 4


def test_a_stride_ends_where_its_actor_comes_to_another_cpu() -> None:
    """The CPU that it leaves is free, the one that it comes to may be busy."""
    layout = Layout()
    here, tops = layout.add("here"), (layout.add("top 0"), layout.add("top 1"))

    def move(s: list[int], me: Any) -> None:
        s[here] ^= 1

    names = ("A0", "A1", "MOVE", "A2", "A3")
    path = loop("p", *(Step(name, move if name == "MOVE" else lambda s, me: None) for name in names))
    system = System(layout, [Actor("a", "a", path, None, lambda s: tops[s[here]])])
    profile = Profile("some", {"A1": 5, "MOVE": 90, "A3": 7}, 1)
    whole = list(enumerate(plain_steps(system, 50, profile), 1))
    assert shown(Clock(system, profile, seen=frozenset({"A0"})), 10) == whole[::5]


ON = ["v4.7", "64672c9", "v4.10", "v4.19", "v6.1"]
BENCHES = [
    ("periodic", {}),
    ("periodic", {"guest": "halt"}),
    ("tscdeadline_latency", {"guest": "busy", "host": "traced"}),
    ("tscdeadline_latency", {"guest": "halt", "poll": False}),
    ("cyclictest", {"guest": "halt"}),
    ("vmexit", {"case": "tscdeadline_immed"}),
    ("vmexit", {"case": "self_ipi_tpr_sti_hlt"}),
]


@pytest.mark.parametrize("on", ON)
@pytest.mark.parametrize(("name", "knobs"), BENCHES, ids=str)
def test_on_every_kernel_strides_lead_where_steps_lead(
    on: str, name: str, knobs: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each exit and each end of a sample, its time and the state; soon all that keeps changing is unknown."""
    monkeypatch.setattr(memory, "LIMIT", 4)
    monkeypatch.setattr(clocks, "Strider", Checked)
    made = bench(name, kernel(on), **knobs)
    seen = frozenset({made.end, *made.tallies})
    whole = enumerate(plain_steps(made.system, 1500, HSW16, made.now), 1)
    expected = [(n, step) for n, step in whole if step[1].partition(":")[2] in seen]
    assert shown(Clock(made.system, HSW16, made.now, seen=seen), len(expected)) == expected != []


@pytest.mark.parametrize("on", ["v4.10", "v4.19", "v6.1"])
def test_from_the_exit_to_the_entry_is_one_stride(on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though what lies between reckons with the time, and with deadlines that never come again."""
    found: dict[str, Stride] = {}
    go = Strider.go

    def spy(*given: Any) -> Stride:
        stride = go(*given)
        found[stride.end.step.label] = stride
        return stride

    monkeypatch.setattr(Strider, "go", spy)
    made = bench("periodic", kernel(on), samples=1)
    deque(islice(Clock(made.system, HSW16, made.now, seen=frozenset({made.end, *made.tallies})), 500), 0)
    labels = [step.move.step.label for step in Clock(made.system, HSW16, made.now).steps(300)]
    entry = max(i for i, label in enumerate(labels) if label == "VMENTRY")
    assert (
        found["VMENTRY"].steps == entry - max(i for i, x in enumerate(labels[:entry]) if x == "VMEXIT") > 20
    )
