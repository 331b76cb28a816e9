"""The scheduler game: the line is exact in every state, and the widget says who has won."""

from functools import cache

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import IllegalTransition
from kvmlab.kernels.names import kernel
from kvmlab.machine.property import broken
from kvmlab.machine.run import taken
from kvmlab.machine.state import State
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.replay import replay
from kvmlab.show.not_lost import HELD, NOT_YET, WON, explained, not_lost_yet
from kvmlab.show.stepper import stepper_text
from kvmlab.show.widgets.game import SchedulerGame

KERNELS = (
    "v4.10",
    "v4.10+no-event",
    "v4.10+no-event+irq-off-first",
    "v4.10+no-event+sync-late",
    "b95234c",
)
KNOBS: tuple[dict[str, object], ...] = (
    {},
    {"sender": "vtd"},
    {"memory": "tso", "barrier": False},
    {"senders": 2, "sender": "both"},
)
CASES = [(name, i) for name in KERNELS for i in range(len(KNOBS))]
CASES.remove(("v4.10", 3))  # it has five thousand states, and adds nothing to its other cases


@cache
def scenario(name: str, knobs: int = 0) -> Scenario:
    """Return a scenario of the game."""
    return posted_interrupts(kernel(name), **KNOBS[knobs])  # type: ignore[arg-type]


def behind(which: Scenario) -> dict[State, list[State]]:
    """Return every state that can be reached, with those behind it; nothing is behind a loss."""
    graph: dict[State, list[State]] = {}
    todo = [which.system.start]
    for state in todo:
        if state not in graph:
            over = broken(which.properties, state) is not None
            moves = [] if over else which.system.enabled(state)
            graph[state] = [taken(move, state).after for move in moves]
            todo += graph[state]
    return graph


def doomed(which: Scenario, graph: dict[State, list[State]]) -> set[State]:
    """Return the states from which every schedule breaks a property."""
    found = {state for state in graph if broken(which.properties, state)}
    while more := {s for s, after in graph.items() if s not in found and after and set(after) <= found}:
        found |= more
    return found


@pytest.mark.parametrize(("name", "knobs"), CASES)
def test_the_line_says_lost_exactly_where_no_schedule_helps(name: str, knobs: int) -> None:
    """In every state: LOST (or ON_STUCK) if and only if every way on from here breaks a property."""
    which = scenario(name, knobs)
    graph = behind(which)
    says = {state for state in graph if not_lost_yet(which, state).startswith(("LOST", "ON_STUCK"))}
    assert says == doomed(which, graph)


@pytest.mark.parametrize(("name", "knobs"), CASES)
def test_the_game_is_over_exactly_at_rest(name: str, knobs: int) -> None:
    """Somebody has won if and only if nobody is on the way any more: the scheduler if something broke."""
    which = scenario(name, knobs)
    for state in behind(which):
        line = not_lost_yet(which, state)
        assert line.endswith((WON, HELD)) == bool(which.done(state))
        assert line.endswith(WON) == (broken(which.properties, state) is not None)


@pytest.mark.parametrize(
    ("name", "schedule", "reason"),
    [
        ("v4.10+no-event", "vaaaa", "the sync is still to come (net A)"),
        ("v4.10+no-event", "vvvvvaaaa", "the notification waits at the CPU (net B)"),
        ("v4.10+no-event", "vvvvaaaa", "the notification waits at the CPU, though with IF=1"),
        ("v4.10", "vvvaaaaa", "KVM_REQ_EVENT throws the entry away (net C)"),
        ("v4.10+no-event", "vvva", "the sender has not set ON yet"),
        ("v4.10+no-event", "vvvaa", "the sender still holds the notification"),
        ("v4.10+no-event", "vvvaaa", "the sender is still to kick"),
        ("v4.10+no-event", "vvvaaavvaa", "the kick's EXITING throws the entry away"),
        ("v4.10+no-event", "vvvaaavvvvaa", "the kick's IPI waits at the CPU and will take the guest out"),
    ],
)
def test_the_reason_is_the_net_that_holds(name: str, schedule: str, reason: str) -> None:
    """Each net, and the sender before it, is named while it holds the post."""
    run = replay(scenario(name).system, schedule)
    assert not run.stopped
    assert not_lost_yet(scenario(name), run.state) == f"{NOT_YET}{reason}."


