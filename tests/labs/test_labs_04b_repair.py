"""Repair it from below: the judge knows the one repair that holds, and shows what any other leaves late."""

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.labs.repair import Repair, judge
from kvmlab.labs.repair_bench import check_repair
from kvmlab.show.cards_story import story

RIGHT = {"L0": "window and RVI", "L1": "window"}


def test_the_repair_of_the_lesson_holds() -> None:
    """L1 finds L2's letter, L0 that of L1, as a window or as RVI; no word of it can be left out."""
    found = judge(RIGHT)
    assert found.passed and "No word is too many" in found.sentence
    shown = check_repair(RIGHT)
    assert shown.passed and shown.cards is None and repr(shown).startswith("holds: ")


@pytest.mark.parametrize(
    ("repair", "company"),
    [
        ({}, "Without APICv"),
        ({"L0": "window and RVI"}, "Without APICv"),
        ({"L1": "window"}, "Without APICv"),
        ({"L2": "window", "L3": "window"}, "Without APICv"),
        ({"L0": "window", "L1": "window"}, "With APICv"),
        ({"L0": "window", "L1": "window and RVI"}, "With APICv"),
    ],
)
def test_what_is_late_is_said_and_shown(repair: Repair, company: str) -> None:
    """Which of the two breaks, by how short a schedule; the cards are that stack, and late."""
    shown = check_repair(repair)
    assert shown.found.breaks is not None and shown.cards is not None
    assert shown.found.sentence.startswith(company) and "LATE" in shown.found.sentence
    assert shown.cards.mix.apicv == (company == "With APICv")
    assert not shown.cards.told.exact and not shown.passed
    assert repr(shown).startswith("late: ") and max(map(len, repr(shown).splitlines())) <= 80


@pytest.mark.parametrize(
    ("more", "spare"),
    [({"L1": "window and RVI"}, "L1's RVI"), ({"L2": "window"}, "L2's 'window'")],
)
def test_what_is_looked_for_in_vain_is_named(more: Repair, spare: str) -> None:
    """A repair that holds without it is not the smallest."""
    found = judge({**RIGHT, **more})
    assert not found.passed and found.breaks is None
    assert found.sentence.endswith(f"but also without {spare}.")


def test_the_picture_of_a_repair_agrees_with_the_judge() -> None:
    """The story of the stack that breaks is late, that of the repaired one exact."""
    late = judge({"L0": "window", "L1": "window"}).breaks
    assert late is not None and not story(late).exact
    with_rvi = type(late)(late.methods, looks=("window and RVI", "window", "", ""), apicv=True)
    assert story(with_rvi).exact


@pytest.mark.parametrize(
    ("repair", "why"),
    [
        ({"L4": "window"}, "level"),
        ({"L0": "windows"}, "'windows' is nothing to look for"),
        ({"L0": ""}, "write 'window' or 'window and RVI'"),
    ],
)
def test_what_is_no_repair_is_refused(repair: Repair, why: str) -> None:
    """One clear error that says what to write."""
    with pytest.raises(BadInput, match=why):
        judge(repair)
