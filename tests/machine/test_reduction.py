"""Reductions: whatever is left out, the verdict, the losses and the ends are those of the whole search."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from posted_table import PUBLISHED, Quiescence, receiver, system
from reduced import Key, found
from toys import Spec, Toy, members, toy

from kvmlab.errors import ModelError
from kvmlab.kernels.names import kernel
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout, State
from kvmlab.machine.step import Step, block, free
from kvmlab.machine.system import Actor, System
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay
from kvmlab.schedulers.symmetry import Symmetry

NOP = ("add", 1, 0)


def dead(question: Toy, reduce: bool) -> set[State]:
    """Return the states in which nobody can move."""
    ends: set[State] = set()
    explore(replace(question, done=lambda s: ends.add(tuple(s)) or True), reduce=reduce)
    return ends


def test_what_nobody_sees_needs_one_order() -> None:
    """Two actors on cells of their own: a path through the grid instead of the grid."""
    for n in range(1, 5):
        apart = toy(((("add", 0, 1),) * n, (("add", 1, 1),) * n), 2)
        search = explore(apart, reduce=True)
        assert (search.states, search.transitions) == (2 * n + 1, 2 * n)


def test_what_a_property_looks_at_is_seen() -> None:
    """The same two, with a property that wants b to be first: both orders are tried."""
    apart = toy(((("add", 0, 1),), (("add", 1, 1),)), 2, lambda s: s[1] == 1 and s[0] == 0)
    assert explore(apart, reduce=True).verdict == "violated"


def test_actors_that_are_alike_are_counted_not_told_apart() -> None:
    """Of a cube's eight corners four are left: how many of the three have moved."""
    cube = members(((("add", 0, 1),),), (3,), lambda s: False)
    search = explore(cube, reduce=True)
    assert (search.states, search.transitions) == (4, 6)  # three, two, one enabled moves


def test_an_interrupt_does_not_hold_what_it_interrupts() -> None:
    """A handler's step that comes in over a thread's frame does not keep the thread from going first."""
    spec: Spec = ((("set", 0, 1), ("wait", 0, 1), ("set", 1, 1)), (("take", 0, 1),))
    question = toy(spec, 3, lambda s: s[1] == 1, frames=(0, 1))
    assert explore(question, reduce=True).verdict == "violated"


def test_all_choices_of_a_local_row_are_tried() -> None:
    """What goes first is the actor, not one of its alternatives."""
    layout = Layout()
    mine, seen = layout.add("mine"), layout.add("seen")
    x, y = (Step(f"PUT{n}", partial(_put, mine, n)) for n in (1, 2))
    path = block("p", free("R", x, y), Step("SHOW", lambda s, me: _put(seen, s[mine], s, me)))
    other = block("q", Step("OTHER", lambda s, me: None))
    both = System(layout, [Actor("a", "a", path, None), Actor("b", "b", other, None)])
    question = Toy(both, (Property("TWO", "it is not 2", lambda s: s[seen] == 2),), lambda s: True)
    assert explore(question, reduce=True).verdict == "violated"


def _put(place: int, value: int, s: list[int], me: object) -> None:
    s[place] = value


OPS = st.tuples(st.sampled_from(["set", "add", "wait", "skip"]), st.integers(0, 3), st.integers(0, 2))
SPECS = st.lists(st.lists(OPS, max_size=4).map(tuple), min_size=2, max_size=3).map(tuple)


def three(s: Sequence[int]) -> bool:
    """What a toy's property looks at: cells 0 and 1."""
    return s[0] + s[1] == 3


@given(SPECS, st.booleans())
def test_local_steps_first_lose_nothing(spec: Spec, loops: bool) -> None:
    """Same verdict, same values of what the property looks at in a loss, same ends; with cycles as well."""
    question = toy(spec, 4, three, loops=loops)
    seen: Key = lambda s: s[:2]  # noqa: E731
    assert found(question, seen, reduce=True) == found(question, seen, reduce=False)
    assert dead(question, reduce=True) == dead(question, reduce=False)


FRAMED = st.tuples(
    st.sampled_from(["set", "add", "wait", "take"]), st.sampled_from([0, 1, 2, 3, 3]), st.integers(0, 1)
)


@given(
    st.lists(st.lists(FRAMED, min_size=1, max_size=4).map(tuple), min_size=3, max_size=3).map(tuple),
    st.lists(st.sampled_from([0, 1, None]), min_size=3, max_size=3),
)
def test_local_steps_first_mind_the_frames(spec: Spec, frames: list[int | None]) -> None:
    """The same where actors hold each other by frames and interrupt each other: cell 3 is the CPU's top."""
    question = toy(spec, 4, three, frames=frames)
    seen: Key = lambda s: s[:2]  # noqa: E731
    assert found(question, seen, reduce=True) == found(question, seen, reduce=False)
    assert dead(question, reduce=True) == dead(question, reduce=False)


