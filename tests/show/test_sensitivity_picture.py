"""What a headline rests on, pictured: the scheduler's numbers, and one sentence with the twin."""

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.sensitivity import MOST, names, rests
from kvmlab.show.sensitivity_svg import sensitivity_svg
from kvmlab.show.sensitivity_text import sensitivity_text
from kvmlab.show.widgets.sensitivity import HEADLINES, RestsOn

ALL = [name for name in names() if rests(name).bars]
"""The headlines that rest on something."""


def test_a_difference_rests_on_what_its_sums_do_not_share() -> None:
    """The gain in cycles depends on the host's interrupt and the timers, not on exits and entries."""
    of = {bar.parameter for bar in rests("busy gain").bars}
    assert {"HRT_INT", "IRQ_ENTER", "H_PREEMPT"} <= of
    assert not {"HW_EXIT", "SW_ENTRY", "RESID", "INJ"} & of


def test_the_two_percentages_rest_on_fitted_numbers_first() -> None:
    """The 25 % on hrtimer_interrupt, the 30 % on what an isolated CPU adds: both fitted to just these."""
    for name, parameter in (("busy gain %", "HRT_INT"), ("cyclictest %", "NOHZ_IRQ")):
        first = rests(name).bars[0]
        assert (first.parameter, first.status.value) == (parameter, "fitted")


@pytest.mark.parametrize("name", ALL)
def test_bars_are_ranked_and_around_the_value(name: str) -> None:
    """The strongest first, at most ten, each with the value between its ends, and its machine's status."""
    shown = rests(name)
    reach = [max(abs(bar.lower - shown.value), abs(bar.higher - shown.value)) for bar in shown.bars]
    assert reach == sorted(reach, reverse=True) and 0 < len(reach) <= MOST
    for bar in shown.bars:
        assert min(bar.lower, bar.higher) < shown.value < max(bar.lower, bar.higher)
        assert bar.status is HSW16.parameters[bar.parameter].status
    assert shown.band.low < shown.value < shown.band.high


@pytest.mark.parametrize("name", ALL)
def test_picture_and_twin_are_one(name: str) -> None:
    """The same sentence, every parameter in both, nothing clipped, nothing over another, 80 columns."""
    shown = rests(name)
    svg, twin = sensitivity_svg(shown), sensitivity_text(shown)
    assert alternative(svg) == shown.foot and " ".join(twin.split()).endswith(shown.foot)
    assert max(map(len, twin.splitlines())) <= 80
    texts = [w.says for w in words(svg)]
    for bar in shown.bars:
        assert bar.parameter in texts and bar.parameter in twin
        assert shown.change(bar.lower) in texts and shown.change(bar.higher) in twin
    assert all(0 <= w.left and w.right <= 960 and w.y < size(svg)[1] for w in words(svg))
    assert overlaps(svg) == []


def test_setting_in_code_is_pressing_a_button() -> None:
    """From either side; what is not offered changes nothing."""
    lab = RestsOn()
    assert lab.headline == HEADLINES[0]
    lab.headline = "cyclictest %"
    assert lab._headline.value == "cyclictest %" and lab.shown == rests("cyclictest %")
    lab._headline.value = "halting gain"
    assert lab.foot.startswith("halting gain: −20 cycles") and repr(lab) == sensitivity_text(lab.shown)
    with pytest.raises(BadInput, match="did you mean busy"):
        lab.headline = "bussy"
    assert lab.headline == "halting gain"
    with pytest.raises(BadInput, match="headline"):
        rests("speed")
