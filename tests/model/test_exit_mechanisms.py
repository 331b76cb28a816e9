"""Why a forced exit comes too late: every mix of kernels and methods that breaks has a named mechanism."""

import pytest

from kvmlab.kernels.names import LISTED, kernel
from kvmlab.scenarios import exit_mechanisms as em
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import OTHER, mechanisms

LEVELS = [name for name in LISTED if "levels" in kernel(name).scope]
MIXES: list[dict[str, object]] = [
    {"levels": 1},
    {"levels": 1, "no_a1": True, "cpus": "L0=no-timer"},
    {"levels": 1, "no_a1": True, "cancel": True},
    {"levels": 2},
    {"levels": 2, "no_a1": True},
    {"levels": 2, "methods": "L0=ipi,L1=timer0", "no_a1": True},
    {"levels": 3},
]


def names(question: Scenario) -> set[str]:
    """Return the names of the mechanisms; there is one exactly where something breaks."""
    found = {each.name for each in mechanisms(question, em.MONITOR)}
    assert bool(found) == (explore(question).verdict == "violated")
    return found


@pytest.mark.parametrize("name", LEVELS)
def test_every_late_exit_has_a_named_mechanism(name: str) -> None:
    """None is unknown."""
    for knobs in MIXES:
        assert OTHER not in names(levels(kernel(name), **knobs))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "knobs", "bits"),
    [
        ("v4.18", {"levels": 1, "no_a1": True}, {em.LATE_IPI}),
        ("v4.18", {"levels": 2, "methods": "L0=timer0,L1=ipi"}, {em.KEPT}),
        ("v4.18", {"levels": 3}, {em.KEPT << 1}),
        ("v4.18", {"levels": 2, "methods": "L0=ipi,L1=timer0", "no_a1": True}, {em.LATE_IPI}),
        ("v4.18+b5861e5", {"levels": 2, "no_a1": True}, {em.LATE_IPI}),
        ("v4.18", {"levels": 1, "cancel": True}, {em.DROPPED}),
        ("d264ee0", {"levels": 2, "cancel": True}, {em.DROPPED << 1}),
        ("d264ee0+8081ad0", {"levels": 1, "cancel": True}, set()),
    ],
)
def test_where_the_exit_got_stuck(name: str, knobs: dict[str, object], bits: set[int]) -> None:
    """On its way at level 0, kept one level down, or dropped with an entry that was cancelled."""
    question = levels(kernel(name), **knobs)  # type: ignore[arg-type]
    assert names(question) == {em.NAMES[bit] for bit in bits}


@pytest.mark.parametrize(
    ("name", "knobs", "bits"),
    [
        ("v3.2", {}, {em.NOT_ASKED}),
        ("v3.2+fake-exit", {}, {em.THROWN}),
        ("d6185f2+mtf", {}, {em.BEHIND}),
        ("d6185f2", {"cancel": True}, {em.DROPPED}),
        ("v3.10", {"cancel": True}, {em.DROPPED}),
        ("v3.10", {"faults": 1}, {em.NOT_LOOKED}),
        ("v3.10+8081ad0", {"cancel": True}, set()),
    ],
)
def test_the_first_lesson_s_bugs_have_theirs(name: str, knobs: dict[str, object], bits: set[int]) -> None:
    """Nobody asks; the shortcut throws the injection away; MTF is one instruction late; a wish is dropped."""
    question = immediate_exit(kernel(name), **knobs)  # type: ignore[arg-type]
    assert names(question) == {em.NAMES[bit] for bit in bits}
