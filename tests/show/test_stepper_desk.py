"""What a stepper does: press, step, back, run to, another kernel, another schedule; nothing is lost."""

import pytest

from kvmlab.errors import BadInput, IllegalTransition
from kvmlab.show.stepper.course import default
from kvmlab.show.stepper.desk import Desk, choices, label
from tests.show.stories import CANCELLED, CASES, LATE, scenario


def desk(*kernels: str, schedule: str | None = LATE, at: int | None = None) -> Desk:
    """Return a desk with the first lesson on some kernels, v3.2 if none is named."""
    return Desk([scenario(name) for name in kernels or ("v3.2",)], schedule, at=at)


def cursor(of: Desk) -> tuple[str, int]:
    """Return schedule and cursor."""
    return of.schedule, of.session.at


def test_a_schedule_opens_at_its_end_and_a_story_at_its_start() -> None:
    """A counterexample is there to be seen, a story to be stepped through."""
    assert cursor(desk()) == (LATE, len(LATE))
    assert cursor(desk(schedule=None)) == ("mvvvd", 0)
    assert cursor(desk(at=3)) == (LATE, 3)


def test_back_and_step_move_the_cursor_only() -> None:
    """Time travel leaves the schedule alone."""
    there = desk()
    there.back()
    assert cursor(there) == (LATE, len(LATE) - 1)
    assert there.step() and cursor(there) == (LATE, len(LATE))


def test_back_stays_at_the_start() -> None:
    """Before the first step there is nothing."""
    there = desk(at=0)
    there.back()
    assert cursor(there) == (LATE, 0)


def test_going_back_and_pressing_another_actor_is_a_fork() -> None:
    """What lay ahead is forgotten; the same move keeps it."""
    there = desk(at=4)
    there.press("v")
    assert cursor(there) == (LATE, 5)
    there.back()
    there.press("d")
    assert cursor(there) == ("mvvvd", 5)


def test_an_impossible_press_changes_nothing() -> None:
    """It raises, and schedule and cursor stay."""
    there = desk(at=4)
    with pytest.raises(IllegalTransition, match="g .* cannot move"):
        there.press("g")
    assert cursor(there) == (LATE, 4)


def test_behind_the_schedule_whoever_runs_goes_on() -> None:
    """The device could come, but it never does by itself; what a person wrote is kept."""
    there = desk(schedule="mvvv")
    assert {move.token for move in there.moves} == {"v", "d"}
    assert there.step() and cursor(there) == ("mvvvv", 5)
    assert there.kept == "mvvv"


def test_step_asks_where_a_person_has_to_choose() -> None:
    """Where only senders can move and there are several, none goes by itself."""
    there = Desk([scenario(*CASES[-1][::-1])], "")
    found = [move for move in there.moves if move.actor.top is None]
    assert default(there.session.past) not in found


def test_a_standing_verdict_stays() -> None:
    """Step, and run to whatever, leave cursor, schedule and sentence alone; a press leads on."""
    there = desk()
    said = there.view.foot
    assert said.startswith("Broken (L2_RAN)")
    assert not there.step() and there.run_to("verdict") and not there.run_to("exit")
    assert (cursor(there), there.view.foot) == ((LATE, len(LATE)), said)
    there.press("g")
    assert there.session.at == len(LATE) + 1 and not there.run_to("verdict")


def test_run_to_the_verdict_is_idempotent() -> None:
    """Once there, it is there."""
    there = desk(at=0)
    once = there.run_to("verdict"), cursor(there), there.view.foot
    assert (there.run_to("verdict"), cursor(there), there.view.foot) == once


@pytest.mark.parametrize(("what", "name"), CASES)
def test_step_needs_no_sender(what: str, name: str) -> None:
    """Pressing Step alone never needs a sender, and ends at a verdict, at the end, or never."""
    there = Desk([scenario(name, what)], "")
    while there.session.at < 300 and there.step():
        step = there.session.past.steps[-1]
        assert step.move.actor.top is not None or len(there.scenario.system.enabled(step.before)) == 1
    assert there.session.at == 300 or there.stands or not there.moves or default(there.session.run) is None


def test_reset_restores_the_opening_schedule() -> None:
    """Forks come and go."""
    there = desk(at=4)
    there.press("d")
    there.reset()
    assert cursor(there) == (LATE, 0)


def test_another_kernel_runs_the_same_schedule() -> None:
    """The cursor stops where the two part, the foot says what each takes, and the schedule is not cut."""
    there = desk("v3.2", "d6185f2")
    there.switch("d6185f2")
    assert cursor(there) == (LATE, 8)
    taken = "d6185f2 takes v:REQ.immediate where v3.2 takes v:CHECK_EVENT"
    assert there.view.foot == f"Up to step 8 the same; then {taken}."
    there.switch("v3.2")
    assert cursor(there) == (LATE, 8)
    assert there.run_to("verdict") and cursor(there) == (LATE, len(LATE))


