"""Predict box and bench: driven in code, they do what a click does and tell what is on the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.labs import nb01, nb01b, progress
from kvmlab.labs.bench import DeferralBench, check_deferral
from kvmlab.labs.pieces import RERAISE
from kvmlab.labs.predict import UNCHOSEN, Predict
from kvmlab.labs.questions01 import FAKED
from kvmlab.show.widgets.stepper import Stepper


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A progress file of the test's own."""
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "progress.jsonl"))
    return tmp_path / "progress.jsonl"


def steppers(box: Predict) -> list[Stepper]:
    """Return the steppers that the box has opened."""
    return list(box.children[-1].children)


def test_nothing_is_chosen_and_nothing_kept_before_somebody_answers(file: Path) -> None:
    """Run All leaves the box unanswered: no choice, no feedback, no stepper, no file."""
    box = Predict(FAKED)
    assert box.children[1].value is None and box.said == "" and steppers(box) == []
    assert not file.exists()


def test_an_answer_is_kept_and_told() -> None:
    """The guess goes to the file, the feedback to the screen, and the stepper opens."""
    box = Predict(FAKED)
    assert box.answer(1) == FAKED.feedback(1) == box.said
    assert progress.guesses() == [{"question": "01.1", "choice": 1, "right": False}]
    assert FAKED.choice(1).feedback in box.children[3].value and len(steppers(box)) == 1


def test_nothing_is_kept_or_told_before_show_me(file: Path) -> None:
    """A choice may be changed as often as one likes; only the last one is a guess."""
    box = Predict(FAKED)
    for n in (1, 3, 2):
        box.choose(n)
        assert box.said == box.children[3].value == "" and steppers(box) == [] and not file.exists()
    box.show()
    assert [guess["choice"] for guess in progress.guesses()] == [2] and box.said == FAKED.feedback(2)


def test_another_choice_takes_the_feedback_away() -> None:
    """What is on the screen belongs to the choice on the screen."""
    box = Predict(FAKED)
    box.answer(1)
    box.choose(2)
    assert box.said == box.children[3].value == ""


def test_the_same_guess_is_kept_once() -> None:
    """Pressing again is no second guess."""
    box = Predict(FAKED)
    box.answer(1)
    box.show()
    assert len(progress.guesses()) == 1 and box.said == FAKED.feedback(1)


def test_show_me_opens_one_stepper_at_the_schedule() -> None:
    """However often it is pressed."""
    box = Predict(FAKED)
    box.answer(1)
    box.show()
    box.show()
    (shown,) = steppers(box)
    assert shown.schedule == FAKED.schedule and "LOST" in shown.foot


def test_skipping_shows_the_fact_and_keeps_nothing() -> None:
    """ "Show me" without a choice asks for one; pressed again it shows the fact and the stepper, no guess."""
    box = Predict(FAKED)
    box.show()
    assert box.said == UNCHOSEN and steppers(box) == []
    box.show()
    assert box.said == FAKED.fact and progress.guesses() == [] and len(steppers(box)) == 1


def test_a_second_guess_is_kept_beside_the_first() -> None:
    """Guesses are appended, oldest first; the feedback is that of the last."""
    box = Predict(FAKED)
    box.answer(1)
    box.answer(2)
    assert [guess["choice"] for guess in progress.guesses()] == [1, 2] and box.said == FAKED.feedback(2)


def test_the_twin_stays_silent_after_an_answer() -> None:
    """The repr is the same before and after, and shown whole."""
    box = Predict(FAKED)
    before = repr(box)
    box.answer(2)
    assert repr(box) == before == FAKED.twin()
    bundle = box._repr_mimebundle_()
    assert bundle and bundle["text/plain"] == before


def test_a_choice_that_is_none_changes_nothing() -> None:
    """BadInput, and the box is as it was."""
    box = Predict(FAKED)
    with pytest.raises(BadInput):
        box.answer(9)
    assert box.children[1].value is None and box.said == ""


def test_a_broken_deferral_opens_its_schedule() -> None:
    """The judge's words are in the twin, the schedule is in a stepper."""
    checked = check_deferral("plain entry")
    shown = checked.children[1]
    assert not checked.passed and isinstance(shown, Stepper)
    assert shown.schedule == checked.found.schedule and "L2_RAN" in repr(checked)


def test_the_bench_does_what_the_function_does() -> None:
    """Choose, Check: the same judgement; its twin shows the choice and the verdict."""
    bench = DeferralBench()
    bench.choose("self-IPI after irq_off", RERAISE)
    checked = bench.check()
    assert checked and checked.passed and len(checked.children) == 1
    assert "(x) self-IPI after irq_off" in repr(bench) and "holds" in repr(bench)


def test_the_bench_says_what_is_missing() -> None:
    """Check without a way to leave L2 is no crash: the reason is on the screen."""
    bench = DeferralBench()
    assert bench.check() is None
    assert "choose one way" in bench.children[-1].children[0].value


@pytest.mark.parametrize("pieces", [("MTF", "fake exit"), ("nonsense",)])
def test_the_bench_refuses_what_cannot_be(pieces: tuple[str, ...]) -> None:
    """Two ways or an unknown piece: BadInput, and the choice is as it was."""
    bench = DeferralBench()
    bench.choose("MTF")
    with pytest.raises(BadInput):
        bench.choose(*pieces)
    assert bench.pieces == ("MTF",)


MISSPELLED: list[tuple[Callable[..., object], tuple[str, ...], str]] = [
    (nb01.predict, ("1.1",), "question 1.1; did you mean 01.1"),
    (nb01b.predict, ("01b.3",), "question 01b.3; did you mean 01b"),
    (nb01.threshold, ("none",), "method none; "),
    (nb01.threshold, ("no trip wire",), "did you mean No tripwire"),
    (nb01.changes, ("v3.2", "FOO"), "step of v3.2 FOO; "),
    (nb01.changes, ("v3.2", "vmentry"), "did you mean VMENTRY"),
    (nb01.check_deferral, ("mtf",), "did you mean MTF"),
    (nb01.real_moment, ("intime",), "did you mean in time"),
    (nb01.real_verdict, ("too late",), "did you mean late"),
    (nb01.laps, ("v3.11",), "did you mean v3.1"),
    (nb01b.dead_end, ("v3.11",), "did you mean v3.1"),
]


@pytest.mark.parametrize("call, given, message", MISSPELLED)
def test_a_name_nobody_knows_is_an_error_with_a_hint(
    call: Callable[..., object], given: tuple[str, ...], message: str
) -> None:
    """Whatever a cell may be asked for by name: BadInput, and the nearest name, or all of them."""
    with pytest.raises(BadInput, match=message):
        call(*given)


@pytest.mark.parametrize("facade", [nb01, nb01b])
def test_a_facade_has_what_it_promises(facade: object) -> None:
    """Every name in __all__ is there and can be called."""
    assert all(callable(getattr(facade, name)) for name in facade.__all__)  # type: ignore[attr-defined]


def test_a_stepper_without_a_loss_gets_the_whole_run() -> None:
    """d6185f2 loses in no schedule, so its stepper tells the run to L1's handler."""
    assert nb01.stepper("d6185f2").schedule.endswith("m")
