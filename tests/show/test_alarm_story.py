"""The alarm line of a run: every bug of the timer is to be seen in it, and it says so in one sentence."""

from dataclasses import replace
from functools import cache
from xml.etree.ElementTree import Element, fromstring

import pytest

pytest.importorskip("ipywidgets")

from pictures import SVG, alternative, overlaps, size, words

from kvmlab.kernels.names import kernel
from kvmlab.machine.run import Taken
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.alarm import Stretch, Who
from kvmlab.show.alarm_story import NONE, OLD, AlarmStory, reasons, rings, story
from kvmlab.show.alarm_story_svg import LEFT, RIGHT, TOP, alarm_story_svg
from kvmlab.show.alarm_story_text import alarm_story_text
from kvmlab.show.alarm_svg import STRIP, laid, track_y
from kvmlab.show.deadline_rows import undisturbed

RUNS = {
    "well": ("64672c9", {"hlt": 1}),
    "lost": ("64672c9", {"hlt": 1, "without": ("switch_to_sw_timer()",)}),
    "twice": ("64672c9", {"hlt": 1, "without": ("SW.cancel_hv",)}),
    "two deadlines": ("64672c9", {"hlt": 0, "rewrite": "far"}),
    "none, and yet": ("v4.10", {"hlt": 0, "rewrite": "off"}),
    "taken back": ("64672c9", {"hlt": 0, "rewrite": "off"}),
    "at once": ("v6.1", {"hlt": 0}),
}


@cache
def calm(name: str) -> tuple[Scenario, list[Taken]]:
    """Return a scenario and its undisturbed run."""
    release, knobs = RUNS[name]
    scenario = hv_timer(kernel(release), wakes=0, **knobs)
    return scenario, list(undisturbed(scenario))


@cache
def told(name: str) -> AlarmStory:
    """Return the alarm line of an undisturbed run."""
    scenario, steps = calm(name)
    return AlarmStory(name, story(scenario.records, steps))


def test_what_each_says() -> None:
    """Who had the alarm at the deadline, and how often the guest got its interrupt."""
    assert told("well").foot == "At the deadline the hrtimer has the alarm. The guest is given 1 interrupt."
    assert told("lost").foot.startswith(
        "At the deadline nobody has the alarm; the preemption timer is set in vain"
    )
    assert told("lost").foot.endswith("0 interrupts.") and told("twice").foot.endswith("2 interrupts.")
    assert "At the deadline both timers have the alarm." in told("two deadlines").foot
    assert told("none, and yet").foot.startswith("The deadline is still to come: nobody has the alarm.")
    assert told("none, and yet").foot.endswith("The guest has been given 1 interrupt.")


@pytest.mark.parametrize("name", RUNS)
def test_picture_and_twin_are_one(name: str) -> None:
    """The same sentence, nothing clipped, nothing over another, 80 columns."""
    shown = told(name)
    svg, twin = alarm_story_svg(shown), alarm_story_text(shown)
    assert alternative(svg) == shown.foot == max(words(svg), key=lambda w: w.y).says
    assert " ".join(twin.split()).endswith(shown.foot) and max(map(len, twin.splitlines())) <= 80
    assert size(svg) == (960, 182) and overlaps(svg) == []
    assert all(0 <= w.left and w.right <= 960 for w in words(svg))


@pytest.mark.parametrize("name", RUNS)
def test_a_mark_for_each_interrupt(name: str) -> None:
    """As many squares as the guest gets interrupts, a cross behind each but the first; one in the legend."""
    svg = alarm_story_svg(told(name))
    assert svg.count("interrupt for a guest: delivered") == told(name).alarm[-1].came + 1


@pytest.mark.parametrize("name", RUNS)
def test_a_bell_for_each_expiry(name: str) -> None:
    """One whenever KVM notes one, or gives it to the guest unnoted; one in the legend if it ever rings."""
    scenario, steps = calm(name)
    t = scenario.records["timer"]
    expired = sum(
        not s.before[t.pending] and (s.after[t.pending] or s.after[t.injected] > s.before[t.injected])
        for s in steps
    )
    assert len([who for who in rings(told(name).alarm) if who]) == expired
    assert alarm_story_svg(told(name)).count("the alarm rings") == expired + bool(expired)
    assert alarm_story_text(told(name)).count(" rings") - told(name).foot.count(" rings") == expired


def test_who_rings_is_told_in_order() -> None:
    """The timers in turn; once is not worth a word; what rings at last was not set in vain."""
    assert told("twice").foot.endswith("alarm. The hrtimer rings, then the preemption timer: 2 interrupts.")
    assert told("two deadlines").foot.endswith("The preemption timer rings, then the hrtimer: 2 interrupts.")
    assert all("rings" not in told(name).foot for name in ("well", "lost", "at once"))
    twice = [run("KVM"), replace(run("KVM", "PREEMPTION_TIMER"), expired=True, came=1, past=True)]
    assert "The preemption timer rings, then again: 1 interrupt." in AlarmStory("", (*twice, *twice)).foot


