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
    assert question.monitor is not None
    found = {each.name for each in mechanisms(question, question.monitor)}
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
        ("v4.18", {"levels": 2, "methods": "L0=timer0,L1=ipi"}, {em.kept(0)}),
        ("v4.18", {"levels": 3}, {em.kept(1)}),
        ("v4.18", {"levels": 2, "methods": "L0=ipi,L1=timer0", "no_a1": True}, {em.LATE_IPI}),
        ("v4.18+b5861e5", {"levels": 2, "no_a1": True}, {em.LATE_IPI}),
        ("v4.18", {"levels": 1, "cancel": True}, {em.dropped(0)}),
        ("d264ee0", {"levels": 2, "cancel": True}, {em.dropped(1)}),
        ("d264ee0+8081ad0", {"levels": 1, "cancel": True}, set()),
    ],
)
def test_where_the_exit_got_stuck(name: str, knobs: dict[str, object], bits: set[int]) -> None:
    """On its way at level 0, kept one level down, or dropped with an entry that was cancelled."""
    question = levels(kernel(name), **knobs)  # type: ignore[arg-type]
    assert names(question) == {em.names(3)[bit] for bit in bits}


@pytest.mark.parametrize(
    ("name", "knobs", "bits"),
    [
        ("v3.2", {}, {em.NOT_ASKED}),
        ("v3.2+fake-exit", {}, {em.THROWN}),
        ("d6185f2+mtf", {}, {em.BEHIND}),
        ("d6185f2", {"cancel": True}, {em.dropped(0)}),
        ("v3.10", {"cancel": True}, {em.dropped(0)}),
        ("v3.10", {"faults": 1}, {em.NOT_LOOKED}),
        ("v3.10+8081ad0", {"cancel": True}, set()),
    ],
)
def test_the_first_lesson_s_bugs_have_theirs(name: str, knobs: dict[str, object], bits: set[int]) -> None:
    """Nobody asks; the shortcut throws the injection away; MTF is one instruction late; a wish is dropped."""
    question = immediate_exit(kernel(name), **knobs)  # type: ignore[arg-type]
    assert names(question) == {em.names(3)[bit] for bit in bits}


def test_every_level_has_bits_and_names_of_its_own() -> None:
    """However many levels there are: no bit stands for two things, and none is the one that ends it."""
    named = em.names(40)
    assert len(named) == len(set(named.values())) == 5 + 2 * 40
    assert all(bit.bit_count() == 1 for bit in named) and em.LEFT not in named
    assert named[em.dropped(39)].startswith("L39's wish") and "stayed behind in L39" in named[em.kept(39)]


def rule(label: str, bits: int, **cells: int) -> int:
    """Return the bits behind a step of L0's, with these cells of its vCPU set before."""
    scenario = levels(kernel("v4.18"), levels=2)
    vcpu, s = scenario.records["stack"].vcpus[0], list(scenario.system.start)
    for name, value in cells.items():
        s[getattr(vcpu, name)] = value
    s[vcpu.guests[0].cpu.irr] = 1
    return em.RULES[label](bits, vcpu, s)


def test_a_wish_that_is_decided_on_again_is_no_longer_dropped() -> None:
    """At that level; what another one dropped stays so, and so does all if there is no new wish."""
    both = em.dropped(0) | em.dropped(1)
    assert rule("CANCEL.mode", 0, immediate=1) == em.dropped(0) and rule("CANCEL.mode", 0) == 0
    assert rule("CHECK_IMMEDIATE", both, immediate=1) == em.dropped(1)
    assert rule("CHECK_IMMEDIATE", both) == both


def test_an_entry_says_anew_what_is_wrong_with_it() -> None:
    """An interrupt waits in L2 and nobody asks for an exit: so it is, until an entry with such a wish."""
    assert rule("VMENTRY", 0, current=1) == em.NOT_ASKED
    assert rule("VMENTRY", em.NOT_ASKED | em.LATE_IPI | em.BEHIND, current=1, immediate=1) == 0
