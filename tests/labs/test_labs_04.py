"""Notebook 04's helpers, its questions and its table: what they say is what the model does."""

import re
from collections.abc import Callable
from itertools import product

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.labs import nb04
from kvmlab.labs.mix_grid import ALONE, MixGrid, by_look
from kvmlab.labs.question import Question
from kvmlab.labs.questions04 import QUESTIONS
from kvmlab.labs.rule import tried
from kvmlab.show.landing import PERIOD, landings


@pytest.fixture(scope="module")
def grid() -> MixGrid:
    """The proof table."""
    return nb04.verdicts()


# --- the questions ------------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_question_has_one_right_answer_and_words_for_each(question: Question) -> None:
    """One choice is right, and every choice is told something else, without blame."""
    assert sum(choice.right for choice in question.choices) == 1
    told = [question.feedback(n) for n in range(1, len(question.choices) + 1)]
    assert all(text.endswith(question.fact) for text in told) and len(set(told)) == len(told)
    assert not any(word in text.lower() for text in told for word in ("wrong!", "incorrect", "sorry"))
    assert max(map(len, question.twin().splitlines())) <= 80
    assert not any(choice.feedback in question.twin() for choice in question.choices)


def right(number: str) -> str:
    """Return the text of the right choice."""
    return next(choice.text for choice in QUESTIONS[number].choices if choice.right)


def test_04_1_three_of_four() -> None:
    """Each method at level 0, and at level 1 over an exact level 0, by every schedule."""
    mixes = [("ipi",), ("timer0",), ("timer0", "ipi"), ("timer0", "timer0")]
    assert right("04.1") == str(sum(tried(mix, True).verdict == "ok" for mix in mixes))


def test_04_2_the_old_level_0_keeps_the_promise() -> None:
    """Given A1, as the question says, and not without it."""
    assert right("04.2").startswith("yes, whatever") and QUESTIONS["04.2"].text.startswith("Given A1.")
    assert [tried(("ipi", "timer0"), a1).verdict for a1 in (True, False)] == ["ok", "violated"]


def test_04_3_anywhere_within_a_tick() -> None:
    """Timer 1 lands behind 1 to 2^X instructions, by the phase; timer 0 behind none."""
    one = [landings(phase)[1].instructions for phase in range(PERIOD)]
    assert set(one) == set(range(1, PERIOD + 1)) and right("04.3") == "within the next 2^X cycles"


def test_off_is_said_as_it_is_since_2019() -> None:
    """The control may stay on: then KVM switches the timer off by its largest value, and 1 is not that."""
    off = QUESTIONS["04.3"].choice(2)
    assert "off" in off.text and "largest value" in off.feedback and "804939ea200d" in off.feedback


def test_the_next_cell_shows_the_answer_and_the_question_only_tells_it() -> None:
    """Nothing opens under the box; the questions come in the order of their numbers."""
    assert list(QUESTIONS) == ["04.1", "04.2", "04.3"]
    asked = nb04.predict("04.1")
    assert asked.answer(3) and not asked._scene.children and asked._show.description == "Tell me"
    with pytest.raises(BadInput, match="did you mean 04"):
        nb04.predict("04.9")


# --- the unit test ------------------------------------------------------------------------------


def test_the_test_fails_one_level_up_and_there_only_before_the_patch() -> None:
    """v4.18 passes on hardware and fails on itself; with the patch at level 1 it passes over either."""
    assert nb04.unittest(L0="v4.18").ok
    assert not nb04.unittest(L0="v4.18", L1="v4.18").ok
    assert nb04.unittest(L0="v4.18", L1="d264ee0").ok and nb04.unittest(L0="d264ee0", L1="d264ee0").ok


def test_late_is_the_measured_table() -> None:
    """By self-IPI PASS at 0 and 50, wrong RIP at 200, stage 5 at 2000; by timer 0 always PASS."""
    lines = nb04.late(0, 50, 200, 2000).splitlines()
    assert [line.split(": ")[1].split(",")[0] for line in lines] == [
        "PASS",
        "PASS",
        "FAIL",
        "FAIL",
        *["PASS"] * 4,
    ]
    assert "PREEMPTION_TIMER" in lines[2] and "VMCALL" in lines[3]
    assert max(map(len, lines)) <= 80


def test_levels_are_named_from_0_up() -> None:
    """The order in which they are written does not matter; a gap is refused."""
    assert nb04.cards(L1="ipi", L0="timer0").methods == ("timer0", "ipi")
    for bad in ({}, {"L1": "ipi"}, {"L0": "ipi", "L2": "ipi"}, {"l0": "ipi"}):
        with pytest.raises(BadInput, match="L0, L1 and so on"):
            nb04.cards(**bad)


def test_who_is_where() -> None:
    """KVM at L1 is under test; the test is a hypervisor at L2, its guest L3."""
    view = nb04.who(L0="v4.18", L1="d264ee0")
    assert [(floor.who, floor.note) for floor in view.seen.floors] == [
        ("KVM", "v4.18"),
        ("KVM", "d264ee0"),
        ("hypervisor", ""),
        ("guest", ""),
    ]


# --- pictures in words --------------------------------------------------------------------------


def test_the_grid_is_what_exploration_says(grid: MixGrid) -> None:
    """Six cells; late is only the self-IPI over a level 0 that does not look."""
    late = {where for where, cell in grid.grid.table.cells.items() if not cell.holds}
    assert late == {("v4.18", "over self-IPI"), ("v4.18", "over timer 0")}
    assert len(grid.grid.table.cells) == 6 and max(map(len, repr(grid).splitlines())) <= 80


@pytest.mark.parametrize("made", [nb04.verdicts, by_look], ids=["by method", "by look"])
def test_a_press_shows_the_cells_own_mix(made: Callable[[], MixGrid]) -> None:
    """The cards agree with the verdict of the cell, for every cell, and open where the verdict is."""
    grid = made()
    for name, column in product(grid.grid.table.kernels, grid.grid.table.columns):
        grid.press(name, column)
        assert grid.cards is not None and grid.cards in grid.children
        assert grid.cards.told.exact == grid.grid.table.at(name, column).holds
        assert grid.cards.told.moments[grid.cards.at - 1].title == "the exit"
        assert grid.cards.level == (0 if column == ALONE else 1)
        assert repr(grid).endswith(repr(grid.cards))


def test_the_shortest_schedule_is_behind_a_button(grid: MixGrid) -> None:
    """Closed until it is pressed, and then opened once."""
    grid.press("v4.18", "over timer 0")
    steps = grid.children[-1]
    assert len(steps.children) == 1
    for _ in range(2):
        steps.children[0].click()
    assert len(steps.children) == 2 and "Broken (LATE)" in repr(steps.children[1])


def test_the_hunk_is_one_hook_and_one_timer() -> None:
    """In the run loop the patch changes a step and adds two."""
    foot = " ".join(repr(nb04.diff("v4.18", "d264ee0")).split())
    assert "1 step changed, 2 steps added, 1 setting added." in foot


def test_the_recordings_say_what_the_model_says() -> None:
    """For each delay that was recorded the test on KVM 6.1 and on the model come to the same verdict."""
    for line in nb04.real_verdicts().splitlines():
        how, delay, verdict = re.fullmatch(
            r"KVM 6.1, (.+), (\d+) late: (PASS|FAIL): .*0 value.*", line
        ).groups()  # type: ignore[union-attr]
        modelled = nb04.late(int(delay)).splitlines()
        assert any(each.startswith(how) and f": {verdict}," in each for each in modelled)
    assert len(nb04.real_verdicts().splitlines()) == 3