def test_kvm_itself_rings_where_the_alarm_was() -> None:
    """It finds the deadline passed: the bell stands on the line of the timer that is set all the same."""
    before = replace(run("KVM", "HLT"), hrtimer=True, wanted=True)
    alarm = (before, replace(before, wanted=False, expired=True, past=True))
    svg = alarm_story_svg(AlarmStory("", alarm))
    assert rings(alarm) == [None, "nobody"]
    assert (laid(alarm, LEFT, RIGHT)[1].left, track_y("hrtimer", TOP)) in bells(svg)
    assert [(w.says, w.y) for w in words(svg) if w.says == OLD] == [(OLD, TOP - 7)]


@pytest.mark.parametrize("name", RUNS)
def test_no_bell_stands_on_a_word(name: str) -> None:
    """Nor under one."""
    svg = alarm_story_svg(told(name))
    for x, y in bells(svg):
        assert not [w for w in words(svg) if w.left < x + 8 and x - 8 < w.right and -6 < w.y - y < 16]


def bells(svg: str) -> list[tuple[float, float]]:
    """Return the middles of the bells."""
    rung = [g for g in fromstring(svg).iter(f"{SVG}g") if g.findtext(f"{SVG}title") == "the alarm rings"]
    return [(sum(spread(room)) / 2, float(room.get("y", "0")) + 8) for room in (g[1] for g in rung)]


def test_a_long_title_ends_before_the_legend() -> None:
    """With a bell in it or without."""
    for name in ("well", "lost"):
        assert overlaps(alarm_story_svg(replace(told(name), title="who has the alarm, " * 9))) == []


@pytest.mark.parametrize("name", RUNS)
def test_the_preemption_timer_is_hollow_wherever_the_guest_does_not_run(name: str) -> None:
    """It counts in the guest only: filled there, hollow for KVM, for the host, and for who sleeps."""
    y = track_y("preemption timer", TOP)
    bars = list(fromstring(alarm_story_svg(told(name))).iter(f"{SVG}rect"))
    hollow, filled = (
        [
            spread(bar)
            for bar in bars
            if float(bar.get("y", "0")) == y - 3 + more and bar.get("height") == high
        ]
        for more, high in ((0.5, "5"), (0, "6"))
    )
    for place in laid(told(name).alarm, LEFT, RIGHT):
        middle, set_ = (place.left + place.right) / 2, place.one.hv
        assert within(middle, filled) == (set_ and place.one.who == "guest")
        assert within(middle, hollow) == (set_ and place.one.who != "guest")


def spread(bar: Element) -> tuple[float, float]:
    """Return the left and the right edge of a rectangle."""
    x = float(bar.get("x", "0"))
    return x, x + float(bar.get("width", "0"))


def within(x: float, edges: list[tuple[float, float]]) -> bool:
    """Return whether one of the rectangles is there."""
    return any(left <= x <= right for left, right in edges)


@pytest.mark.parametrize("name", RUNS)
def test_the_deadlines_flag_goes_through_no_word(name: str) -> None:
    """Whoever runs when the deadline comes is named beside it."""
    past = [place.left for place in laid(told(name).alarm, LEFT, RIGHT) if place.one.past]
    said = [w for w in words(alarm_story_svg(told(name))) if 28 < w.y < TOP + STRIP + 10]
    assert not any(w.left < x < w.right for x in past[:1] for w in said)


def run(who: Who, exit: str = "", halted: bool = False) -> Stretch:
    """Return a stretch of which only that matters."""
    return Stretch(who, False, False, False, who in ("polls", "asleep"), 0, False, exit, halted)


def test_whoever_runs_while_the_deadline_passes_has_room_on_both_sides() -> None:
    """As much on either as for a stretch of his own, so that his name fits beside the flag."""
    kvm, before, behind = laid([run("KVM"), run("guest"), replace(run("guest"), past=True)], 0, 124)
    assert [place.right - place.left for place in (kvm, before, behind)] == pytest.approx([36, 44, 44])


@pytest.mark.parametrize(
    ("alarm", "said"),
    [
        ([run("KVM", "-"), run("guest"), run("KVM", "MSR_WRITE")], ["", "", "MSR_WRITE"]),
        (
            [run("KVM", "HLT"), run("KVM", "HLT", True), run("KVM", "HLT"), run("guest")],
            ["HLT, woken", "", "", ""],
        ),
        ([run("KVM", "HLT"), run("KVM", "HLT", True), run("asleep", "", True)], ["HLT", "", ""]),
        ([run("asleep", "", True), run("host"), run("KVM", "HLT", True)], ["", "", "woken"]),
        (
            [run("KVM", "EXTERNAL_INTERRUPT"), run("host"), run("KVM", "EXTERNAL_INTERRUPT")],
            ["EXTERNAL_INTERRUPT", "", ""],
        ),
    ],
)
def test_what_kvm_runs_for(alarm: list[Stretch], said: list[str]) -> None:
    """The exit's reason; that the halted guest was woken, at once or from sleep; nothing said twice."""
    assert reasons(alarm) == said


def test_a_timer_that_is_set_for_no_deadline_says_so() -> None:
    """v4.10 arms the preemption timer when the guest writes 0; what nobody has given up is an old one's."""
    assert f"for {OLD}" in alarm_story_text(told("twice")) and NONE not in alarm_story_text(told("twice"))
    shown = told("none, and yet")
    assert NONE in [w.says for w in words(alarm_story_svg(shown))] and f"for {NONE}" in alarm_story_text(
        shown
    )
    assert NONE not in [w.says for w in words(alarm_story_svg(told("two deadlines")))]
