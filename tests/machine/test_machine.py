"""State, steps, blocks, actors: the laws of the machine."""

from itertools import islice
from string import ascii_lowercase, ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import timers, toy

from kvmlab.errors import BadInput, IllegalTransition, ModelError
from kvmlab.machine import schedule
from kvmlab.machine.edit import After, Before, Relocate, Swap, apply, find
from kvmlab.machine.letters import capitals, smalls
from kvmlab.machine.program import compile_path
from kvmlab.machine.run import divergence
from kvmlab.machine.state import Layout
from kvmlab.machine.step import STAY, Block, Row, Step, block, cases, free, loop, name_of, prioritised
from kvmlab.machine.system import Actor, System
from kvmlab.machine.watch import footprint
from kvmlab.schedulers.chance import draw
from kvmlab.schedulers.clock import Clock, Profile, clocked
from kvmlab.schedulers.person import Session
from kvmlab.schedulers.replay import replay


def note(label: str, returns: str | None = None, **given: object) -> Step:
    """Return a step that does nothing and returns ``returns``."""
    leaves = (returns,) if returns and returns != STAY else ()
    return Step(label, lambda s, me: returns, leaves=leaves, **given)  # type: ignore[arg-type]


def trail(path: Block, steps: int = 12) -> list[str]:
    """Return the labels that the only actor of ``path`` takes."""
    system = System(Layout(), [Actor("a", "a", path, None)])
    return [label[2:] for label in clocked(system, limit=steps).labels]


def test_leaving_a_block_means_its_end_wherever_it_stands() -> None:
    """A jump is relative to its block: moving the block does not change what the jump skips."""
    skip = block("skip", note("A", "skip"), note("B"))
    assert trail(block("p", skip, note("C"), note("D"))) == ["A", "C", "D"]
    assert trail(block("p", note("C"), skip, note("D"))) == ["C", "A", "D"]
    assert trail(block("p", note("C"), note("D"), skip)) == ["C", "D", "A"]


def test_a_loop_starts_again_and_can_be_left() -> None:
    """Falling off a loop's end, or leaving its last block, starts it again; leaving the loop ends it."""
    assert trail(loop("p", note("A"), block("q", note("B", "q"), note("C"))), 4) == ["A", "B", "A", "B"]
    assert trail(block("p", loop("l", note("A"), note("B", "l")), note("C"))) == ["A", "B", "C"]


def test_cases_run_one_block_and_go_on_behind() -> None:
    """The first step of cases picks a block; none picked means behind all of them."""
    two = (block("x", note("X")), block("y", note("Y")))
    assert trail(block("p", cases("c", note("PICK", "x"), *two), note("E"))) == ["PICK", "X", "E"]
    assert trail(block("p", cases("c", note("PICK", "y"), *two), note("E"))) == ["PICK", "Y", "E"]
    assert trail(block("p", cases("c", note("PICK"), *two), note("E"))) == ["PICK", "E"]


def test_staying_keeps_the_place() -> None:
    """STAY is the same row again."""
    assert trail(block("p", note("A", STAY)), 3) == ["A", "A", "A"]


def test_a_jump_to_nowhere_is_an_error_of_the_model() -> None:
    """A step may leave only blocks around it, and only those that it declares."""
    with pytest.raises(ModelError, match="not around it"):
        compile_path(block("p", block("q", note("A")), note("B", "q")))
    undeclared = Step("A", lambda s, me: "p")
    with pytest.raises(ModelError, match="does not declare"):
        trail(block("p", undeclared))
    with pytest.raises(ModelError, match="two steps are called A"):
        compile_path(block("p", note("A"), note("A")))


def test_the_first_enabled_priority_wins_and_free_choices_are_all_offered() -> None:
    """Prioritised alternatives leave no choice; free ones leave it to the scheduler."""
    no = note("NO", when=lambda s, me: False)
    row = prioritised("R", no, note("HIGH"), note("LOW"))
    assert trail(block("p", row)) == ["HIGH"]
    system = System(Layout(), [Actor("a", "a", block("p", free("F", note("X"), no, note("Y"))), None)])
    assert [move.token for move in system.enabled(system.start)] == ["a", "a2"]
    assert replay(system, "a2").labels == ["a:Y"]


