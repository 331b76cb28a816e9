"""The lost wake-up: one pair of orders is the answer; of the 576 every other one is told why it is not."""

import re
from itertools import permutations, product

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.labs.judgement import Judgement
from kvmlab.labs.transfer import judge
from kvmlab.machine.property import broken
from kvmlab.scenarios.wakeup import WAITER, WAKER, wakeup
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay

PAIRS = list(product(permutations(WAITER), permutations(WAKER)))
ANSWER = ("publish", "barrier", "test", "sleep"), ("set", "barrier", "read", "wake")
FOUND: dict[tuple[tuple[str, ...], tuple[str, ...]], Judgement] = {pair: judge(*pair) for pair in PAIRS}


def test_289_of_576_lose_nothing_and_one_of_them_sleeps() -> None:
    """The published numbers: nearly all that are safe are safe because nothing ever sleeps."""
    safe = [pair for pair in PAIRS if FOUND[pair].broken != "LOST"]
    assert (len(PAIRS), len(safe)) == (576, 289)
    assert [pair for pair in safe if FOUND[pair].passed] == [ANSWER]
    assert {FOUND[pair].broken for pair in safe} == {"", "NEVER SLEEPS"}


def by_hand(waiter: tuple[str, ...], waker: tuple[str, ...]) -> set[bool]:
    """Another model of it: does a run end with the waiter asleep? Memory and buffers as plain dicts."""
    ends = set()
    todo = [(0, 0, 0, 0, 0, 0, False, False)]
    seen = set(todo)
    while todo:
        now = todo.pop()
        w, k, asleep, cond, w_store, k_store, saw, off = now
        after = []
        if w_store:
            after.append((w, k, 1, cond, 0, k_store, saw, off))
        if k_store:
            after.append((w, k, asleep, 1, w_store, 0, saw, off))
        if w < 4 and not off:
            step = waiter[w]
            if step == "publish":
                after.append((w + 1, k, asleep, cond, 1, k_store, saw, off))
            elif step == "barrier" and not w_store:
                after.append((w + 1, k, asleep, cond, w_store, k_store, saw, off))
            elif step == "test":
                after.append((4 if cond else w + 1, k, asleep, cond, w_store, k_store, saw, off))
            elif step == "sleep" and not w_store:
                after.append((w + 1, k, asleep, cond, w_store, k_store, saw, bool(asleep)))
        if k < 4:
            step = waker[k]
            if step == "set":
                after.append((w, k + 1, asleep, cond, w_store, 1, saw, off))
            elif step == "barrier" and not k_store:
                after.append((w, k + 1, asleep, cond, w_store, k_store, saw, off))
            elif step == "read":
                after.append((w, k + 1, asleep, cond, w_store, k_store, bool(asleep), off))
            elif step == "wake" and not k_store:
                after.append((w, k + 1, 0 if saw else asleep, cond, w_store, k_store, saw, off and not saw))
        if not after:
            ends.add(bool(off))
        fresh = [state for state in after if state not in seen]
        seen.update(fresh)
        todo += fresh
    return ends


@pytest.mark.parametrize("waiter", list(permutations(WAITER)), ids=",".join)
def test_the_verdicts_are_those_of_another_model(waiter: tuple[str, ...]) -> None:
    """LOST if and only if some run of a second, independent model ends with the waiter asleep."""
    for waker in permutations(WAKER):
        assert (FOUND[waiter, waker].broken == "LOST") == (True in by_hand(waiter, waker)), waker


def test_the_schedule_shows_what_was_said() -> None:
    """It can be carried out, ends in the loss, is a shortest one, and the sentence names steps it has."""
    for pair in PAIRS:
        found = FOUND[pair]
        if found.broken != "LOST":
            continue
        run = replay(found.scenario.system, found.schedule)
        prop = broken(found.scenario.properties, run.state)
        shortest = explore(found.scenario).shortest
        assert run.stopped == "" and prop and prop.label == "LOST"
        assert shortest and len(run.steps) == len(shortest.labels) - 1
        numbers = [int(n) for n in re.findall(r"step (\d+)", found.sentence)]
        assert numbers and all(1 <= n <= len(run.steps) for n in numbers)