def test_both_kernels_can_be_run_to_their_ends() -> None:
    """d6185f2 takes L2 out, and the rest of the schedule waits for that; back on v3.2 L2 still runs."""
    there = desk("v3.2", "d6185f2")
    there.switch("d6185f2")
    assert there.run_to("exit")
    assert there.session.past.steps[-1].label == "g:EXIT.EXTERNAL_INTERRUPT" and not there.rest
    while there.step():
        pass
    assert there.view.foot.endswith("Nobody can move: this is the end, and every property held.")
    there.switch("v3.2")
    assert there.session.at == 8 and there.run_to("verdict")
    assert there.session.past.steps[-1].label == "g:INSN"


def test_what_cannot_be_carried_out_yet_is_shown_as_the_rest() -> None:
    """The schedule is what is carried out, plus what waits; it is taken as soon as it is possible."""
    there = desk(schedule="mg")
    assert cursor(there) == ("mg", 1) and there.rest == ("g",)
    assert there.step() and cursor(there) == ("mvg", 2)
    there.load(there.schedule)
    assert cursor(there) == ("mvg", 2)


def test_another_kernel_keeps_the_cursor_in_the_middle() -> None:
    """Who looks at step 5 sees step 5 of the other kernel; to name the same kernel does nothing."""
    there = desk("v3.2", "d6185f2", at=5)
    there.switch("v3.2")
    assert there.note == ""
    there.switch("d6185f2")
    assert cursor(there) == (LATE, 5)
    start = desk("v3.2", "d6185f2", at=0)
    start.switch("d6185f2")
    assert cursor(start) == (LATE, 0)


def test_an_unknown_kernel_is_refused_by_name() -> None:
    """The message knows the nearest one."""
    with pytest.raises(BadInput, match="did you mean d6185f2"):
        desk("v3.2", "d6185f2").switch("d6185f")


def test_kernels_are_compared_with_the_one_before() -> None:
    """The first is compared with the second; a single one with none."""
    there = desk("v3.2", "d6185f2", "v3.10")
    rivals = []
    for name in there.scenarios:
        there.switch(name)
        rivals.append(there.view.rival)
    assert rivals == ["d6185f2", "v3.2", "d6185f2"]
    assert desk().rival is None


def test_a_schedule_is_replayed_as_far_as_it_is_possible() -> None:
    """The foot says where it stops; blanks do not matter."""
    there = desk()
    there.load("m vv g")
    assert cursor(there) == ("mvvg", 3)
    assert there.view.foot.startswith("Step 4: g (L2, its guest) cannot move")


def test_a_bad_schedule_changes_nothing() -> None:
    """It raises; what was there stays."""
    there = desk()
    with pytest.raises(BadInput, match="is no actor"):
        there.load("m?")
    assert cursor(there) == (LATE, len(LATE))


@pytest.mark.parametrize(("what", "at"), [("exit", 1), ("requests", 6), ("verdict", 17), ("L1.irr", 6)])
def test_run_to_stops_where_it_was_asked_to(what: str, at: int) -> None:
    """At the next exit, change of a cell, or verdict; the schedule is followed."""
    there = desk(at=0)
    assert there.run_to(what) and cursor(there) == (LATE, at)


def test_run_to_goes_on_behind_the_schedule() -> None:
    """Whoever moved last goes on: d6185f2 forces the exit of L2 by itself."""
    there = desk("d6185f2", schedule="mvvvvdv")
    assert there.run_to("exit")
    assert there.session.past.steps[-1].label == "g:EXIT.EXTERNAL_INTERRUPT"


def test_run_to_stops_at_a_verdict_on_the_way() -> None:
    """L2 computes first, and that is what must not be: the sentence about it stays."""
    there = desk(schedule="mvvvvdvvvvvvvvvv")
    assert not there.run_to("exit")
    assert there.view.foot.startswith("Broken (L2_RAN)")


def test_run_to_notices_a_circle() -> None:
    """A run that only repeats states never arrives, and says so."""
    there = Desk([scenario("v3.2", "kick")], "v")
    assert not there.run_to("vmcs01.intr_info")
    assert there.session.at < 100 and there.note


def test_run_to_an_unknown_target_is_refused() -> None:
    """The message knows the nearest cell."""
    with pytest.raises(BadInput, match="did you mean vcpu.requests"):
        desk().run_to("vcpu.request")


def test_a_stepper_needs_scenarios_on_kernels_of_their_own() -> None:
    """None at all, or two on one kernel, is a mistake."""
    for names in ((), ("v3.2", "v3.2")):
        with pytest.raises(BadInput, match="one for each kernel"):
            Desk([scenario(name) for name in names])


def test_every_choice_has_a_button() -> None:
    """As many as an actor ever has at once: L1 and L2 choose, the others do not."""
    assert choices(scenario("v3.2", CANCELLED).system) == {"v": 1, "h": 1, "m": 2, "g": 2, "d": 1, "a": 1}


def test_a_button_says_whose_step_it_is() -> None:
    """Who and what; or that he waits, or has finished."""
    there = desk()
    system, state = there.scenario.system, there.session.state
    moves = {move.actor.letter: move for move in there.moves[:1]}
    said = [label(actor, moves.get(x), system, state) for x, actor in system.actors.items()]
    assert said == [
        "vCPU thread: waits",
        "host interrupts: waits",
        "L1: waits",
        "▶ L2: INSN",
        "device: done",
    ]