def test_who_makes_a_request_still_helps_with_on_set_already() -> None:
    """The guest is in and 0x31 is beyond all nets; but v4.10's next sender kicks although it finds ON=1."""
    which = posted_interrupts(kernel("v4.10"), senders=2)
    run = replay(which.system, "vvaaaaabvvvvvvvvv")
    assert not run.stopped and run.labels[-1] == "v:VMENTRY"
    assert not_lost_yet(which, run.state) == f"{NOT_YET}the sender has not set ON yet."


@pytest.mark.parametrize(
    ("name", "knobs", "schedule", "how"),
    [
        ("v4.10+no-event", 0, "vvvaaaavvvvvv", "kick finds nobody"),
        ("v4.10+no-event", 0, "vvvvaaaahvvvvv", "eaten by the host"),
        ("v4.10", 0, "vvaaaaavvvvvvvvv", "EVENT already used up"),
        ("b95234c", 2, "vvvvvvvvvaaaasv", "MODE_IN not seen yet"),
    ],
)
def test_a_loss_is_told_with_its_mechanism(name: str, knobs: int, schedule: str, how: str) -> None:
    """The gap that the post fell through stands in the line."""
    which = scenario(name, knobs)
    run = replay(which.system, schedule)
    assert explained(which, run) == how
    line = not_lost_yet(which, run.state, how)
    assert line == f"LOST ({how}): 0x31 in PIR, ON=1, nobody will come. {WON}"


# --- the widget ---------------------------------------------------------------------------------


def game() -> SchedulerGame:
    """Return the game on the kernel that loses, with the one that holds as a toggle."""
    return SchedulerGame([scenario("v4.10+no-event"), scenario("b95234c")])


def test_the_line_follows_every_press() -> None:
    """It stands right above the picture, is announced, and says who has won at the end."""
    shown = game()
    assert (shown.line, shown.won) == ("Nothing to lose yet: nobody has posted.", None)
    for token in "vvvaaaavvvvvv":
        shown.press(token)
        assert shown.line in shown._line.value and 'role="status"' in shown._line.value
    assert shown.won is True and shown.line.endswith(WON)
    assert list(shown.children).index(shown._line) == list(shown.children).index(shown._picture) - 1


def test_the_same_schedule_does_not_win_on_the_other_kernel() -> None:
    """The toggle replays it; gone on to the end, the kernel has won."""
    shown = game()
    shown.schedule = "vvvaaaavvvvvv"
    shown.kernel = "b95234c"
    shown.run_to("verdict")
    assert shown.won is False and shown.line.endswith(HELD)
    shown.back()
    assert shown.won is None


def test_a_game_that_is_over_is_played_to_its_end_on_the_other_kernel() -> None:
    """The learner's own schedule, no press needed; back again it is lost again, and was never changed."""
    shown = game()
    for token in "vvvaaaavvvvvv":
        shown.press(token)
    shown.kernel = "b95234c"
    assert shown.won is False and shown.foot.startswith("Up to step 1 the same")
    shown.kernel = "v4.10+no-event"
    assert shown.won is True and shown.schedule == "vvvaaaavvvvvv"


def test_a_game_that_is_open_stays_where_it_is() -> None:
    """Another kernel in mid-game takes no step that nobody pressed."""
    shown = game()
    shown.press("a")
    shown.kernel = "b95234c"
    assert shown.won is None and shown.schedule == "a"


def test_the_twin_begins_with_the_line_and_ends_with_the_foot() -> None:
    """What the stepper prints is kept whole."""
    shown = game()
    shown.press("v")
    assert repr(shown) == f"{shown.line}\n\n{stepper_text(shown.moment)}"
    assert max(map(len, repr(shown).splitlines())) <= 80
    assert " ".join(repr(shown).split()).endswith(shown.foot)


def test_a_move_that_is_not_possible_changes_nothing() -> None:
    """As in every stepper."""
    shown = game()
    with pytest.raises(IllegalTransition):
        shown.press("g")
    assert shown.line.startswith("Nothing to lose yet")
