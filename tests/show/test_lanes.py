"""Races and their swim lanes: found by exploration, told by runs, the same in picture and twin."""

from functools import cache

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput, ModelError
from kvmlab.kernels.names import kernel
from kvmlab.machine.property import broken
from kvmlab.scenarios.mechanisms import EATEN, NAMES
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import mechanisms
from kvmlab.schedulers.replay import replay
from kvmlab.show import races
from kvmlab.show.lanes import CHANGES, Lanes, deciding, lanes
from kvmlab.show.lanes_svg import lanes_svg
from kvmlab.show.lanes_text import lanes_text
from kvmlab.show.nets import FALLS
from kvmlab.show.not_lost import explained
from kvmlab.show.races import RACES, Race, race
from kvmlab.show.widgets.lanes import SwimLanes

EVERY = pytest.mark.parametrize("name", RACES)


@cache
def shown(name: str) -> Lanes:
    """Return a race as a picture's data."""
    return lanes(race(name))


# --- the races are found, not told --------------------------------------------------------------


@EVERY
def test_a_race_is_a_shortest_loss_by_its_mechanism(name: str) -> None:
    """Its run ends in a broken property, by the mechanism it is there for, and no schedule does it faster."""
    told = race(name)
    assert told.scenario.monitor is not None
    found = {m.name: m.steps for m in mechanisms(told.scenario, told.scenario.monitor)}
    worst = broken(told.scenario.properties, told.run.state)
    assert worst is not None and worst.label == "LOST"
    assert len(told.run.steps) == found[told.mechanism]
    assert explained(told.scenario, told.run) == FALLS[told.mechanism]


@EVERY
def test_the_same_schedule_loses_nothing_where_every_schedule_holds(name: str) -> None:
    """The other kernel is proved good, and its run goes on to rest without a loss on the way."""
    told = race(name)
    assert explore(told.rival).verdict == "ok"
    assert told.rival.done(told.rival_run.state)
    assert not any(broken(told.rival.properties, step.after) for step in told.rival_run.steps)


def test_the_races_cover_every_mechanism_of_the_kernels() -> None:
    """What is left: SN came in later, and a kick is eaten too late where no kernel has its recheck."""
    assert {race(name).mechanism for name in RACES} == set(FALLS)
    assert set(NAMES.values()) - set(FALLS) == {"notification suppressed by SN", "kick eaten by the host"}


def test_a_race_that_does_not_happen_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that holds has no race, and a name that is none is told."""
    monkeypatch.setitem(RACES, "none", Race("b95234c", NAMES[EATEN]))
    with pytest.raises(ModelError, match="b95234c does not lose by notification eaten"):
        race("none")
    with pytest.raises(BadInput, match="did you mean race"):
        race("race 3")


def test_who_cannot_move_when_it_is_his_turn_moves_when_he_can() -> None:
    """Under TSO with the barrier the vCPU waits for its store; the schedule goes on around it."""
    told = race("no barrier")
    labels = told.rival_run.labels
    assert labels.index("s:DRAIN") < labels.index("v:MB") < labels.index("v:SYNC.test")


# --- the picture's data -------------------------------------------------------------------------


@EVERY
def test_the_numbers_are_in_the_order_of_time_and_end_at_the_verdict(name: str) -> None:
    """They run from 1 without a hole; the look that came too early has one, and so has the last step."""
    told = race(name)
    steps = deciding(told.scenario, told.run)
    assert list(steps) == sorted(steps) and steps[-1] == len(told.run.steps)
    assert "v:SYNC.test" in [told.run.labels[n - 1] for n in steps]
    numbered = [beat for beat in shown(name).left.beats if beat.number]
    assert [beat.number for beat in numbered] == list(range(1, len(steps) + 1))
    assert [beat.n for beat in numbered] == list(steps)
    assert not any(beat.number for beat in shown(name).right.beats)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("race 1", "IRQ.posted"),
        ("race 2", "KICK.mode"),
        ("VT-d", "IRQ.posted"),
        ("EVENT used up", "CHECK_EVENT"),
        ("no barrier", "KICK.mode"),
    ],
)
def test_the_step_that_made_it_vain_has_a_number(name: str, label: str) -> None:
    """Eaten, finding nobody, using the request up: the mechanism's own step is among the decisive ones."""
    assert label in [beat.step for beat in shown(name).left.beats if beat.number]