MINE = st.one_of(
    st.tuples(st.sampled_from(["set", "add", "wait", "skip"]), st.integers(0, 1), st.integers(0, 2)),
    st.tuples(st.sampled_from(["post", "mine", "set", "skip", "wait"]), st.integers(2, 3), st.just(0)),
    st.tuples(st.just("own"), st.just(0), st.integers(1, 2)),
)
ALIKE = st.lists(MINE, max_size=3).map(tuple)
WHOSE: tuple[Spec, tuple[int, int]] = (
    (
        (("post", 2, 0), ("wait", 1, 1), ("add", 1, 1), ("mine", 2, 0), ("add", 0, 1)),
        (("skip", 2, 0), ("set", 2, 0), ("set", 1, 1)),
    ),
    (2, 1),
)
"""One posts and its bit is cleared, the other posts behind it, one goes ahead: is the bit left its own?"""


@example(*WHOSE)
@given(st.tuples(ALIKE, ALIKE), st.sampled_from([(2, 1), (3, 1), (2, 2)]))
def test_symmetry_loses_nothing(spec: Spec, groups: tuple[int, int]) -> None:
    """Same verdict, and the same violating states but for who is who, with own cells, sets and groups."""
    question = members(spec, groups, lambda s: s[0] + s[1] == 3 or (s[2] and s[3]))
    key = Symmetry(question.system, question.symmetry).key
    alone = replace(question, symmetry=())
    assert found(question, key, reduce=True)[0] == found(alone, key, reduce=False)[0]
    assert {s[:2] for s in _losses(question)} == {s[:2] for s in _losses(alone)}


def _losses(question: Toy) -> list[State]:
    search = explore(question, reduce=bool(question.symmetry))
    return [replay(question.system, v.schedule).state for v in search.violations]


def test_who_of_those_alike_has_posted_makes_no_difference() -> None:
    """Whose bit is in PIR, and whose vector in RVI, is forgotten; how many have posted is not."""
    question = posted_interrupts(kernel("b95234c"), senders=3)
    key = Symmetry(question.system, question.symmetry).key

    def after(schedule: str) -> Hashable:
        return key(replay(question.system, schedule).state)

    assert after("aa") == after("bb") == after("cc")
    assert after("aa vvvvvvv") == after("cc vvvvvvv")
    assert after("aabb") == after("bbcc") and after("aabb") != after("aa")


def test_a_reduced_search_says_so() -> None:
    """What was left out stands in the result, and that its counterexample need not be a shortest one."""
    search = explore(posted_interrupts(kernel("v4.10+no-event"), senders=2), reduce=True)
    assert "a=b, 6 local rows" in repr(search) and "maybe not the fewest" in repr(search)
    search = explore(immediate_exit(kernel("v3.2")), reduce=True)
    assert "no local rows: a step looks at too much" in repr(search)
    assert explore(immediate_exit(kernel("v3.2"))).reduced == ""


def test_a_reduced_search_still_finds_deadlocks() -> None:
    """A state that is no end and from which nobody can move is an error of the model, reduced or not."""
    stuck = toy(((("add", 0, 1), ("wait", 0, 0)), (("add", 1, 1),)), 2, done=lambda s: False)
    with pytest.raises(ModelError, match="deadlock"):
        explore(stuck, reduce=True)


def test_actors_that_differ_are_not_alike() -> None:
    """Another path, or a letter that nobody has, is refused."""
    pair = members(((("add", 0, 1),), (("add", 1, 1),)), (1, 1), lambda s: False)
    with pytest.raises(ModelError, match="a and b are not alike"):
        explore(replace(pair, symmetry=(("a", "b"),)), reduce=True)
    with pytest.raises(ModelError, match="no actor z"):
        explore(replace(pair, symmetry=(("a", "z"),)), reduce=True)


def test_a_counter_without_a_bound_leaves_the_search_whole() -> None:
    """Where the values of a place cannot be listed no row is called local, and the search is a whole one."""
    order, sender, states, transitions, _ = PUBLISHED["V1"]
    search = explore(Quiescence(system(receiver(*order), sender)[0], ()), reduce=True)
    assert (search.states, search.transitions) == (states, transitions)
    assert "may have any value" in search.reduced
