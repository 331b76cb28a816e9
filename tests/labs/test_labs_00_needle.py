"""Thread the needle: the judge accepts what threads it, says why all else does not, and rejects the rest."""

import re
from collections.abc import Iterator

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.labs.needle import KERNEL, Attempt, attempt
from kvmlab.labs.needle_story import CANCEL, ENTRY, REQUEST, SEEN, SEND, THROWN_OUT, behind
from kvmlab.machine.run import taken
from kvmlab.machine.state import State
from kvmlab.scenarios.kick import kick

SYSTEM = kick(kernel(KERNEL)).system


def schedules(length: int) -> Iterator[str]:
    """Yield every schedule of at most so many steps."""

    def walk(state: State, text: str, left: int) -> Iterator[str]:
        if text:
            yield text
        for move in SYSTEM.enabled(state) if left else ():
            yield from walk(taken(move, state).after, text + move.token, left - 1)

    return walk(SYSTEM.start, "", length)


TRIED = [attempt(text) for text in schedules(13)]


def is_needle(tried: Attempt) -> bool:
    """The definition, by the run's labels and states alone, without the judge's words."""
    run, scenario = tried.run, tried.scenario
    request, sent = behind(run, REQUEST), behind(run, SEND)
    entry = behind(run, ENTRY, sent)
    between = run.labels[request:entry]
    if not (request and sent and entry) or CANCEL in between or SEEN in between:
        return False
    out = behind(run, THROWN_OUT, entry)
    before_kick = run.steps[sent - 1].before
    return (
        out == entry + 1
        and not before_kick[scenario.records["L0"].irq]
        and run.steps[out - 1].before[scenario.records["guest"].insns] == 0
        and behind(run, SEEN, out) == len(run.labels)
        and bool(run.steps[-1].before[scenario.records["vcpu"].requests])
        and before_kick[scenario.records["core"].frame] == 0
    )


def test_the_judge_is_right_about_every_short_schedule() -> None:
    """All schedules of up to 13 steps: threaded if and only if it is the needle; both kinds are there."""
    assert [tried.schedule for tried in TRIED if tried.threaded != is_needle(tried)] == []
    assert {tried.threaded for tried in TRIED} == {True, False} and len(TRIED) > 1000


def test_every_reason_is_a_whole_sentence_about_steps_that_exist() -> None:
    """No step 0, no step behind the run's end."""
    for tried in TRIED:
        assert tried.sentence.endswith(".")
        numbers = [int(n) for n in re.findall(r"[Ss]teps? (\d+)", tried.sentence)]
        assert all(1 <= n <= len(tried.run.steps) for n in numbers), tried.sentence


@pytest.mark.parametrize(
    "text", ["vvvvvv aaa", "vvvvvvvaaa", "vvvvvvavaa", "vvvvvv aaa vv g vvvvv v", "vvvvvvvvg1vvvvvvvvvvvaaa"]
)
def test_the_needle_can_be_threaded_in_several_ways(text: str) -> None:
    """Before and behind CHECK_IMMEDIATE, written to the end or not, in a later lap."""
    tried = attempt(text)
    assert tried.threaded and "EXTERNAL_INTERRUPT, 0 instructions" in tried.sentence


REASONS = {
    "vvv": "has not moved yet",
    "vvvvvva": "has not kicked yet",
    "vvvvvvaa": "KICK.ipi is still to come",
    "aa": "found mode OUTSIDE and sent no IPI; step 3, at the top of a lap, saw the request",
    "vvaa": "found mode OUTSIDE and sent no IPI; the recheck in step 8 saw the request",
    "vvvaaah": "IF was 1 at step 6: the host took it in step 7, and the recheck in step 9 saw the kick",
    "vvvaaa": "IF was 1 at step 6: the host took it in step 7",
    "vvvvaaa": "IF was 0 at step 7, but the kick came before the recheck was done",
    "vvvvvaaa": "IF was 0 at step 8, but the kick came before the recheck was done",
    "vvvvvvvvaaa": "Step 11 sent the IPI behind the entry",
    "vvvvvvaavva": "Step 11 sent the IPI behind the entry",
    "vvvvvvvvg1aaa": "the kick came behind the guest's own exit",
    "avvvvvvaa": "for nothing: step 2, at the top of a lap, saw the request already",
}


@pytest.mark.parametrize("text, reason", REASONS.items())
def test_a_missed_needle_hears_why(text: str, reason: str) -> None:
    """Each way to miss has its own reason, with the step that decides."""
    tried = attempt(text)
    assert not tried.threaded and reason in tried.sentence


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "a letter for each step"),
        ("   ", "a letter for each step"),
        ("vv!", "'!' is no actor"),
        ("vvz", "cannot be carried out; step 3: no actor z"),
        ("g", "step 1: g .guest. cannot move"),
        ("aaaa", "step 3: a .another thread. cannot move"),
    ],
)
def test_a_bad_schedule_gets_one_clear_error(text: str, message: str) -> None:
    """No schedule, an unknown actor, a step that is not possible: BadInput says which."""
    with pytest.raises(BadInput, match=message):
        attempt(text)


def test_the_bench_does_what_the_function_does() -> None:
    """Write, Check: a miss opens its run in a stepper at the kick; a hit needs none."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs.needle_bench import NeedleBench
    from kvmlab.show.widgets.stepper import Stepper

    bench = NeedleBench()
    bench.schedule = "vvv aaa h"
    missed = bench.check()
    assert missed and not missed.threaded
    shown = missed.children[1]
    assert (
        isinstance(shown, Stepper)
        and shown.moment.at == 6
        and "IRQ_OFF" in str(shown.schedule and shown.desk.session.run.labels)
    )
    assert "IF was 1 at step 6" in repr(bench)
    bench.schedule = "vvvvvv aaa"
    hit = bench.check()
    assert hit and hit.threaded and len(hit.children) == 1


@pytest.mark.parametrize("text", ["", "vvz", "<b>v</b>"])
def test_the_bench_says_what_is_wrong_with_a_schedule(text: str) -> None:
    """No crash: the reason is on the screen, as text."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs.needle_bench import NeedleBench

    bench = NeedleBench()
    bench.schedule = text
    assert bench.check() is None
    said = bench.children[-1].children[0].value
    assert "schedule" in said and "<b>" not in said