@EVERY
def test_a_lane_tells_what_the_step_did(name: str) -> None:
    """The sync looks in vain on the left, and finds ON set on the right; there it is bold for that."""
    left, right = shown(name).left, shown(name).right
    assert [beat.does for beat in left.beats if beat.step == "SYNC.test"] == ["ON? 0"]
    found = [beat for beat in right.beats if beat.step == "SYNC.test"]
    assert [beat.does for beat in found] == ["ON? 1"] and shown(name).tells(found[0])
    assert "0x31 is delivered" in [beat.does for beat in right.beats]
    assert (left.lost, right.lost) == (True, False)


@EVERY
def test_what_is_left_out_is_counted_and_changes_nothing_told(name: str) -> None:
    """No step that changes a cell of the lanes is left out."""
    told, view = race(name), shown(name)
    for side, run in ((view.left, told.run), (view.right, told.rival_run)):
        assert len(side.beats) + side.others == len(run.steps)
        for n in {*range(1, len(run.steps) + 1)} - {beat.n for beat in side.beats}:
            step = run.steps[n - 1]
            changed = {cell for cell, _, _ in run.system.layout.changes(step.before, step.after)}
            assert not changed & CHANGES.keys()


# --- picture and twin ---------------------------------------------------------------------------


@EVERY
def test_picture_and_twin_end_in_the_same_sentence(name: str) -> None:
    """The foot is the alternative text, the picture's last line or two, and the end of the twin."""
    svg = lanes_svg(shown(name))
    texts = sorted(words(svg), key=lambda w: w.y)
    lines = [w.says for w in texts if w.y > size(svg)[1] - 44]
    assert alternative(svg) == shown(name).foot == " ".join(lines)
    assert " ".join(lanes_text(shown(name)).split()).endswith(shown(name).foot)


@EVERY
def test_nothing_is_clipped_and_no_texts_collide(name: str) -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    svg = lanes_svg(shown(name))
    wide, high = size(svg)
    assert wide == 960 and high <= 460
    assert all(0 <= w.left and w.right <= wide and 0 < w.y <= high - 4 for w in words(svg))
    assert overlaps(svg) == []


@EVERY
def test_the_sides_keep_apart(name: str) -> None:
    """No text of the left kernel reaches over the line between the two."""
    svg = lanes_svg(shown(name))
    high = size(svg)[1] - 44
    assert not any(w.left < 478 < w.right for w in words(svg) if w.y < high)


@EVERY
def test_the_twin_tells_every_step_in_80_columns(name: str) -> None:
    """Each step of both sides is a line with what it did."""
    lines = lanes_text(shown(name)).splitlines()
    assert max(map(len, lines)) <= 80
    for beat in (*shown(name).left.beats, *shown(name).right.beats):
        assert any(beat.step in line and beat.does in line for line in lines)


# --- the widget ---------------------------------------------------------------------------------


def test_a_button_or_code_chooses_the_race() -> None:
    """Both draw the same; a race that is none changes nothing; its schedule fits its scenario."""
    lab = SwimLanes("race 1")
    lab._race.value = "VT-d"
    assert (lab.race, lab.foot) == ("VT-d", shown("VT-d").foot)
    with pytest.raises(BadInput, match="did you mean race"):
        lab.race = "race 9"
    lab.race = "race 2"
    assert lab._race.value == "race 2"
    assert lab.children[-1].value == lanes_svg(shown("race 2"))
    assert repr(lab) == lanes_text(shown("race 2"))
    assert not replay(lab.told.scenario.system, lab.told.schedule).stopped


def test_the_buttons_have_a_name() -> None:
    """What they choose stands before them, and each says which."""
    lab = SwimLanes()
    assert lab.children[0].children[0].value == "Race"
    assert list(lab._race.options) == list(races.RACES)


def test_a_kernel_has_to_be_modelled_for_it() -> None:
    """The kernels of the races are."""
    for told in RACES.values():
        posted_interrupts(kernel(told.kernel), **told.knobs)
        posted_interrupts(kernel(told.holds), **told.cured)
