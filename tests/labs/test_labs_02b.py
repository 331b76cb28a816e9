"""Notebook 02b: its questions are true, the explorer grades the hunt, misses are shown as they are."""

from collections import Counter

import pytest

pytest.importorskip("ipywidgets")
pytest.importorskip("matplotlib")

import ipywidgets as widgets

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.labs import hunt as hunting
from kvmlab.labs import hunt_bench, nb02b
from kvmlab.labs.alarm_grid import WRITES
from kvmlab.labs.computing import COMPUTING, OLD, computing
from kvmlab.labs.hunt import ANSWERS, CELLS, MEANS, Cell, Grade, grade
from kvmlab.labs.hunt_bench import HuntBench
from kvmlab.labs.questions02b import QUESTIONS
from kvmlab.processor.errata import BROKEN_PREEMPTION_TIMER
from kvmlab.scenarios.latency import cyclictest
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.sensitivity import rests
from kvmlab.show.verdicts import Verdict, verdict

RIGHT = {
    ("64672c9", "writes 0"): "too often",
    ("64672c9", "writes far"): "too often",
    ("v4.10", "writes 0"): "too often",
    ("v4.10", "is woken"): "too often",
}
"""What the page's answer says; everywhere else all is well."""


def test_02b_1_the_choices_are_ranked_as_the_feedback_says() -> None:
    """Of the four numbers in the question the one that only the kernel before pays moves the figure most."""
    named = [choice.text.split(",")[0] for choice in QUESTIONS["02b.1"].choices]
    bars = {bar.parameter: bar for bar in rests("busy gain %").bars}
    reach = {name: abs(bars[name].higher - rests("busy gain %").value) for name in named if name in bars}
    right = next(choice for choice in QUESTIONS["02b.1"].choices if choice.right)
    assert max(reach, key=lambda name: reach[name]) == right.text.split(",")[0]
    assert (
        "24.4 %" in QUESTIONS["02b.1"].text
        and rests("busy gain %").amount(rests("busy gain %").value) == "24.4 %"
    )


def test_what_the_percentages_rest_on_is_not_measured() -> None:
    """Of the numbers behind the 25 % the tenth is the first that is; the first of both is fitted to them."""
    known = [bar.status.value for bar in rests("busy gain %").bars[:10]]
    assert known.index("measured") == 9
    assert rests("cyclictest %").bars[0].parameter == "NOHZ_IRQ"


def test_a_halting_guest_gains_in_cyclictest_what_arming_saves() -> None:
    """It starts an hrtimer on its way, or sets the preemption timer; the 20 cycles of the alarm are lost."""
    before, after = (
        measure(cyclictest(kernel(name), guest="halt", samples=16, poll=True), HSW16).parameters
        for name in ("v4.7", "64672c9")
    )
    changed = {name: after.get(name, 0) - before.get(name, 0) for name in {*before, *after}}
    arming = {"HRT_START": -620, "HV_SET": 90, "HV_ARM": 60}
    assert {name: n for name, n in changed.items() if n} == {**arming, "HV_POSTBLOCK": 14, "HV_CHECK": 6}


def test_the_hole_is_a_second_interrupt_that_the_guest_takes() -> None:
    """In v4.19 the guest runs between the two; v6.1 gives it one."""
    shown = nb02b.hole("v4.19").shown
    given = [one.came for one in shown.alarm if one.who == "guest"]
    assert 1 in given and shown.alarm[-1].came == 2
    assert shown.foot.endswith("KVM itself rings, then the hrtimer: 2 interrupts.")
    assert nb02b.hole("v6.1").shown.alarm[-1].came == 1


def test_02b_2_half_a_feature_is_early() -> None:
    """v4.19 waits for a deadline, but not for a period; v6.1 waits for both, and is never early."""
    for timer, early in (("periodic", True), ("deadline", False)):
        rows = [line.split() for line in nb02b.latency("v4.19", "v6.1", timer=timer).splitlines()[1:]]
        assert (int(rows[-1][1]) < 0) == early
        assert all(int(row[2]) >= 440 for row in rows)
    right = next(c.text for c in QUESTIONS["02b.2"].choices if c.right)
    assert right == "the interrupt before its period ends"
    with pytest.raises(BadInput, match="did you mean periodic"):
        nb02b.latency("v4.19", timer="periods")


def test_a_posted_timer_is_about_as_late_and_leaves_out_the_exit() -> None:
    """The picture's second row has no exit and no entry, and is as long to a percent."""
    shown = nb02b.picture("busy", "v6.1", "v6.1+pi-inject-timer=1").shown
    assert abs(shown.after.total - shown.before.total) * 100 < shown.before.total
    told = repr(nb02b.picture("busy", "v6.1+pi-inject-timer=1"))
    assert "HW_EXIT" not in told and "HW_ENTRY" not in told and "PI_PROC" in told


@pytest.mark.parametrize("number", QUESTIONS)
def test_show_me_opens_what_answers_it(number: str) -> None:
    """And the feedback ends in the fact."""
    box = nb02b.predict(number)
    assert box.answer(1).endswith(QUESTIONS[number].fact) and len(box._scene.children) == 1


