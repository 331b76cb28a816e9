"""The alarm line of a run: every bug of the timer is to be seen in it, and it says so in one sentence."""

from functools import cache

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.show.alarm_story import AlarmStory, alarm_story_svg, alarm_story_text, story
from kvmlab.show.deadline_rows import undisturbed

RUNS = {
    "well": ("64672c9", {"hlt": 1}),
    "lost": ("64672c9", {"hlt": 1, "without": ("switch_to_sw_timer()",)}),
    "twice": ("64672c9", {"hlt": 1, "without": ("SW.cancel_hv",)}),
    "two deadlines": ("64672c9", {"hlt": 0, "rewrite": "far"}),
    "none, and yet": ("v4.10", {"hlt": 0, "rewrite": "off"}),
}


@cache
def told(name: str) -> AlarmStory:
    """Return the alarm line of an undisturbed run."""
    release, knobs = RUNS[name]
    scenario = hv_timer(kernel(release), wakes=0, **knobs)
    return AlarmStory(name, story(scenario.records, list(undisturbed(scenario))))


def test_what_each_says() -> None:
    """Who had the alarm at the deadline, and how often the guest got its interrupt."""
    assert told("well").foot == "At the deadline the hrtimer has the alarm. The guest gets 1 interrupt."
    assert told("lost").foot.startswith(
        "At the deadline nobody has the alarm; the preemption timer is set in vain"
    )
    assert told("lost").foot.endswith("0 interrupts.") and told("twice").foot.endswith("2 interrupts.")
    assert "the hrtimer and the preemption timer have the alarm" in told("two deadlines").foot
    assert told("none, and yet").foot.startswith("The deadline is still to come: nobody has the alarm.")
    assert told("none, and yet").foot.endswith("The guest has got 1 interrupt.")


@pytest.mark.parametrize("name", RUNS)
def test_picture_and_twin_are_one(name: str) -> None:
    """The same sentence, nothing clipped, nothing over another, 80 columns."""
    shown = told(name)
    svg, twin = alarm_story_svg(shown), alarm_story_text(shown)
    assert alternative(svg) == shown.foot == max(words(svg), key=lambda w: w.y).says
    assert " ".join(twin.split()).endswith(shown.foot) and max(map(len, twin.splitlines())) <= 80
    assert size(svg) == (960, 164) and overlaps(svg) == []
    assert all(0 <= w.left and w.right <= 960 for w in words(svg))


@pytest.mark.parametrize("name", RUNS)
def test_a_mark_for_each_interrupt(name: str) -> None:
    """As many squares as the guest gets interrupts, a cross behind each but the first."""
    svg = alarm_story_svg(told(name))
    assert svg.count("interrupt for a guest: delivered") == told(name).alarm[-1].came
