"""The controls of the card in the slot."""

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.show.cards import Mix
from kvmlab.show.cards_story import story
from kvmlab.show.cards_svg import cards_svg
from kvmlab.show.cards_text import cards_text
from kvmlab.show.widgets.cards import Cards


def test_step_and_back_go_through_five_moments() -> None:
    """At either end a button is off, and in code nothing happens."""
    shown = Cards()
    assert (shown.at, shown._back.disabled, shown._step.disabled) == (1, True, False)
    for at in range(2, 6):
        shown._step.click()
        assert shown.at == at
    shown.step()
    assert (shown.at, shown._step.disabled) == (5, True)
    shown._back.click()
    assert shown.at == 4
    for _ in range(9):
        shown.back()
    assert shown.at == 1


def test_setting_in_code_is_moving_a_control() -> None:
    """Level, methods, k and the rarer ones can be set from either side, and the picture follows."""
    shown = Cards(at=3)
    shown.level, shown.k = 2, 10
    assert (shown._level.value, shown._k.value, shown.methods) == (2, 10, ("timer0", "ipi", "ipi"))
    shown._ways[1].value = "timer0"
    assert shown.methods == ("timer0", "timer0", "ipi")
    shown.methods = ("ipi", "timer0")
    assert (shown.level, [way.value for way in shown._ways[:2]]) == (1, ["ipi", "timer0"])
    shown._a1.value, shown._looks.value, shown._apicv.value = False, "window", True
    assert shown.mix == Mix(("ipi", "timer0"), 10, a1=False, looks="window", apicv=True)
    assert (shown.a1, shown.looks, shown.apicv, shown.at) == (False, "window", True, 3)
    assert shown.children[-1].value == cards_svg(story(shown.mix), 3)
    assert repr(shown) == cards_text(shown.told, 3)


def test_a_moment_has_a_title_that_holds_for_other_mixes() -> None:
    """The entry stays the entry when levels come in between; a turn that is gone leads to the entry."""
    shown = Cards(at="the entry")
    assert shown.at == 3
    shown.methods = ("timer0", "timer0", "timer0", "ipi")
    assert shown.at == 3 and shown._step.disabled is False
    shown.methods = ("timer0", "timer0", "timer0", "timer0")
    assert shown.at == 5
    shown.at = "L2's turn"
    shown.level = 1
    assert (shown.at, shown.told.moments[2].title) == (3, "the entry")
    with pytest.raises(BadInput, match="did you mean the exit"):
        shown.at = "exit"


def test_what_single_levels_look_for_is_shown_and_can_be_overruled() -> None:
    """No word of the control stands for it; a word that is chosen holds for all; other methods drop it."""
    shown = Cards(("timer0", "ipi"), looks=("window", ""))
    assert shown.looks == ("window", "") and shown._looks.value is None
    shown._apicv.value = True
    assert shown.mix.looks == ("window", "")
    shown._looks.value = "window and RVI"
    assert shown.mix.looks == "window and RVI"
    shown.looks = ("", "window")
    shown.level = 2
    assert (shown.mix.looks, shown._looks.value) == ("", "")


def test_there_is_a_choice_for_each_level_and_no_other() -> None:
    """A level that goes takes its method along; one that comes begins with the self-IPI."""
    shown = Cards(("timer0",))
    for level in (3, 0, 1):
        shown._level.value = level
        names = [part.value for part in shown._mix.children[::2]]
        assert names == [f"L{n}" for n in range(level + 1)]
    assert shown.methods == ("timer0", "ipi")


def test_what_it_refuses_changes_nothing() -> None:
    """A level, a method, a count or a moment that does not exist."""
    shown = Cards(at=2)
    before = repr(shown)
    with pytest.raises(BadInput, match="one of 0, 1, 2, 3"):
        shown.level = 4
    with pytest.raises(BadInput, match="did you mean timer0"):
        shown.methods = ("timer",)
    with pytest.raises(BadInput, match="k=7: the slider has 1, 2, 3, 10"):
        shown.k = 7
    with pytest.raises(BadInput, match="at most 4 levels"):
        shown.methods = ("ipi",) * 5
    with pytest.raises(BadInput, match="moment 6"):
        shown.at = 6
    assert repr(shown) == before


def test_every_control_has_a_name() -> None:
    """No button is an icon only, what takes a value has a label, and the rarer ones are closed."""
    shown = Cards()
    named = (shown._back, shown._step, shown._k, shown._a1, shown._looks, shown._apicv)
    assert all(control.description for control in named)
    assert shown.children[0].children[0].value == "Level under test"
    more = shown.children[2].children[-1]
    assert more.selected_index is None and more.titles == ("More",)


def test_the_foot_is_the_last_paragraph_of_the_twin() -> None:
    """A notebook gets the whole twin, and the sentence by itself."""
    shown = Cards(("ipi",), at=4)
    bundle = shown._repr_mimebundle_()
    assert bundle is not None and bundle["text/plain"] == repr(shown)
    assert " ".join(repr(shown).rsplit("\n\n", 1)[-1].split()) == shown.foot
