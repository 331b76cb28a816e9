"""What a stepper does: press, step, back, run to, another kernel, another schedule; nothing is lost."""

import pytest

from kvmlab.errors import BadInput, IllegalTransition
from kvmlab.show.stepper.desk import Desk, choices, label
from tests.show.stories import CANCELLED, LATE, scenario


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


def test_step_asks_where_a_person_has_to_choose() -> None:
    """Behind the schedule it takes the only move; of several it takes none."""
    there = desk(schedule="mvvv")
    assert not there.step()
    assert there.view.foot == "Whose step is next? vCPU thread (v): RUN_PENDING, or device (d): IRQ_0x40."
    assert cursor(there) == ("mvvv", 4)


def test_reset_restores_the_opening_schedule() -> None:
    """Forks come and go."""
    there = desk(at=4)
    there.press("d")
    there.reset()
    assert cursor(there) == (LATE, 0)


def test_another_kernel_runs_the_same_schedule() -> None:
    """As far as it can; the foot says where the two part, and the schedule is not cut."""
    there = desk("v3.2", "d6185f2")
    there.switch("d6185f2")
    assert cursor(there) == (LATE, 16)
    assert there.view.foot.startswith("Up to step 8 the same; then d6185f2 takes v:REQ.immediate")
    there.switch("v3.2")
    assert cursor(there) == (LATE, len(LATE))
    assert there.view.foot.endswith("v3.2 violates L2_RAN at step 17.")


def test_another_kernel_keeps_the_cursor_in_the_middle() -> None:
    """Who looks at step 5 sees step 5 of the other kernel; to name the same kernel does nothing."""
    there = desk("v3.2", "d6185f2", at=5)
    there.switch("v3.2")
    assert there.note == ""
    there.switch("d6185f2")
    assert cursor(there) == (LATE, 5)


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


def test_run_to_stops_at_a_choice() -> None:
    """Whether L2 computes or leaves is the person's to say."""
    there = desk(schedule="mvvvvdvvvvvvvvvv")
    assert not there.run_to("exit")
    assert there.view.foot.startswith("Whose step is next? L2 (g): INSN")


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
        "L2: INSN",
        "device: done",
    ]
