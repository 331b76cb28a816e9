"""Notebook 02: its questions are true of the recordings and of the model; its tables are what they say."""

from functools import cache

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.labs import nb02, timer_traces
from kvmlab.labs.alarm_grid import HALTS, AlarmVerdicts
from kvmlab.labs.predict import Predict
from kvmlab.labs.question import Question
from kvmlab.labs.questions02 import QUESTIONS as CORE
from kvmlab.labs.questions02b import QUESTIONS as STAR
from kvmlab.labs.timer_traces import WITH, WITHOUT, exits, late, name_of, one_round
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.profile import Status
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.countdown import Countdown
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.traces import load

QUESTIONS = {**CORE, **STAR}


def table(lines: object) -> dict[str, list[str]]:
    """Return the lines of a table: its first column, without blanks, and the others."""
    rows = [line.split() for line in lines]  # type: ignore[attr-defined]
    return {" ".join(row[:-2]): row[-2:] for row in rows}


# --- the questions ------------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_question_has_one_right_answer_and_words_for_each(question: Question) -> None:
    """One choice is right; every choice is told something of its own, and none that it is wrong."""
    assert sum(choice.right for choice in question.choices) == 1
    told = [question.feedback(n) for n in range(1, len(question.choices) + 1)]
    assert len(set(told)) == len(told) and all(text.endswith(question.fact) for text in told)
    assert not any(word in text.lower() for text in told for word in ("wrong", "incorrect", "sorry"))
    twin = question.twin()
    assert question.fact not in " ".join(twin.split()) and max(map(len, twin.splitlines())) <= 80


def right(question: Question) -> str:
    """Return the right choice."""
    return next(choice.text for choice in question.choices if choice.right)


def test_02_1_one_reason_takes_the_place_of_another() -> None:
    """The same number of exits and of entries, 48; sixteen have moved from one row to another."""
    counts = table(exits("busy"))
    assert counts["all exits"] == ["48", "48"]
    assert counts["EXTERNAL_INTERRUPT"] == ["22", "6"] and counts["PREEMPTION_TIMER"] == ["-", "16"]
    for parameter in (WITH, WITHOUT):
        entries = [event for event in load(name_of("busy", parameter)) if event.name == "kvm_entry"]
        assert len(entries) == 48
    assert right(CORE["02.1"]) == "the same number" and "48 entries" in CORE["02.1"].fact


def test_02_1_shows_a_round_that_differs_in_two_lines() -> None:
    """Of KVM's own lines the timer's state and the exit's reason; the rest is the same, name by name."""
    both = [[event for event in one_round(p) if event.name.startswith("kvm_")] for p in (WITHOUT, WITH)]
    told = [[(e.name, e.fields.get("exit_reason"), e.fields.get("hv_timer_in_use")) for e in r] for r in both]
    assert [pair for pair in zip(*told, strict=True) if pair[0] != pair[1]] == [
        (("kvm_hv_timer_state", None, 0), ("kvm_hv_timer_state", None, 1)),
        (("kvm_exit", "EXTERNAL_INTERRUPT", None), ("kvm_exit", "PREEMPTION_TIMER", None)),
    ]


def test_02_2_a_halting_guest_has_no_such_exit() -> None:
    """No PREEMPTION_TIMER at all, 16 deadlines, 32 lines about the timer: what the choices claim."""
    events = load(name_of("halt", WITH))
    reasons = [event.fields["exit_reason"] for event in events if event.name == "kvm_exit"]
    assert (reasons.count("PREEMPTION_TIMER"), reasons.count("HLT")) == (0, 16)
    assert sum(event.name == "kvm_hv_timer_state" for event in events) == 32
    assert right(CORE["02.2"]) == "0"


def test_02_3_is_the_countdowns() -> None:
    """1088 for an entry at 1010, 1120 at 1030; three ticks behind the entry would be 1106."""
    assert Countdown().fires == 1088 and Countdown(entry=1030).fires == 1120
    assert Countdown().entry + 3 * 32 == 1106
    assert right(CORE["02.3"]) == "at 1088" and "12 cycles early" in CORE["02.3"].choice(3).feedback


@pytest.mark.parametrize("number", CORE)
def test_show_me_opens_what_answers_it(number: str) -> None:
    """A picture of its own for each, and the feedback with it."""
    box = nb02.predict(number)
    assert isinstance(box, Predict) and box.said == ""
    said = box.answer(1)
    assert said.endswith(CORE[number].fact) and len(box._scene.children) == 1


# --- the tables ---------------------------------------------------------------------------------


def test_the_busy_guest_is_entered_sooner_the_halting_one_a_little_later() -> None:
    """In every statistic, as KVM measured it; the signs of the patch's message."""
    for guest, sooner in (("busy", True), ("halt", False)):
        rows = table(late(guest))
        for what in ("min", "mean", "max"):
            without, with_it = map(int, rows[f"{what}, instructions"])
            assert (with_it < without) == sooner


