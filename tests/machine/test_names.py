"""Names and letters: each is used once, and a letter alone is never a guess."""

import pytest

from kvmlab.errors import IllegalTransition, ModelError
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block, free, prioritised
from kvmlab.machine.system import Actor, System


def idle(label: str, **given: object) -> Step:
    """Return a step that does nothing."""
    return Step(label, lambda s, me: None, **given)  # type: ignore[arg-type]


CLOSED = idle("N", when=lambda s, me: False)


def test_a_cells_name_is_used_once() -> None:
    """A second cell of one name is an error of the model."""
    layout = Layout()
    layout.add("x")
    with pytest.raises(ModelError, match="two cells are named x"):
        layout.add("x")


def test_a_blocks_name_is_used_once() -> None:
    """Two blocks of one name would make a jump ambiguous."""
    twice = block("p", block("q", idle("A")), block("q", idle("B")))
    with pytest.raises(ModelError, match="two blocks are named q"):
        System(Layout(), [Actor("a", "a", twice, None)])


@pytest.mark.parametrize("letters", ["aa", ["ab", "c"], ["", "a"], ["1", "a"]])
def test_actors_have_letters_of_their_own(letters: list[str]) -> None:
    """One letter each, no two alike: a schedule must be readable."""
    actors = [Actor(x, f"actor {n}", block(f"p{n}", idle("A")), None) for n, x in enumerate(letters)]
    with pytest.raises(ModelError, match="letters"):
        System(Layout(), actors)


def test_a_bare_letter_is_no_guess_among_open_choices() -> None:
    """Where choice 0 is closed and two others are open, the letter alone is refused."""
    row = free("R", CLOSED, idle("X"), idle("Y"))
    system = System(Layout(), [Actor("a", "a", block("p", row), None)])
    with pytest.raises(IllegalTransition, match="may take a1, a2"):
        system.find(system.start, "a")


def test_a_bare_letter_takes_the_only_open_choice() -> None:
    """Where one choice is open, its number need not be said."""
    row = free("R", CLOSED, idle("X"))
    system = System(Layout(), [Actor("a", "a", block("p", row), None)])
    assert system.find(system.start, "a").label == "a:X"


def test_a_priority_waits_for_its_frame() -> None:
    """While another frame is on top only a step that preempts may come, though it stands further down."""
    layout = Layout()
    top = layout.add("top", 1)
    row = prioritised("R", idle("HIGH"), idle("IRQ", preempts=True))
    system = System(layout, [Actor("a", "a", block("p", row), None, top, 0)])
    assert [move.label for move in system.enabled(system.start)] == ["a:IRQ"]
