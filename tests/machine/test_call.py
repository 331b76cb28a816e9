"""Calls: a function is written once, stands wherever it is called, and every jump in it stays its own."""

import pytest

from kvmlab.errors import ModelError
from kvmlab.machine.call import call, link
from kvmlab.machine.edit import Before, Swap, apply
from kvmlab.machine.program import compile_path
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Block, Step, block, cases, loop
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.clock import clocked


def note(label: str, returns: str | None = None) -> Step:
    """Return a step that does nothing and returns ``returns``."""
    return Step(label, lambda s, me: returns, leaves=(returns,) if returns else ())


def trail(path: Block, steps: int = 12) -> list[str]:
    """Return the labels that the only actor of ``path`` takes."""
    system = System(Layout(), [Actor("a", "a", path, None)])
    return [label[2:] for label in clocked(system, limit=steps).labels]


F = block("f", note("F1"), note("F2", "f"), note("F3"))
MAIN = block("main", call("f", "here", "first"), note("A"), block("rest", call("f", "here"), note("B")))


def test_a_function_called_twice_returns_to_each_caller() -> None:
    """Leaving the function means its end there: behind the first call, and behind the second."""
    assert trail(link({"f": F}, MAIN)) == ["F1", "F2", "A", "F1", "F2", "B"]


def test_an_edit_of_the_function_reaches_every_caller() -> None:
    """The function is written once."""
    edited = apply(F, Before("F2", (note("NEW"),)))
    assert trail(link({"f": edited}, MAIN)).count("NEW") == 2


def test_a_call_may_be_dropped_by_its_label() -> None:
    """Each call has a label of its own, so one of them may be left out."""
    assert trail(link({"f": F}, apply(MAIN, Swap("first")))) == ["A", "F1", "F2", "B"]


def test_calls_are_linked_at_any_depth() -> None:
    """The callee's own calls are linked too."""
    paths = {"f": F, "g": block("g", call("f", "here"), note("G"))}
    assert trail(link(paths, block("main", call("g", "here")))) == ["F1", "F2", "G"]


def test_what_cannot_be_linked_is_an_error_of_the_model() -> None:
    """An unknown function, one that calls itself, and a call that was never linked."""
    with pytest.raises(ModelError, match="nobody has defined f"):
        link({}, MAIN)
    with pytest.raises(ModelError, match="g calls itself"):
        link({"g": block("g", call("g", "here"))}, block("main", call("g", "here")))
    with pytest.raises(ModelError, match="link the path first"):
        trail(MAIN)


def test_a_name_is_unique_where_a_jump_could_mean_two() -> None:
    """Side by side, or one in the other, two blocks of one name are refused; elsewhere they are not."""
    for wrong in (block("p", F, F), block("p", block("f", F)), block("f", F)):
        with pytest.raises(ModelError, match="two blocks are named f"):
            compile_path(wrong)
    assert len(compile_path(block("p", block("x", F), block("y", F)))) == 6


def test_an_emptied_block_at_the_end_is_no_end() -> None:
    """A loop whose last block has lost all its steps still starts again."""
    assert trail(loop("p", note("A"), block("q")), 3) == ["A", "A", "A"]
    assert trail(block("p", block("q"), note("A"), block("r"))) == ["A"]
    assert trail(cases("c", note("PICK", "y"), block("x", note("X")), block("y", note("Y")))) == ["PICK", "Y"]