def test_what_was_not_recorded() -> None:
    """A guest or a parameter."""
    with pytest.raises(BadInput, match="did you mean halt"):
        nb02.exits("hlt")
    with pytest.raises(BadInput, match="unknown parameter"):
        timer_traces.name_of("busy", "pt1")


def test_every_fitted_number_is_shown_and_nothing_else() -> None:
    """What it is, and what it was fitted to; six sums, for two of them are known together only."""
    fitted = [p for p in HSW16.parameters.values() if p.status is Status.FITTED]
    lines = nb02.fitted().splitlines()
    assert [line.split(maxsplit=2) for line in lines[::2]] == [
        [p.name, str(p.cycles), p.says] for p in fitted
    ]
    assert all(line.startswith(" ") and "fitted to" in line for line in lines[1::2])
    together = [p.name for p in fitted if ", with HV_" in p.source]
    assert len(fitted) - len(together) // 2 == 6
    assert all(len(line) <= 80 for line in lines)


def test_the_unseen_figures_were_fitted_to_nothing() -> None:
    """None of them stands in a parameter's source; each misses by what the page says."""
    misses = nb02.unseen().misses
    assert len(misses) == 4
    for miss in misses:
        assert not any(
            str(miss.figure.cycles) in p.source
            for p in HSW16.parameters.values()
            if p.status is Status.FITTED
        )
        assert -19 < miss.percent < -6
    published, model = nb02.unseen().difference("tscdeadline")
    assert (published, round(model)) == (1200, 788)


def test_the_diff_is_where_the_patch_hooks_in() -> None:
    """Four places, all new; nothing else changes in these functions."""
    text = repr(nb02.diff("v4.7", "64672c9"))
    added = [line.split()[1] for line in text.splitlines() if line.startswith("+ ") and "added" not in line]
    before = ["pre_block", "switch_to_sw_timer", "SW.cancel_hv", "SW.pending", "start_sw_timer()"]
    behind = [
        "post_block",
        "HV.hook",
        "switch_to_hv_timer",
        "HV.pending",
        "HV.set",
        "HRT.cancel",
        "HV.recheck",
    ]
    assert added == before + behind


# --- the proof ----------------------------------------------------------------------------------


@cache
def grid() -> AlarmVerdicts:
    """Return the proof table, made once."""
    return nb02.verdicts()


def test_the_proof_table_is_the_explorers() -> None:
    """The switch is needed as soon as the guest halts; v4.10 rings twice if it is woken; the others hold."""
    broken = [line for line in repr(grid()).splitlines() if "✕" in line and "breaks" not in line]
    assert ["LOST" in line for line in broken] == [True, True, False] and "is woken" in broken[2]
    for name, what in (("64672c9", "ok"), ("v4.10", "violated"), ("v4.19", "ok")):
        assert nb02.explore(name).verdict == what
    assert explore(HALTS["halts"](kernel("64672c9"))).verdict == "ok"


def test_a_kernel_without_a_step_has_one_name_everywhere() -> None:
    """As it is typed for a picture it stands in the table, in the picture and in its sentence; no year."""
    name = "64672c9 - pre_block()"
    assert [line[:24].rstrip() for line in repr(grid()).splitlines()].count(name) == 1
    shown = nb02.picture("halt", name)
    assert f"{name}: LOST" in shown.foot and f"{name}, who runs" in repr(shown)


def test_a_press_shows_who_has_the_alarm_and_the_schedule() -> None:
    """What breaks and what holds: its alarm line, and a stepper on its timers below."""
    for name, column, says in (
        ("64672c9 - pre_block()", "halts", "nobody has the alarm"),
        ("v4.7", "halts", "1 interrupt"),
    ):
        grid().press(name, column)
        line, stepper = grid()._below.children
        assert says in line.value and isinstance(stepper, Stepper)
        assert all(f"{timer}, due at" in stepper._picture.value for timer in ("preemption timer", "hrtimer"))
    with pytest.raises(BadInput, match="column"):
        grid().press("v4.7", "sleeps")


def test_the_alarm_line_ends_where_the_kernel_goes_wrong() -> None:
    """Of a kernel that does not it is the undisturbed run."""
    shown = nb02.alarm_line("v4.10", wakes=0, hlt=0, rewrite="off")
    assert "SPURIOUS" in repr(shown) and shown.foot.endswith("The guest has been given 1 interrupt.")
    assert repr(shown).endswith(nb02.foot(shown))
    well = nb02.alarm_line("64672c9", wakes=0)
    assert "wrong" not in repr(well) and repr(well).endswith("The guest is given 1 interrupt.")
    assert explore(hv_timer(kernel("64672c9"), wakes=0)).verdict == "ok"
