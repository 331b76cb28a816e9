"""The clock: what occupies a CPU, where time stops, who only lets it pass, and what a limit leaves."""

import pytest
from toys import timers, toy

from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.clock import Clock, Profile, clocked


def test_two_threads_on_one_cpu_wait_for_each_other() -> None:
    """A step occupies its CPU: the handler on the same CPU starts when the slow step ends."""
    layout = Layout()
    top, hit = layout.add("top"), layout.add("hit")

    def put(value: int) -> Step:
        def fn(s: list[int], me: object) -> None:
            s[hit] = value

        if value == 1:
            return Step("SLOW", fn)
        return Step("TAKE", fn, lambda s, me: s[hit] == 1, preempts=True)

    thread = Actor("v", "thread", block("p", put(1)), None, top, 0)
    handler = Actor("h", "handler", block("q", put(2)), None, top, 1)
    run = clocked(System(layout, [thread, handler]), Profile("slow", {"SLOW": 50}))
    assert [(step.label, step.time) for step in run.steps] == [("v:SLOW", 0), ("h:TAKE", 50)]


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (15, [("w:W0", 0), ("w:W1", 15), ("a:RING", 20), ("w:W2", 30)]),
        (10, [("w:W0", 0), ("w:W1", 10), ("a:RING", 20), ("w:W2", 20)]),
    ],
)
def test_time_stops_at_a_deadline_before_a_later_step(cost: int, expected: list[tuple[str, int]]) -> None:
    """A deadline at or before the next start comes first, though somebody could go on."""
    layout = Layout()
    now, due = layout.add("now"), layout.add("due", 20, deadline=True)

    def fire(s: list[int], me: object) -> None:
        s[due] = -1

    work = [Step(f"W{i}", lambda s, me: None) for i in range(3)]
    ring = Step("RING", fire, lambda s, me: 0 <= s[due] <= s[now])
    actors = [Actor("a", "alarm", block("q", ring), None), Actor("w", "worker", block("p", *work), None)]
    clock = Clock(System(layout, actors), Profile("slow", {}, cost), now=now)
    assert [(step.label, step.time) for step in clock.steps(9)] == expected


def test_an_actor_that_lets_time_pass_has_no_say_where_there_is_a_clock() -> None:
    """With TIME among the actors the clock still fires each timer at its deadline, and TIME never moves."""
    steps = list(Clock(timers(), now=0).steps(9))
    assert [(step.label, step.time) for step in steps] == [("b:FIRE", 30), ("a:FIRE", 70)]
    assert [step.after[0] for step in steps] == [30, 70]


def test_a_run_that_its_limit_ended_says_so() -> None:
    """`stopped` names the limit; a run that came to its end is silent."""
    lanes = toy(((("add", 0, 1),) * 3, (("add", 0, 1),) * 3), 1).system
    assert clocked(lanes, limit=4).stopped == "after 4 steps"
    assert len(clocked(lanes, limit=4).steps) == 4
    assert (clocked(lanes, limit=7).stopped, len(clocked(lanes, limit=7).steps)) == ("", 6)


@pytest.mark.parametrize(("event", "times"), [(0, [0, 10, 20]), (7, [0, 24, 34])])
def test_to_record_an_event_takes_time(event: int, times: list[int]) -> None:
    """A step that tells of two things keeps its CPU busy for two events more; a silent one does not."""
    told = (("kvm_entry", {}), ("kvm_exit", {}))
    loud = Step("LOUD", lambda s, me: None, emits=lambda before, after, me: told)
    silent = [Step(f"SILENT{i}", lambda s, me: None) for i in range(2)]
    actor = Actor("w", "worker", block("p", loud, *silent), None)
    run = clocked(System(Layout(), [actor]), Profile("even", {}, 10), event=event)
    assert [step.time for step in run.steps] == times
