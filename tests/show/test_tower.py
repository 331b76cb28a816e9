"""The level view: any state of any scenario that has levels, as a picture, in words, beside a stepper."""

from functools import cache

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.processor import preemption_timer
from kvmlab.processor.controls import MONITOR_TRAP_FLAG
from kvmlab.scenarios.cpuid import cpuid
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.unittests.scenario import unit_test
from kvmlab.schedulers.clock import clocked
from kvmlab.show.tower import Tower, tower
from kvmlab.show.tower_svg import tower_svg
from kvmlab.show.tower_text import tower_text
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.tower import LevelView, following


def scenarios() -> list[Scenario]:
    """Return scenarios of every kind that has levels."""
    new = kernel("d264ee0")
    return [
        levels(new, levels=3, methods="L1=ipi", after=2),
        cpuid(new, levels=4),
        immediate_exit(kernel("d6185f2")),
        posted_interrupts(kernel("b95234c")),
        unit_test("preemption timer", [new, new], [CpuModel()] * 2),
    ]


@cache
def frames() -> list[Tower]:
    """Return every tenth state of a run of each."""
    return [
        tower(scenario, step.after)
        for scenario in scenarios()
        for step in clocked(scenario.system, limit=150).steps[::10]
    ]


def test_one_level_runs_on_the_card_in_the_slot() -> None:
    """In every state: one floor is outlined; a guest runs on the card that names it."""
    for seen in frames():
        assert sum(floor.running for floor in seen.floors) == 1
        slot = seen.floors[0].slot
        assert slot is not None and seen.running.level in (0, slot.guest)


def test_a_level_is_kvm_a_hypervisor_or_a_guest() -> None:
    """KVMs at the bottom, a guest on top, and between them whoever fills in a form for it."""
    kinds = [[floor.who for floor in tower(s, s.system.start).floors] for s in scenarios()]
    assert kinds == [
        ["KVM", "KVM", "KVM", "hypervisor", "guest"],
        ["KVM", "KVM", "KVM", "KVM", "guest"],
        ["KVM", "hypervisor", "guest"],
        ["KVM", "guest"],
        ["KVM", "KVM", "hypervisor", "guest"],
    ]


def test_cards_have_the_kernels_names_beside_the_courses() -> None:
    """V[0→1] is vmcs01 to its owner; whatever runs a guest's guest is its vmcs02."""
    seen = tower(scenarios()[0], scenarios()[0].system.start)
    assert [(card.name, card.relative) for card in seen.floors[0].cards[:2]] == [
        ("V[0→1]", "vmcs01"),
        ("V[0→2]", "vmcs02"),
    ]
    assert seen.card(1, 2).relative == "vmcs01" and seen.card(1, 4).relative == "vmcs02"


def test_the_trap_flag_is_a_wish_too() -> None:
    """Each control that makes a guest leave at once is a wish on its card."""
    scenario = immediate_exit(kernel("d6185f2"))
    state = list(scenario.system.start)
    card = scenario.records["vcpu"].guests[1].vmcs
    assert not tower(scenario, tuple(state)).card(0, 2).wish
    state[card.proc] |= MONITOR_TRAP_FLAG
    assert tower(scenario, tuple(state)).card(0, 2).wish == "MTF"


def test_only_a_timer_of_0_is_a_wish() -> None:
    """Any other value is a countdown, and a timer that is off is nothing."""
    scenario = levels(kernel("d264ee0"), levels=1)
    form, state = scenario.records["stack"].form, list(scenario.system.start)
    preemption_timer.arm(state, form, 1)
    assert not tower(scenario, tuple(state)).card(1, 2).wish
    preemption_timer.arm(state, form, 0)
    assert tower(scenario, tuple(state)).card(1, 2).wish == "timer 0"
    preemption_timer.disarm(state, form)
    assert not tower(scenario, tuple(state)).card(1, 2).wish


def test_picture_and_twin_end_in_the_same_sentence() -> None:
    """The foot, the alternative text and the end of the twin are one sentence."""
    for seen in frames():
        svg = tower_svg(seen)
        assert alternative(svg) == seen.foot
        assert " ".join(tower_text(seen).split()).endswith(seen.foot)
        assert " ".join(w.says for w in sorted(words(svg), key=lambda w: w.y) if w.y > 290) == seen.foot


def test_nothing_is_clipped_and_no_texts_collide() -> None:
    """Every text lies inside the picture and clear of every other; the twin fits a terminal."""
    for seen in frames():
        svg = tower_svg(seen)
        wide, high = size(svg)
        assert all(0 <= w.left and w.right <= wide and 0 < w.y <= high - 2 for w in words(svg))
        assert overlaps(svg) == []
        assert max(map(len, tower_text(seen).splitlines())) <= 80


def test_it_follows_a_stepper() -> None:
    """At every press the levels are those at the cursor."""
    scenario = levels(kernel("d264ee0"), levels=2, methods="L1=ipi", after=2)
    stepper = Stepper([scenario])
    shown = following(stepper, {1: "under test"})
    assert shown.seen == tower(scenario, scenario.system.start, {1: "under test"})
    for _ in range(6):
        stepper.step()
    assert shown.seen == tower(scenario, stepper.desk.session.state, {1: "under test"})
    assert shown.seen.card(0, 1).loaded and "under test" in repr(shown)


def test_a_view_is_its_picture_and_its_twin() -> None:
    """Set another state, and both change."""
    first, *_, last = frames()
    shown = LevelView(first, "Who runs")
    shown.seen = last
    assert (shown.foot, repr(shown)) == (last.foot, tower_text(last, "Who runs"))
    assert shown.children[0].value == tower_svg(last, "Who runs")


def test_a_scenario_without_levels_is_refused() -> None:
    """One clear error."""
    some = scenarios()[3]
    bare = Scenario("wakeup", "", some.kernel, some.system, (), some.done, "", records={})
    with pytest.raises(BadInput, match="wakeup has no levels"):
        tower(bare, some.system.start)
