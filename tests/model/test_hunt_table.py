"""The table of notebook 02b's hunt: what four versions do with the timer that was set before."""

import pytest
from functions_bench import DEADLINE, START, bench

from kvmlab.processor.apic_timer import Mode
from kvmlab.scenarios.hv_timer import FAR

SET_BEFORE = {
    "v4.7": {"far": (None, FAR), "off": (None, None)},
    "64672c9": {"far": (DEADLINE, FAR), "off": (DEADLINE, None)},
    "v4.10": {"far": (None, FAR), "off": (START, None)},
    "v4.19": {"far": (None, FAR), "off": (None, None)},
}
"""Kernel -> what the guest writes behind DEADLINE -> what the preemption timer and the hrtimer are set to."""


@pytest.mark.parametrize("what", ["far", "off"])
@pytest.mark.parametrize("name", SET_BEFORE)
def test_what_becomes_of_the_timer_that_was_set_before(name: str, what: str) -> None:
    """As merged nobody cancels the preemption timer; 0 fits neither. To v4.10 it has passed; v4.19 asks."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.write("d", FAR if what == "far" else 0)
    s, timer = made.s, made.timer
    now = tuple(None if s[cell] < 0 else s[cell] for cell in (timer.hv_deadline, timer.hrtimer.expires))
    assert now == SET_BEFORE[name][what]


@pytest.mark.parametrize("name", SET_BEFORE)
def test_the_hrtimer_that_was_set_before_is_cancelled(name: str) -> None:
    """By every version: a far deadline, then a near one; whoever has that, the far one is gone."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", FAR)
    assert made.holders() == (False, True)
    made.write("d", DEADLINE)
    assert made.holders() == (name != "v4.7", name == "v4.7")
    assert made.s[made.timer.hrtimer.expires] == (DEADLINE if name == "v4.7" else -1)