def test_the_recorded_machine_is_predicted_and_its_misses_are_shown() -> None:
    """A halt's longest to the percent, its shortest not; a busy guest with the hrtimer to 2 % and a tenth.

    With the preemption timer it is a fifth short. Ten instructions an event more, and halts take turns.
    """
    misses = [float(line.split()[-2]) for line in nb02b.recorded_machine().splitlines() if line.endswith("%")]
    longest, shortest, first, last, event = zip(misses[::2], misses[1::2], strict=True)
    assert all(abs(miss) < 1 for miss in longest) and all(14 < miss < 15 for miss in shortest)
    assert abs(first[0]) < 2 and 8 < last[0] < 12 and -20 < first[1] < -18 and -18 < last[1] < -16
    assert abs(event[0]) < 1 and -5 < event[1] - first[1] < -3


def test_the_hunts_answers_are_the_pages() -> None:
    """Every cell, by the explorer."""
    for each in grade(dict.fromkeys(CELLS, "ok")):
        assert each.answer == RIGHT.get(each.cell, "ok")
        assert each.agrees == (each.cell not in RIGHT)


def test_every_property_has_an_answer() -> None:
    """What must hold in the hunt's scenario, and nothing else."""
    assert set(MEANS) == {prop.label for prop in WRITES["is woken"](kernel("v4.7")).properties}
    assert set(MEANS.values()) | {"ok"} == set(ANSWERS)


def test_a_grade_is_a_search_of_its_own() -> None:
    """What it names is what a search finds, in as many steps."""
    (found,) = grade({("v4.10", "writes 0"): "never"})
    worst = explore(WRITES["writes 0"](kernel("v4.10"))).shortest
    assert worst is not None and (found.broken, found.steps) == (worst.property.label, len(worst.labels) - 1)
    assert not found.agrees and str(found).startswith(
        "✕ v4.10, writes 0: you said never; the explorer found SPURIOUS"
    )


def test_the_hunt_is_graded_as_far_as_it_was_guessed() -> None:
    """Nothing before a guess; an old grade goes with a new guess; the table comes when all are guessed."""
    hunt = HuntBench()
    assert hunt.check() == [] and "Guess first" in hunt._said.value
    hunt.guess("64672c9", "writes far", "too often")
    hunt.guess("v4.7", "writes 0", "never")
    assert [each.agrees for each in hunt.check()] == [False, True]
    assert "1 of 2 agree with the explorer; 10 are open." in repr(hunt) and hunt._below.children == ()
    hunt.guess("v4.7", "writes 0", "ok")
    assert hunt._said.value == "" and "agree" not in repr(hunt)
    for cell in CELLS:
        hunt.guess(*cell, RIGHT.get(cell, "ok"))
    assert all(each.agrees for each in hunt.check()) and len(hunt._below.children) == 1
    (table,) = hunt._below.children
    assert hunt.check() and hunt._below.children == (table,)
    assert max(map(len, repr(hunt).splitlines())) <= 80 + 10


def test_the_hunt_says_that_it_computes_before_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the histogram; then come the grades."""
    hunt, asked, said = HuntBench(), list[str](), list[str]()

    def graded(guesses: dict[Cell, str]) -> list[Grade]:
        asked.append(hunt._said.value)
        return grade(guesses)

    monkeypatch.setattr(hunt_bench, "grade", graded)
    hunt.guess("v4.7", "writes 0", "ok")
    hunt._said.observe(lambda change: said.append(change["new"]), "value")
    hunt.check()
    assert asked == [COMPUTING] == said[:-1] and "1 of 1 agree" in said[-1]


def test_no_cell_of_the_hunt_is_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The grades and the proof table are of one search a cell, whoever hunts."""
    tried = Counter[str]()

    def counted(column: str, scenario: Scenario) -> Verdict:
        tried[f"{scenario.kernel.name}, {column}"] += 1
        return verdict(column, scenario)

    monkeypatch.setattr(hunting, "verdict", counted)
    hunting._verdict.cache_clear()
    for hunt in (HuntBench(), HuntBench()):
        for cell in CELLS:
            hunt.guess(*cell, "ok")
        found = [each.found for each in hunt.check()]
        (table,) = hunt._below.children
        assert found == [c.exploration for c in table.table.cells.values()]
    assert len(tried) == len(CELLS) == tried.total()


def test_what_could_not_be_computed_leaves_what_was_said() -> None:
    """The sentence and the picture are as they were, and the error goes on its way."""
    said, picture = widgets.HTML("before"), widgets.HTML()
    with pytest.raises(ZeroDivisionError), computing(said, picture):
        assert said.value == COMPUTING and OLD in picture._dom_classes and OLD in COMPUTING
        raise ZeroDivisionError
    assert said.value == "before" and OLD not in picture._dom_classes


@pytest.mark.parametrize(
    "wrong", [("v4.9", "writes 0", "ok"), ("v4.7", "sleeps", "ok"), ("v4.7", "writes 0", "maybe")]
)
def test_what_the_hunt_refuses_changes_nothing(wrong: tuple[str, str, str]) -> None:
    """A version, a case or an answer that does not exist."""
    hunt = HuntBench()
    with pytest.raises(BadInput, match="unknown"):
        hunt.guess(*wrong)
    assert {box.value for box in hunt._guesses.values()} == {"?"} and "ok" in ANSWERS


def test_the_table_of_broken_timers_is_the_models() -> None:
    """A line each; and such a host costs what an hrtimer costs."""
    assert len(nb02b.broken_timers().splitlines()) == 1 + len(BROKEN_PREEMPTION_TIMER)
    works, broken = map(int, nb02b.tscdeadline("v4.10").splitlines()[1].split()[1:])
    assert broken - works == 800
