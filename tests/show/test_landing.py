"""One instead of zero: where the exit lands is what the counter's definition says, in every phase."""

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.scenarios.landing import RATE, landing
from kvmlab.show.landing import PERIOD, ROWS, foot, landing_svg, landing_text, landings
from kvmlab.show.widgets.landing import Landings

PHASES = range(PERIOD)


def counted(phase: int, ticks: int) -> int:
    """Count cycles by hand: the counter drops whenever bit X of the TSC differs from the cycle before."""
    tsc = phase
    while ticks:
        tsc += 1
        ticks -= (tsc >> RATE & 1) != (tsc - 1 >> RATE & 1)
    return tsc - phase


def test_the_exit_lands_where_the_counter_is_at_zero() -> None:
    """A guest of one instruction a cycle gets as far as the ticks, counted by hand, in every phase."""
    for phase in PHASES:
        for row in landings(phase):
            value = ROWS[row.name]
            if value is not None:
                assert (row.instructions, row.reason) == (counted(phase, value), "PREEMPTION_TIMER")


def test_zero_is_always_at_once_and_one_never() -> None:
    """1 lands anywhere within a tick, but for 0; the monitor trap flag always behind one instruction."""
    zero, one, _, mtf = zip(*(landings(phase) for phase in PHASES), strict=True)
    assert {row.instructions for row in zero} == {0}
    assert sorted(row.instructions for row in one) == list(range(1, PERIOD + 1))
    assert {(row.instructions, row.reason) for row in mtf} == {(1, "MONITOR_TRAP_FLAG")}


def test_picture_and_twin_end_in_the_same_sentence() -> None:
    """And nothing is clipped, nothing collides, and the twin fits a terminal."""
    for phase in PHASES:
        svg, twin = landing_svg(phase), landing_text(phase)
        wide, high = size(svg)
        assert alternative(svg) == foot(phase) == max(words(svg), key=lambda w: w.y).says
        assert " ".join(twin.split()).endswith(foot(phase))
        assert all(0 <= w.left and w.right <= wide and 0 < w.y <= high for w in words(svg))
        assert overlaps(svg) == [] and max(map(len, twin.splitlines())) <= 80


def test_the_knob_redraws_the_picture() -> None:
    """Set in code or moved by hand; a phase that the TSC cannot have changes nothing."""
    knob = Landings(3)
    knob._phase.value = 20
    assert (knob.phase, repr(knob), knob.foot) == (20, landing_text(20), foot(20))
    assert knob.children[-1].value == landing_svg(20)
    with pytest.raises(BadInput, match="phase=32: 0 to 31"):
        knob.phase = 32
    assert knob.phase == 20


@pytest.mark.parametrize(("value", "phase"), [(-1, 0), (1 << 32, 0), (0, 32), (0, -1)])
def test_what_hardware_cannot_have_is_refused(value: int, phase: int) -> None:
    """One clear error, before anything is built."""
    with pytest.raises(BadInput):
        landing(value, phase)
