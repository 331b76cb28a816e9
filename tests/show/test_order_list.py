"""A list that is reordered by Up and Down: every step stays in it, and who follows is told."""

import pytest

pytest.importorskip("ipywidgets")

from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import BadInput
from kvmlab.show.widgets.order_list import OrderList

SAYS = {"a": "first", "b": "second", "c": "third", "d": "fourth"}


@given(st.lists(st.tuples(st.sampled_from(sorted(SAYS)), st.integers(-5, 5))))
def test_moving_is_taking_out_and_putting_in(moves: list[tuple[str, int]]) -> None:
    """After every move it is the list that one gets by hand, and the moved step is selected."""
    shown, model = OrderList("Order", SAYS), list(SAYS)
    for name, by in moves:
        at = min(max(model.index(name) + by, 0), 3)
        model.remove(name)
        model.insert(at, name)
        shown.move(name, by)
        assert (shown.order, shown.selected) == (tuple(model), name)


def test_up_and_down_move_the_selected_step() -> None:
    """The buttons do what `move` does, and stop at the ends."""
    shown = OrderList("Order", SAYS)
    up, down = shown.children[1].children
    assert (up.disabled, down.disabled) == (True, False)
    down.click()
    down.click()
    assert shown.order == ("b", "c", "a", "d")
    down.click()
    up.click()
    assert shown.order == ("b", "c", "a", "d") and not up.disabled


def test_who_follows_hears_of_changes_only() -> None:
    """A move beyond the end, or the same order again, is no change."""
    shown, heard = OrderList("Order", SAYS), []
    shown.on_change(lambda: heard.append(shown.order))
    shown.move("a", -1)
    shown.order = tuple(SAYS)
    assert heard == []
    shown.move("a", 1)
    shown.order = ("d", "c", "b", "a")
    assert heard == [("b", "a", "c", "d"), ("d", "c", "b", "a")]


def test_the_list_is_numbered_and_says_what_each_step_is() -> None:
    """A learner reads places and sentences."""
    shown = OrderList("Order", SAYS, ("d", "a", "b", "c"))
    assert [text for text, _ in shown.children[0].options][:2] == ["1. fourth", "2. first"]


@pytest.mark.parametrize("names", [(), ("a", "b", "c"), ("a", "a", "b", "c"), ("a", "b", "c", "x")])
def test_an_order_that_is_none_is_refused(names: tuple[str, ...]) -> None:
    """A step missing, twice, or unknown: BadInput, and the list is as it was."""
    shown = OrderList("Order", SAYS)
    with pytest.raises(BadInput, match="once"):
        shown.order = names
    with pytest.raises(BadInput, match="no step x"):
        shown.move("x", 1)
    assert shown.order == tuple(SAYS)
