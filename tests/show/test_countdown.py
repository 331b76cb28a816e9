"""The countdown: KVM's and the processor's arithmetic, pictured to the cycle, and its calculator."""

from functools import cache

import pytest

pytest.importorskip("ipywidgets")

from hypothesis import given
from hypothesis import strategies as st
from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.show.countdown import Countdown, mhz
from kvmlab.show.countdown_svg import countdown_svg
from kvmlab.show.countdown_text import countdown_text
from kvmlab.show.widgets.countdown import Calculator

SOME = [
    Countdown(),
    Countdown(entry=1030),
    Countdown(ahead=3_000_000, guest_khz=3_000_000),
    Countdown(ahead=1 << 37),
    Countdown(ahead=(1 << 37) - 1),
    Countdown(ahead=0),
    Countdown(rate=0, ahead=6, entry=1002),
    Countdown(rate=7, ahead=90, entry=1064),
    Countdown(rate=0, ahead=2000, entry=1064),
]


@cache
def frames() -> list[tuple[Countdown, str]]:
    """Return each picture once."""
    return [(shown, countdown_svg(shown)) for shown in SOME]


def test_the_published_examples() -> None:
    """X=5: 12 early or 20 late by the phase of the TSC; 57.27 s at 2.4 GHz, 1.79 s where X is 0."""
    assert [(c.ticks, c.fires, c.late) for c in SOME[:2]] == [(3, 1088, -12), (3, 1120, 20)]
    assert (Countdown().largest, Countdown().seconds) == ((1 << 37) - 1, "57.27")
    assert Countdown(rate=0).seconds == "1.79"
    faster = Countdown(ahead=3_000_000, guest_khz=3_000_000)
    assert faster.deadline is not None
    assert (faster.deadline - faster.armed, faster.ticks) == (2_400_000, 75_000)


def test_what_does_not_fit_is_the_hrtimers() -> None:
    """One cycle more than 32 bits of ticks."""
    assert SOME[3].deadline is None and "hrtimer" in SOME[3].foot
    assert SOME[4].deadline is not None and SOME[4].ticks == (1 << 32) - 1


@given(st.integers(0, 12), st.integers(0, 1 << 16), st.integers(0, 1 << 20), st.integers(0, 1 << 12))
def test_it_is_early_by_less_than_two_ticks_and_late_by_no_more_than_the_entry(
    rate: int, armed: int, ahead: int, after: int
) -> None:
    """Two roundings make it early, only the way to the entry makes it late."""
    shown = Countdown(rate=rate, armed=armed, ahead=ahead, entry=armed + after)
    assert -2 * shown.tick < shown.late <= after


def test_picture_and_twin_end_in_the_same_sentence() -> None:
    """The foot, the alternative text and the end of the twin are one sentence."""
    for shown, svg in frames():
        assert alternative(svg) == shown.foot == max(words(svg), key=lambda w: w.y).says
        assert " ".join(countdown_text(shown).split()).endswith(shown.foot)
        assert max(map(len, countdown_text(shown).splitlines())) <= 80


def test_nothing_is_clipped_and_no_texts_collide() -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    for _, svg in frames():
        assert size(svg) == (960, 296)
        assert all(0 <= w.left and w.right <= 960 and 0 < w.y < 296 for w in words(svg))
        assert overlaps(svg) == []


def test_the_picture_names_what_was_computed() -> None:
    """Ticks, entry, deadline and exit are words in it, and how far apart the last two are."""
    for shown, svg in frames():
        texts = " ".join(w.says for w in words(svg))
        if shown.deadline is None:
            assert "does not fit" in texts
        else:
            assert f"{shown.said}: exit at {shown.fires}" in texts
            assert f"deadline {shown.deadline}" in texts and f"entered {shown.entry}" in texts


def test_setting_in_code_is_moving_a_control() -> None:
    """Every number can be set from either side, and the picture follows."""
    lab = Calculator()
    assert lab.shown == Countdown() and lab._picture.value == countdown_svg(lab.shown)
    lab._entry.value = 1030
    assert lab.shown.late == 20
    lab.set(host_mhz=2000, guest_mhz=3000, ahead=3000, rate=3)
    assert (lab._host.value, lab._guest.value, lab._ahead.value, lab._rate.value) == (2000, 3000, 3000, 3)
    assert lab.shown.deadline == 3000
    assert repr(lab) == countdown_text(lab.shown) and lab.foot == lab.shown.foot


def test_what_it_refuses_changes_nothing() -> None:
    """Five bits of X, an entry behind the arming, a frequency that is one."""
    lab = Calculator()
    before = repr(lab)
    for number in ({"rate": 32}, {"entry": 999}, {"host_mhz": 0}, {"ahead": -1}):
        with pytest.raises(BadInput):
            lab.set(**number)
    assert repr(lab) == before


def test_frequencies_in_words() -> None:
    """Whole megahertz without a fraction."""
    assert [mhz(2_400_000), mhz(2_394_229)] == ["2400 MHz", "2394.229 MHz"]


def test_every_control_has_a_name() -> None:
    """And the rarer ones are closed."""
    lab = Calculator()
    assert all(control.description for control in lab._named.values())
    assert lab.children[1].titles == ("More",) and lab.children[1].selected_index is None
