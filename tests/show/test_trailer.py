"""The trailer: the same letters on two kernels, and nothing decided behind them."""

import pytest
from pictures import alternative, overlaps, size, words

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay
from kvmlab.show.trailer import OFF, ON, SCHEDULE, take, to_rest, trailer_svg, trailer_text

BOTH = pytest.mark.parametrize("fixed", [False, True], ids=["off", "on"])


def test_the_counter_reads_0_and_then_1() -> None:
    """One schedule, one switch."""
    assert [take(fixed).counter for fixed in (False, True)] == [0, 1]


@BOTH
def test_the_schedule_is_obeyed_letter_for_letter(fixed: bool) -> None:
    """Both runs carry out the whole schedule, and begin with its letters."""
    shown = take(fixed)
    assert shown.run.stopped == "" and shown.letters[: shown.common] == SCHEDULE


@BOTH
def test_behind_the_schedule_nobody_has_a_choice(fixed: bool) -> None:
    """Each step behind it was the only move there was, and at the end everything is at rest."""
    shown = take(fixed)
    for step in shown.run.steps[shown.common :]:
        assert len(shown.run.system.enabled(step.before)) == 1
    assert shown.run.system.enabled(shown.run.state) == []


def test_the_schedule_is_a_shortest_loss() -> None:
    """No shorter one loses, and the one with the fix has none at all."""
    found = explore(posted_interrupts(kernel(OFF))).shortest
    assert found and len(found.labels) - 1 == len(SCHEDULE)
    assert explore(posted_interrupts(kernel(ON))).verdict == "ok"


def test_who_has_a_choice_is_asked_and_not_guessed() -> None:
    """A schedule that ends where two can move is not continued."""
    scenario = posted_interrupts(kernel(ON))
    assert to_rest(scenario, "vv").labels == replay(scenario.system, "vv").labels


@BOTH
def test_picture_and_twin_end_in_the_same_sentence(fixed: bool) -> None:
    """The alternative text is the foot, the twin ends in it and has at most 80 columns."""
    shown = take(fixed)
    svg, twin = trailer_svg(shown), trailer_text(shown)
    assert alternative(svg) == shown.foot and " ".join(twin.split()).endswith(shown.foot)
    assert max(map(len, twin.splitlines())) <= 80
    assert ("LOST" in svg) is (shown.counter == 0)


@BOTH
def test_the_picture_has_room_for_its_words(fixed: bool) -> None:
    """No text runs into another one or over the edge."""
    svg = trailer_svg(take(fixed))
    assert overlaps(svg) == [] and all(0 <= w.left and w.right <= size(svg)[0] for w in words(svg))