def test_who_sleeps_takes_no_step() -> None:
    """Off its CPU the waiter cannot even look at the condition; a wake puts it back."""
    system = wakeup(("publish", "barrier", "sleep", "test"), ANSWER[1]).system
    asleep = replay(system, "wsww").state
    assert {move.actor.letter for move in system.enabled(asleep)} == {"k"}
    awake = replay(system, "wswwkxkkk").state
    assert system.find(awake, "w").step.label == "TEST"


def test_who_never_sleeps_is_shown_it() -> None:
    """The schedule is the waiter's own, to its end, with nobody asleep."""
    for each in (found for found in FOUND.values() if found.broken == "NEVER SLEEPS"):
        run = replay(each.scenario.system, each.schedule)
        assert run.stopped == "" and not run.state[each.scenario.records["task"].sleeping]
        assert {step.move.actor.letter for step in run.steps} <= {"w", "s"}
        assert not [m for m in run.system.enabled(run.state) if m.actor.letter in "ws"]


REASONS = {
    (("test", "publish", "barrier", "sleep"), ANSWER[1]): "the condition is not true yet",
    (("publish", "test", "barrier", "sleep"), ANSWER[1]): "“asleep” still waits in the waiter's store buffer",
    (("publish", "barrier", "sleep", "test"), ANSWER[1]): "without having looked",
    (ANSWER[0], ("set", "read", "barrier", "wake")): "the condition still waits in the waker's store buffer",
    (ANSWER[0], ("set", "barrier", "wake", "read")): "before it had read anything",
    (("sleep", "publish", "barrier", "test"), ANSWER[1]): "nobody ever sleeps",
}


@pytest.mark.parametrize("pair, reason", REASONS.items())
def test_an_order_that_fails_hears_why(pair: tuple[tuple[str, ...], tuple[str, ...]], reason: str) -> None:
    """Each way to fail has its own reason."""
    assert not FOUND[pair].passed and reason in FOUND[pair].sentence


def test_the_barriers_are_needed() -> None:
    """With both of them at the end it loses, though each side's other steps stand right."""
    late = judge(("publish", "test", "sleep", "barrier"), ("set", "read", "wake", "barrier"))
    assert late.broken == "LOST" and "s" in late.schedule and "store buffer" in late.sentence


@pytest.mark.parametrize(
    "waiter, waker",
    [
        (ANSWER[0][:3], ANSWER[1]),
        ((*ANSWER[0], "test"), ANSWER[1]),
        (ANSWER[0], ("set", "mb", "read", "wake")),
    ],
)
def test_an_order_that_is_none_gets_one_clear_error(waiter: tuple[str, ...], waker: tuple[str, ...]) -> None:
    """A step missing, twice, or unknown: BadInput names the steps there are."""
    with pytest.raises(BadInput, match="name each of .* once"):
        wakeup(waiter, waker)


def test_the_scenario_is_one_like_the_others() -> None:
    """It has a kernel made of two paths, and says what must hold."""
    scenario = wakeup(*ANSWER)
    assert isinstance(scenario.kernel, Kernel) and set(scenario.kernel.paths) == {"wait", "wake"}
    assert scenario.property == "once the waker has returned, nobody sleeps on"


def test_the_bench_does_what_the_function_does() -> None:
    """Order, Check: a loss opens in a stepper; a changed order takes the old verdict away."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs.transfer_bench import WakeupBench, check_wakeup
    from kvmlab.show.widgets.stepper import Stepper

    bench = WakeupBench()
    first = bench.check()
    assert not first.passed and isinstance(first.children[1], Stepper)
    assert "✕" not in repr(bench) and "broken (LOST)" in repr(bench)
    bench.order(*ANSWER)
    assert "LOST" not in repr(bench)
    assert bench.check().passed
    assert check_wakeup("publish, barrier, test, sleep", "set,barrier,read,wake").passed
