"""Keep one alarm: what holds, what breaks and why, and the bench."""

from functools import cache
from itertools import combinations

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.labs import keep_one_bench
from kvmlab.labs.alarm_pieces import HALT, SAYS, switch
from kvmlab.labs.computing import COMPUTING, OLD
from kvmlab.labs.judgement import Judgement
from kvmlab.labs.keep_one import judge
from kvmlab.labs.keep_one_bench import FIRST, KeepOneBench, check_switch
from kvmlab.schedulers.replay import replay

KERNELS_OWN = "give up, start, halt, done, set, cancel, recheck"
WRONG = {
    "set, cancel, done, halt, start, give up, recheck": ("LOST", "only the preemption timer is set"),
    "done, give up, halt, start, set, cancel, recheck": ("LOST", "no timer is set"),
    "start, halt, done, give up, set, cancel, recheck": ("TWICE", "was still set when the other one"),
    "set, cancel, give up, start, halt, done, recheck": ("NOT_BACK", "the hrtimer has its alarm"),
}


@cache
def found(order: str) -> Judgement:
    """Return the judgement, made once."""
    return judge(tuple(name.strip() for name in order.split(",")))


def test_the_kernels_own_order_holds() -> None:
    """Patch 2's switch with the guard of 2018; the sentence says how much was tried."""
    assert found(KERNELS_OWN).passed
    assert "Tried every schedule" in found(KERNELS_OWN).sentence


@pytest.mark.parametrize("order", WRONG)
def test_what_breaks_is_told_and_shown(order: str) -> None:
    """The label, the reason, and a schedule that breaks exactly that in its last step."""
    label, reason = WRONG[order]
    assert found(order).broken == label and reason in found(order).sentence
    run = replay(found(order).scenario.system, found(order).schedule)
    broken = next(prop for prop in found(order).scenario.properties if prop.label == label).broken
    assert broken(run.state) and not any(broken(step.before) for step in run.steps)


@pytest.mark.parametrize(
    "order",
    [
        "start, give up, halt, done, set, cancel, recheck",
        "start, halt, give up, done, set, cancel, recheck",
        "give up, start, halt, cancel, recheck, done, set",
    ],
)
def test_other_orders_hold_too(order: str) -> None:
    """The preemption timer may be given up as late as the first step behind the wait; recheck may be idle."""
    assert found(order).passed


def test_one_step_later_it_is_too_late_to_give_up() -> None:
    """If the hrtimer has rung, done leaves the block, and the old timer with it."""
    assert found("start, halt, done, give up, set, cancel, recheck").broken == "TWICE"


def test_without_the_guard_a_wake_up_rings_again() -> None:
    """v4.10's own bug: behind the interrupt there is no deadline, and 0 is set as one that has passed."""
    guard_first = found("done, give up, start, halt, set, cancel, recheck")
    assert guard_first.broken == "TWICE"
    assert "when no deadline was left" in guard_first.sentence
    assert "a" in guard_first.schedule  # It takes the other CPU's wake-up.


def test_a_bug_that_needs_nobody_else_is_shown_without_anybody_else() -> None:
    """Where the other CPU plays no part it does not appear."""
    for order in WRONG:
        if WRONG[order][0] != "NOT_BACK":
            assert "a" not in found(order).schedule


@pytest.mark.parametrize(
    "order", ["", "start, halt", f"{KERNELS_OWN}, start", KERNELS_OWN.replace("set", "arm")]
)
def test_what_is_no_switch(order: str) -> None:
    """Each of the six steps once, and the divider."""
    with pytest.raises(BadInput, match="once"):
        switch([name.strip() for name in order.split(",")])


def test_the_same_in_code() -> None:
    """Before and behind the halt, as two lists of names."""
    checked = check_switch("set, cancel, done", "start, give up, recheck")
    assert not checked.passed and checked.found.broken == "LOST"
    assert len(checked.children) == 2  # The reason, and the schedule in a stepper.
    assert max(map(len, repr(checked).splitlines())) <= 80


def test_the_bench_is_ordered_and_checked() -> None:
    """It begins with an order that breaks, shows its alarm line, and forgets a verdict when a step moves."""
    bench = KeepOneBench()
    assert bench.order == FIRST and HALT in bench.order
    assert repr(bench).splitlines()[1] == f"  1. cancel: {SAYS['cancel']}"
    assert bench.check().found.broken == "LOST"
    assert "nobody has the alarm" in bench._result.children[0].value
    assert repr(bench).endswith(repr(bench._last))
    bench.move("cancel", 1)
    assert bench._result.children == () and bench.order[:2] == ("done", "cancel")
    bench.order = KERNELS_OWN.split(", ")
    assert bench.check().passed and len(bench._result.children) == 1


def test_the_bench_says_that_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the button, while every schedule is tried; an earlier verdict is grey so long."""
    bench, seen = KeepOneBench(), list[tuple[str, bool]]()

    def judged(order: tuple[str, ...]) -> Judgement:
        seen.append((bench._said.value, OLD in bench._result._dom_classes))
        return judge(order)

    monkeypatch.setattr(keep_one_bench, "judge", judged)
    bench.check()
    assert seen == [(COMPUTING, True)]
    assert bench._said.value == "" and OLD not in bench._result._dom_classes


def test_the_bench_does_not_begin_with_the_solution_backwards() -> None:
    """Whoever presses Up and Down has fewer places to go than for a mirrored order."""
    places = [FIRST.index(name) for name in KERNELS_OWN.split(", ")]
    upside_down = sum(a > b for a, b in combinations(places, 2))
    assert 0 < upside_down < 14 < len(list(combinations(places, 2)))


def test_what_the_bench_refuses_changes_nothing() -> None:
    """A step that is none, an order that is none."""
    bench = KeepOneBench()
    with pytest.raises(BadInput, match="no step sleep"):
        bench.move("sleep", 1)
    with pytest.raises(BadInput, match="once"):
        bench.order = ("set", "cancel")
    assert bench.order == FIRST
