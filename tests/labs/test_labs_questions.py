"""The questions: well made, and what the feedback claims is what the model does."""

import pytest

from kvmlab.errors import BadInput
from kvmlab.labs.laps import laps, until_l1
from kvmlab.labs.question import Question
from kvmlab.labs.questions01 import EXIT_STATE, FAKED, LAPS
from kvmlab.labs.questions01 import QUESTIONS as CORE
from kvmlab.labs.questions01b import QUESTIONS as STAR
from kvmlab.labs.questions03 import QUESTIONS as POSTED
from kvmlab.labs.questions03b import QUESTIONS as POSTED_STAR
from kvmlab.machine.property import broken
from kvmlab.machine.run import Run
from kvmlab.schedulers.replay import replay

QUESTIONS = {**CORE, **STAR, **POSTED, **POSTED_STAR}


def shown(question: Question) -> Run:
    """Return the run that the stepper opens, on the question's first kernel."""
    return replay(question.scenarios()[0].system, question.schedule)


def cells(run: Run, *names: str) -> list[str]:
    """Return cells of the last state as they are printed."""
    layout = run.system.layout
    return [layout.text(layout.index(name), run.state) for name in names]


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_question_has_one_right_answer_and_words_for_each(question: Question) -> None:
    """One choice is right, and every choice is told something, which ends in the fact that decides."""
    assert sum(choice.right for choice in question.choices) == 1
    told = [question.feedback(n) for n in range(1, len(question.choices) + 1)]
    assert all(text.endswith(question.fact) for text in told) and len(set(told)) == len(told)
    assert not any(word in text.lower() for text in told for word in ("wrong", "incorrect", "sorry"))


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_the_twin_never_gives_the_answer_away(question: Question) -> None:
    """The twin is the question and its choices in at most 80 columns; no feedback, no fact."""
    twin = question.twin()
    flat = " ".join(twin.split())
    assert all(choice.text in flat and choice.feedback not in flat for choice in question.choices)
    assert question.fact not in flat and max(map(len, twin.splitlines())) <= 80


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_the_stepper_opens_where_the_question_says(question: Question) -> None:
    """The schedule can be carried out to its end on the question's first kernel."""
    assert shown(question).stopped == ""


@pytest.mark.parametrize("n", [0, 5, -1])
def test_there_is_no_other_choice(n: int) -> None:
    """Choices are counted from 1."""
    with pytest.raises(BadInput, match="choices 1 to 4"):
        FAKED.feedback(n)


def test_01_1_the_injection_is_lost() -> None:
    """The schedule of 01.1 ends where LOST is broken: valid bit clear, nothing delivered."""
    run = shown(FAKED)
    found = broken(FAKED.scenarios()[0].properties, run.state)
    assert found and found.label == "LOST"
    assert cells(run, "vmcs12.intr_info", "guest2.delivered") == ["-", "0"]


def test_01_2_the_exit_is_at_the_handler() -> None:
    """The schedule of 01.2 ends with L2's exit: at the handler of 0x31, nothing executed."""
    run = shown(EXIT_STATE)
    assert run.labels[-1] == "g:EXIT.EXTERNAL_INTERRUPT"
    assert cells(run, "guest2.rip", "guest2.insns") == ["handler of 0x31", "0"]


def test_01_3_three_laps_and_two() -> None:
    """The answer of 01.3, and the number that its feedback names for v3.10."""
    assert [len(laps(until_l1(s.kernel))) for s in LAPS.scenarios()] == [3, 2]
    assert laps(shown(LAPS)) == laps(until_l1(LAPS.scenarios()[0].kernel))
