"""Counting interleavings: known answers, every path walked one by one, and chance itself."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posted_table import PUBLISHED, losing
from toys import Spec, Toy, interleavings, toy

from kvmlab.errors import BadInput, ModelError
from kvmlab.machine.property import broken
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block, loop
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.chance import draw
from kvmlab.schedulers.count import Count, count

NOP = ("add", 1, 0)


def one_is_two(s: object) -> bool:
    return bool(s[1] == 2)  # type: ignore[index]


@pytest.mark.parametrize("n", range(1, 6))
def test_two_strands_interleave_in_binomially_many_ways(n: int) -> None:
    """Two actors of n steps: 2n over n interleavings, whether or not their states coincide."""
    assert count(toy(((NOP,) * n, (NOP,) * n), 2)) == Count(comb(2 * n, n), 0, Fraction(0))


def test_a_loss_ends_its_interleaving() -> None:
    """a breaks it at once; b's three steps may come before: 4 interleavings, all lose."""
    found = count(toy(((("set", 0, 1),), (NOP,) * 3), 2, lambda s: s[0] == 1))
    assert found == Count(4, 4, Fraction(1))


def test_interleavings_are_not_equally_likely() -> None:
    """One of two interleavings loses, and so does one draw of two; with a longer b, one of four, yet 1/2."""
    first = lambda s: s[0] == 1 and s[1] == 0  # noqa: E731
    assert count(toy(((("set", 0, 1),), (("set", 1, 1),)), 2, first)) == Count(2, 1, Fraction(1, 2))
    longer = toy(((("set", 0, 1),), (("set", 1, 1), NOP, NOP)), 2, first)
    assert count(longer) == Count(4, 1, Fraction(1, 2))


OPS = st.tuples(st.sampled_from(["set", "add", "wait", "skip"]), st.integers(0, 1), st.integers(0, 2))
SPECS = st.lists(st.lists(OPS, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)


@given(SPECS)
def test_walking_every_interleaving_agrees(spec: Spec) -> None:
    """On random systems a walk of all interleavings one by one counts the same and weighs the same."""
    found = count(toy(spec, 2, one_is_two))
    assert (found.interleavings, found.losing, found.probability) == interleavings(spec, 2, one_is_two)


def test_drawn_runs_lose_as_often_as_counted() -> None:
    """Of 2000 drawn runs as many lose as the probability says, within four standard deviations."""
    question = losing(*PUBLISHED["V2"][:2])
    p = count(question).probability
    lost = sum(
        any(broken(question.properties, step.after) for step in draw(question.system, seed).steps)
        for seed in range(2000)
    )
    assert abs(lost - 2000 * p) < 4 * (2000 * p * (1 - p)) ** 0.5


def test_what_never_ends_cannot_be_counted() -> None:
    """A circle is refused with a word on what to do; behind a loss nobody looks, so none is there."""
    layout = Layout()
    layout.add("c")

    def flip(s: list[int], me: object) -> None:
        s[0] = 1 - s[0]

    ring = System(layout, [Actor("a", "a", loop("l", Step("FLIP", flip)), None)])
    with pytest.raises(BadInput, match="circle.*limit"):
        count(Toy(ring, (), lambda s: True))
    with pytest.raises(BadInput, match="circle"):  # a way in and a way out do not help
        count(Toy(spur(), (), lambda s: True))
    property_ = toy((), 0, lambda s: s[0] == 1).properties
    assert count(Toy(ring, property_, lambda s: True)) == Count(1, 1, Fraction(1))


def spur() -> System:
    """Return a system that steps, may go round, and ends when its other actor says so."""
    layout = Layout()
    layout.add("stop")

    def stop(s: list[int], me: object) -> None:
        s[0] = 1

    round_ = Step("ROUND", lambda s, me: "l" if s[0] else None, leaves=("l",))
    path = block("p", Step("IN", lambda s, me: None), loop("l", round_), Step("OUT", lambda s, me: None))
    return System(
        layout, [Actor("a", "a", path, None), Actor("b", "b", block("b", Step("STOP", stop)), None)]
    )


def test_a_deadlock_is_an_error_of_the_model() -> None:
    """A state in which nobody can move and that is no declared end is not counted as an end."""
    with pytest.raises(ModelError, match="deadlock"):
        count(toy(((("wait", 0, 1),),), 1, done=lambda s: False))
