"""Why an alarm goes wrong: every ablation of the switch code that breaks has a named mechanism."""

from functools import cache

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.kernels.timers import switch_steps
from kvmlab.scenarios import alarm_mechanisms as am
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import OTHER, Mechanism, mechanisms, mechanisms_in

POSTED = "v6.1+pi-inject-timer=1"
KERNELS = ("64672c9", "v4.10", "v4.18", "v6.1", POSTED)
"""One for each state of the switch code."""
MORE: tuple[dict[str, object], ...] = ({"rewrite": "off"}, {"rewrite": "far"}, {"migrations": 1})
ABLATIONS: list[tuple[str, str, dict[str, object]]]
ABLATIONS = [(name, label, {}) for name in KERNELS for label in switch_steps(kernel(name))]
ABLATIONS += [("64672c9", label, knobs) for label in switch_steps(kernel("64672c9")) for knobs in MORE]
ABLATIONS += [("v4.18", label, {"migrations": 1}) for label in ("LOAD.in_use", "LOAD.restart")]


@cache
def why(name: str, **knobs: object) -> tuple[Mechanism, ...]:
    """Return the mechanisms of what a search found; each has broken what its schedule breaks."""
    question = hv_timer(kernel(name), **knobs)  # type: ignore[arg-type]
    return mechanisms_in(question, am.MONITOR, explore(question).violations)


def names(found: tuple[Mechanism, ...]) -> set[str]:
    """Return the names alone."""
    return {each.name for each in found}


@pytest.mark.parametrize(("name", "label", "knobs"), ABLATIONS)
def test_every_ablation_that_breaks_has_a_named_mechanism(
    name: str, label: str, knobs: dict[str, object]
) -> None:
    """None is unknown, whatever the guest writes over its deadline, and wherever the thread is moved."""
    question = hv_timer(kernel(name), wakes=0, without=(label,), **knobs)  # type: ignore[arg-type]
    found = mechanisms(question, am.MONITOR)
    assert bool(found) == (explore(question).verdict == "violated")
    assert OTHER not in names(found)


LACKS: dict[tuple[str, str], tuple[int, ...]] = {
    ("v4.18", "pre_block()"): (am.ASLEEP,),
    ("v4.18", "SW.switch"): (am.ASLEEP,),
    ("64672c9", "start_sw_timer()"): (am.GIVEN_UP,),
    ("64672c9", "SW.cancel_hv"): (am.BOTH, am.HV_TOO),
    ("v4.18", "start_sw_timer()"): (am.HV_TOO,),
    ("v4.18", "HV.set"): (am.NOT_SET,),
    ("v4.10", "HV.expired"): (am.TWICE,),
    ("v4.10", "HV.return"): (am.BOTH, am.HV_TOO, am.HV_STAYS),
    ("v4.10", "apic_timer_expired()"): (am.GIVEN_UP, am.NOT_TOLD),
    ("v4.18", "SW.start"): (am.TO_COME,),
    ("v6.1", "SW.start"): (am.TO_COME, am.ZERO),
    ("v4.18", "SW.cancel_hv"): (am.BOTH, am.HV_TOO),
    (POSTED, "start_sw_timer()"): (am.UNSET,),
    (POSTED, "SW.in_use"): (am.HRTIMER_TOO,),
    ("v6.1", "HV.passed"): (am.NOT_TOLD,),
    ("v6.1", "HV.deadline"): (am.ZERO,),
}
"""Step of the switch code -> what its absence does."""


@pytest.mark.parametrize(("name", "label"), LACKS)
def test_what_a_step_is_good_for(name: str, label: str) -> None:
    """A switch that is left out strands the alarm, a cancel that is left out makes two of it, and so on."""
    question = hv_timer(kernel(name), wakes=0, without=(label,))
    assert names(mechanisms(question, am.MONITOR)) == {am.NAMES[bit] for bit in LACKS[name, label]}


@pytest.mark.parametrize(
    ("name", "knobs", "bits"),
    [
        ("v4.10", {}, {am.ZERO}),
        ("v4.10", {"without": ("HRT.cancel",)}, {am.ZERO, am.BOTH, am.HRTIMER_STAYS}),
        ("v4.10", {"wakes": 0, "rewrite": "off"}, {am.ZERO}),
        ("64672c9", {"wakes": 0, "rewrite": "far"}, {am.OVERWRITTEN, am.HV_STAYS}),
        ("64672c9", {"wakes": 0, "rewrite": "off"}, {am.OVERWRITTEN}),
        ("v4.19", {"refuse": True}, {am.HRTIMER_TOO}),
        ("v6.1", {"wakes": 0, "refuse": True, "without": ("start_sw_timer()",)}, {am.REFUSED}),
        ("v6.1", {"wakes": 0, "refuse": True, "without": ("HV.in_use",)}, {am.STRAY}),
        ("v6.1", {"wakes": 0, "rewrite": "off", "without": ("SW.start",)}, {am.TO_COME, am.ZERO}),
        ("v4.19", {"wakes": 0, "migrations": 1, "without": ("LOAD.in_use",)}, {am.ASLEEP}),
        (POSTED, {"wakes": 0, "rewrite": "off"}, {am.POSTED}),
        (POSTED, {"wakes": 0, "rewrite": "far"}, {am.POSTED}),
    ],
)
def test_the_known_bugs_have_their_mechanism(name: str, knobs: dict[str, object], bits: set[int]) -> None:
    """4.10 takes 0 for a deadline; as merged an old one is kept; 4.19 starts a queued hrtimer anew."""
    assert names(why(name, **knobs)) == {am.NAMES[bit] for bit in bits}


def test_what_a_search_found_is_part_of_what_there_is() -> None:
    """Hashing merges ways, so the schedules of a search may show less, never more."""
    question = hv_timer(kernel("v4.10"), wakes=0, without=("HV.return",))
    some = mechanisms_in(question, am.MONITOR, explore(question).violations)
    every = mechanisms(question, am.MONITOR)
    assert some and names(some) <= names(every)
    assert {each.steps for each in some} >= {min(each.steps for each in every)}


def test_what_holds_has_no_mechanism() -> None:
    """The released kernels, where they hold."""
    for name in ("64672c9", "v4.18", "v6.1"):
        assert mechanisms(hv_timer(kernel(name), wakes=0), am.MONITOR) == ()