def frames() -> System:
    """A thread of two steps and a handler that may interrupt it once, on one CPU."""
    layout = Layout()
    top, pending = layout.add("top"), layout.add("pending", 1)

    def push(s: list[int], me: object) -> None:
        s[top], s[pending] = 1, 0

    def pop(s: list[int], me: object) -> None:
        s[top] = 0

    take = Step("TAKE", push, lambda s, me: s[pending] and s[top] == 0, preempts=True)
    handler = block("h", take, Step("IRET", pop))
    thread = block("t", note("T1"), note("T2"))
    return System(
        layout, [Actor("v", "thread", thread, None, top, 0), Actor("h", "handler", handler, None, top, 1)]
    )


def test_a_handler_frame_holds_the_thread_below() -> None:
    """While the handler's frame is on top the thread cannot move; afterwards it goes on."""
    system = frames()
    assert {move.token for move in system.enabled(replay(system, "vh").state)} == {"h"}
    assert replay(system, "vhhv").labels == ["v:T1", "h:TAKE", "h:IRET", "v:T2"]
    assert replay(system, "vhv").stopped.startswith("step 3: v (thread) cannot move")


def test_only_a_step_that_preempts_comes_in_over_another_frame() -> None:
    """A handler that has come in without its frame on top goes no further."""
    system = toy(((("take", 0, 0), ("set", 0, 1)),), 2, frames=(1,)).system
    assert [move.step.label for move in system.enabled(system.start)] == ["S0"]
    assert system.enabled(system.take(system.start, "a")) == []


def test_a_thread_may_migrate_to_another_cpu() -> None:
    """An actor's CPU may depend on the state: after the move it waits for the frames of the new CPU."""
    layout = Layout()
    cpu, tops = layout.add("cpu"), (layout.add("top0"), layout.add("top1", 1))

    def migrate(s: list[int], me: object) -> None:
        s[cpu] = 1

    def pop(s: list[int], me: object) -> None:
        s[tops[1]] = 0

    thread = block("t", Step("MIGRATE", migrate), note("GO_ON"))
    actors = [
        Actor("v", "thread", thread, None, lambda s: tops[s[cpu]], 0),
        Actor("h", "handler there", block("h", Step("IRET", pop)), None, tops[1], 1),
    ]
    system = System(layout, actors)
    assert [move.token for move in system.enabled(system.take(system.start, "v"))] == ["h"]
    assert replay(system, "vhv").labels == ["v:MIGRATE", "h:IRET", "v:GO_ON"]
    slow = Profile("slow", {"IRET": 9})
    assert [step.time for step in clocked(system, slow).steps] == [0, 0, 9]


def test_an_illegal_move_raises_and_changes_nothing() -> None:
    """A typed error names actor and place; the state and a session are as before."""
    system = frames()
    before = system.start
    for token, why in (("x", "no actor x"), ("v1", "may take v")):
        with pytest.raises(IllegalTransition, match=why):
            system.take(before, token)
    session = Session(system, "vh")
    with pytest.raises(IllegalTransition):
        session.press("v")
    assert (session.past.schedule, system.start) == ("vh", before)


def test_edits_address_labels() -> None:
    """Insert, replace, drop and move find their label at any depth; a missing one is an error."""
    path = block("p", note("A"), block("q", note("B"), prioritised("R", note("C"), note("D"))))
    names = lambda p: [name_of(n) for n in p.walk()]  # noqa: E731
    assert names(apply(path, After("A", (note("N"),)))) == ["A", "N", "q", "B", "R"]
    assert names(apply(path, Before("q", (note("N"),)))) == ["A", "N", "q", "B", "R"]
    assert names(apply(path, Swap("B"))) == ["A", "q", "R"]
    assert names(apply(path, Relocate("A", after="B"))) == ["q", "B", "A", "R"]
    assert find(apply(path, Swap("C", (note("E"),))), "E")
    last = find(apply(path, Before("D", (note("E"),))), "R")
    assert isinstance(last, Row) and [s.label for s in last.first] == ["C", "E"]
    assert [s.label for s in last.free] == ["D"]  # the otherwise stays the otherwise
    with pytest.raises(ModelError, match="0 places called Z"):
        apply(path, Swap("Z"))


TOKENS = st.lists(st.tuples(st.sampled_from("vhgabcd"), st.integers(0, 12)), max_size=30)


