"""The board: four patches, each can be turned, and what stands beside it comes out of the model."""

from itertools import product

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.kernels.names import RELEASES, kernel
from kvmlab.labs.unittest import unittest
from kvmlab.show.board import SWITCHES, Board, board_svg, board_text, measured
from kvmlab.show.trailer import take
from kvmlab.show.widgets.board import Switches


def boards() -> list[Board]:
    """Return every setting of the switches, each reached by turning one."""
    fresh = [Board()]
    return fresh + [Board(on, n) for on in product((False, True), repeat=4) for n in range(4)]


def test_the_four_patches_are_there_in_order() -> None:
    """By year, a notebook each; the kernels before and after are those of the model."""
    assert [(s.year, s.lesson) for s in SWITCHES] == [(2011, "01"), (2016, "02"), (2017, "03"), (2018, "04")]
    assert {s.commit for s in SWITCHES} | {s.before for s in SWITCHES} <= RELEASES.keys()
    assert all(kernel(s.commit).says != kernel(s.before).says for s in SWITCHES)


def test_every_switch_does_something() -> None:
    """What the model makes of a patch differs with it on and off, and reads as the lesson has it."""
    off, on = ([measured(n, side) for n in range(4)] for side in (False, True))
    assert "1000 instructions" in off[0] and "executes 0 instructions" in on[0]
    assert "EXTERNAL_INTERRUPT" in off[1] and "PREEMPTION_TIMER" in on[1]
    assert "lost in 12 steps" in off[2] and "never lost" in on[2]
    assert "1000 instructions" in off[3] and "executes 0 instructions" in on[3]


def test_it_agrees_with_what_other_notebooks_show() -> None:
    """The last switch and the unit test one level up; the third and the trailer."""
    for name, far in (("v4.18", True), ("d264ee0", False)):
        assert unittest("preemption timer", level=1, kernels=f"L0=v4.18,L1={name}").ok == (not far)
    assert [take(fixed).counter for fixed in (False, True)] == [0, 1]


def test_picture_and_twin_end_in_the_same_sentence() -> None:
    """Which is the last switch's; there is room for every word, in every setting."""
    for shown in boards():
        svg, twin = board_svg(shown), board_text(shown)
        assert alternative(svg) == shown.foot == max(words(svg), key=lambda w: w.y).says
        assert " ".join(twin.split()).endswith(shown.foot)
        assert max(map(len, twin.splitlines())) <= 80
        assert overlaps(svg) == [] and all(0 <= w.left and w.right <= size(svg)[0] for w in words(svg))


def test_off_and_on_are_words() -> None:
    """No colour is needed: the word, the arrow before what holds, the knob's side."""
    for shown in boards():
        says = [w.says for w in words(board_svg(shown))]
        assert (says.count("on"), says.count("off")) == (sum(shown.on), 4 - sum(shown.on))
        assert all(f"→ {s.words(on)}" in says for s, on in zip(SWITCHES, shown.on, strict=True))


def test_a_switch_is_turned_by_hand_or_in_code() -> None:
    """Each by its hash; the others stay."""
    board = Switches()
    board._buttons[3].value = True
    board.turn("b95234c")
    assert board.on == ("b95234c", "d264ee0") and board.foot.startswith("b95234c on: a device's")
    board.turn("d264ee0", False)
    assert board.on == ("b95234c",) and board.foot.startswith("d264ee0 off: KVM in a guest")
    assert repr(board) == board_text(Board((False, False, True, False), 3))
    assert board.children[-1].value == board_svg(Board((False, False, True, False), 3))


def test_what_is_not_on_the_board_is_refused() -> None:
    """One clear error, and nothing changes."""
    board = Switches()
    with pytest.raises(BadInput, match="did you mean d264ee0"):
        board.turn("d264ee1")
    with pytest.raises(BadInput, match="switch 4"):
        Board().turn(4, True)
    assert board.on == ()
