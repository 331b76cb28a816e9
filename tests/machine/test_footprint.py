"""A footprint: all that a move's being possible depends on, and all that it does; in one state, in any."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import Spec, toy

from kvmlab.errors import ModelError
from kvmlab.kernels.names import kernel
from kvmlab.machine.footprint import Footprints, Unbounded
from kvmlab.machine.property import broken
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Row, Step, block, loop
from kvmlab.machine.system import Actor, System
from kvmlab.machine.watch import Recorder, footprint
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.posted_interrupts import posted_interrupts


def reads(label: str, cell: int, value: int = 0) -> Step:
    """Return a step that is possible while ``cell`` has ``value`` and does nothing."""
    return Step(label, lambda s, me: None, lambda s, me: s[cell] == value)


def footprints(row: Row, cells: int, *, top: bool = False) -> dict[str, set[int]]:
    """Return what each enabled move of one actor reads, by label; its position is left out."""
    layout = Layout()
    for n in range(cells):
        layout.add(f"c{n}")
    frame = layout.add("top") if top else None
    system = System(layout, [Actor("a", "a", block("p", row), None, frame, 0)])
    return {
        move.step.label: set(footprint(system, move, system.start)[0]) - {system.pc["a"]}
        for move in system.enabled(system.start)
    }


def test_a_move_reads_the_guards_above_its_own() -> None:
    """That a higher priority was closed is part of why this one is open; what stands below is not."""
    high, middle, low = reads("HIGH", 0, value=1), reads("MIDDLE", 1), reads("LOW", 2)
    otherwise = Step("OTHERWISE", lambda s, me: None)
    row = Row("R", (high, middle, low), (otherwise,))
    assert footprints(row, 3) == {"MIDDLE": {0, 1}}
    closed = Row("R", (high, reads("MIDDLE", 1, value=1), reads("LOW", 2, value=1)), (otherwise,))
    assert footprints(closed, 3) == {"OTHERWISE": {0, 1, 2}}


def test_a_free_choice_does_not_read_its_neighbours_guards() -> None:
    """Free alternatives depend on the priorities of their row, not on each other."""
    row = Row("R", (reads("HIGH", 0, value=1),), (reads("X", 1), reads("Y", 2)))
    assert footprints(row, 3) == {"X": {0, 1}, "Y": {0, 2}}


def test_a_move_reads_the_frame_on_top_of_its_cpu() -> None:
    """Another frame on top would hold the actor."""
    assert footprints(Row("R", free=(reads("X", 0),)), 1, top=True) == {"X": {0, 1}}


def holds_everywhere(question: Any) -> None:
    """Compare the footprints of rows with what is recorded in every state that can be reached."""
    system, rows = question.system, Footprints(question.system)
    looks = frozenset().union(*(rows.reads(prop.broken) for prop in question.properties))
    todo, seen = [system.start], {system.start}
    for state in todo:
        assert all(value in rows.ranges[place] for place, value in enumerate(state))
        recorder = Recorder(state)
        broken(question.properties, recorder)
        assert recorder.reads <= looks
        for move in system.enabled(state):
            row = rows.rows[move.actor.letter, move.at]
            reads, writes = footprint(system, move, state)
            after = system.take(state, move.token)
            assert reads <= row.reads and writes <= row.writes and after[move.pc] in row.leads
            if after not in seen:
                seen.add(after)
                todo.append(after)


@pytest.mark.parametrize(
    "question",
    [
        posted_interrupts(kernel("v4.10"), exits=1),
        posted_interrupts(kernel("b95234c"), senders=2),
        immediate_exit(kernel("v3.10")),
    ],
    ids=["v4.10", "b95234c", "v3.10"],
)
def test_what_a_row_may_do_covers_what_its_moves_do(question: Any) -> None:
    """In no state does a move, or a property, look at or change more than was said before the search."""
    holds_everywhere(question)


OPS = st.tuples(st.sampled_from(["set", "add", "wait", "skip"]), st.integers(0, 2), st.integers(0, 2))


@given(st.lists(st.lists(OPS, max_size=4).map(tuple), min_size=1, max_size=3).map(tuple), st.booleans())
def test_what_a_row_may_do_covers_any_toy(spec: Spec, loops: bool) -> None:
    """The same on random systems."""
    holds_everywhere(toy(spec, 3, lambda s: s[0] and s[1], loops=loops))


def test_every_branch_of_a_step_is_tried() -> None:
    """What a step looks at only behind a value that another actor brings is in its footprint."""
    layout = Layout()
    x, y, z = (layout.add(n) for n in "xyz")

    def branch(s: list[int], me: object) -> None:
        if s[x]:
            s[y] += s[z]

    def bring(s: list[int], me: object) -> None:
        s[x] = 1

    actors = [Actor("a", "a", block("p", Step("A", branch)), None)]
    alone = System(layout, actors)
    assert Footprints(alone).rows["a", 0].reads == {x, alone.pc["a"]}
    layout = Layout()
    for n in "xyz":
        layout.add(n)
    both = System(layout, [*actors, Actor("b", "b", block("q", Step("B", bring)), None)])
    assert Footprints(both).rows["a", 0].reads == {x, y, z, both.pc["a"]}


def test_what_cannot_be_listed_is_refused() -> None:
    """A counter without a bound, and a step that fails on values that never meet."""

    def count(s: list[int], me: object) -> None:
        s[0] += 1

    def shift(s: list[int], me: object) -> None:
        s[0] = 1 << s[0] - 1 if s[1] else 0

    for step, why in ((count, "any value"), (shift, "never meet")):
        layout = Layout()
        layout.add("x")
        layout.add("y", 1)
        system = System(layout, [Actor("a", "a", loop("p", Step("S", step)), None)])
        with pytest.raises(Unbounded, match=why):
            Footprints(system)


@pytest.mark.parametrize(
    "look", [lambda s: 1 in s, lambda s: s == [1], lambda s: s.copy(), lambda s: s.index(0)]
)
def test_what_cannot_be_recorded_is_refused(look: Any) -> None:
    """A list may be looked at behind the recorder's back; that is an error, not a smaller footprint."""
    with pytest.raises(ModelError, match="cannot be recorded"):
        look(Recorder([0, 1]))
    with pytest.raises(TypeError):
        Recorder([0, 1])[0:1]
    with pytest.raises(ModelError, match="cannot be recorded"):
        Recorder([0, 1])[-1]  # -1 is where a record keeps a cell that nobody has allocated


def test_going_through_a_state_reads_as_far_as_it_goes() -> None:
    """``any`` stops at the first; a copy reads everything."""
    recorder = Recorder([0, 1, 0])
    assert any(recorder) and recorder.reads == {0, 1}
    assert list(recorder) == [0, 1, 0] and recorder.reads == {0, 1, 2}