@given(TOKENS)
def test_a_schedule_reads_back(tokens: list[tuple[str, int]]) -> None:
    """Text to tokens and back is the identity, blanks do not matter."""
    written = tuple(letter + (str(choice) if choice else "") for letter, choice in tokens)
    assert schedule.parse(schedule.text(written)) == written
    assert schedule.parse("  ".join(written)) == written


def test_there_is_a_letter_for_everybody() -> None:
    """Capitals and small letters do not run out with ASCII's; a schedule with such letters reads back."""
    many, more = [*islice(capitals(), 200)], [*islice(smalls("tu"), 200)]
    assert many[:26] == list(ascii_uppercase) and more[:2] == ["t", "u"]
    assert len({*many, *more}) == 400 and all(len(x) == 1 and x.isalpha() for x in many + more)
    assert not {*more[2:]} & {*ascii_lowercase}
    written = (*(f"{x}2" for x in many), *more)
    assert schedule.parse(schedule.text(written)) == written


def test_a_bad_schedule_names_the_character() -> None:
    """What is no actor is named."""
    with pytest.raises(BadInput, match="'\\?' is no actor"):
        schedule.parse("vv?h")
    with pytest.raises(BadInput, match="'3' is no actor"):
        schedule.parse("3v")


def test_time_travel_is_replay_of_a_prefix() -> None:
    """Going back and on again ends in the same state; another move forgets what lay ahead."""
    session = Session(frames(), "vhhv")
    end = session.state
    session.seek(1)
    while session.step() and session.at < 4:
        pass
    assert session.state == end
    session.seek(0)
    session.press("h")
    assert (session.past.schedule, len(session.run.steps)) == ("h", 1)


def test_the_same_seed_gives_the_same_run() -> None:
    """A drawn run depends on nothing but the seed; seeds 0 to 19 draw more than one schedule."""
    grid = toy(((("add", 0, 1),) * 3, (("add", 0, 1),) * 3), 1).system
    runs = [draw(grid, seed).schedule for seed in range(20)]
    assert runs == [draw(grid, seed).schedule for seed in range(20)]
    assert runs[0] == "bbaaba"
    assert len(set(runs)) > 1


def test_divergence_counts_the_common_steps() -> None:
    """Two runs have their steps in common up to the first label that differs."""
    system = frames()
    assert divergence(replay(system, "vhhv"), replay(system, "vv")) == 1
    assert divergence(replay(system, "vhhv"), replay(system, "vhhv")) == 4


def test_time_is_an_actor_that_goes_to_the_next_deadline() -> None:
    """now becomes 30, then 70, and then nothing is armed."""
    system = timers()
    run = replay(system, "tbta")
    assert [step.after[0] for step in run.steps] == [30, 30, 70, 70]
    assert system.enabled(run.state) == []


def test_the_clock_orders_by_time_then_frame_then_list() -> None:
    """The CPU that is free first moves; a handler goes before the thread below it; then list order."""
    assert clocked(frames()).labels == ["h:TAKE", "h:IRET", "v:T1", "v:T2"]
    slow = Profile("slow", {"S0": 10}, default=1)
    lanes = toy(((("add", 0, 1), ("add", 0, 1)), (("add", 0, 1),) * 2), 1).system
    assert clocked(lanes, slow).labels == ["a:S0", "b:S0", "a:S1", "b:S1"]
    assert [step.time for step in clocked(lanes, slow).steps] == [0, 0, 10, 10]


def test_the_clock_waits_for_deadlines() -> None:
    """Without a TIME actor the clock itself goes to the next armed deadline."""
    layout = Layout()
    now, due = layout.add("now"), layout.add("due", 500, deadline=True)

    def fire(s: list[int], me: object) -> None:
        s[due] = -1

    ring = Step("RING", fire, lambda s, me: 0 <= s[due] <= s[now])
    clock = Clock(System(layout, [Actor("a", "alarm", block("p", ring), None)]), now=now)
    assert [(step.label, step.time) for step in clock.steps(5)] == [("a:RING", 500)]


def test_what_a_step_reads_and_writes_is_recorded() -> None:
    """The footprint holds the guard's reads, the effect's reads and writes, and the position."""
    system = toy(((("wait", 0, 0), ("add", 1, 1)),), 2).system
    first = system.enabled(system.start)[0]
    pc = system.pc["a"]
    assert footprint(system, first, system.start) == ({0, pc}, {pc})
    state = system.take(system.start, "a")
    assert footprint(system, system.enabled(state)[0], state) == ({1, pc}, {1, pc})
