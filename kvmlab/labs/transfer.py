"""Exercise of notebook 03, The lost wake-up: the judge.

Two orders are wanted, one for each side. No schedule may leave the waiter asleep when the waker has returned;
and where nobody wakes it, the waiter must sleep: an order that never sleeps loses nothing, and is no answer.
"""

from collections.abc import Mapping, Sequence

from kvmlab.labs.judgement import Judgement
from kvmlab.machine.run import Run
from kvmlab.machine.store_buffer import EMPTY
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.wakeup import wakeup
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.schedulers.replay import replay
from kvmlab.show.places import Place

WATCH: tuple[tuple[Place, ...], ...] = (
    (Place("“asleep”, as all see it", ("task.asleep",)),),
    (Place("in the waiter's store buffer", ("waiter.store0",)),),
    (Place("the waiter is off its CPU", ("task.sleeping",)),),
    (Place("condition, as all see it", ("task.condition",)),),
    (Place("in the waker's store buffer", ("waker.store0",)),),
    (Place("the waker has read “asleep”", ("task.seen",)),),
)
"""What the stepper shows."""

NEVER = (
    "Nothing is lost, because nobody ever sleeps: this waiter comes to its end even if no waker is there. "
    "Whoever has to wait must sleep at last."
)


def judge(waiter: Sequence[str], waker: Sequence[str]) -> Judgement:
    """Try every schedule of the two sides in these orders under x86-TSO, and say what is wrong with them.

    Raises BadInput unless each side names each of its steps once.
    """
    scenario = wakeup(waiter, waker)
    answer = f"{', '.join(waiter)} | {', '.join(waker)}"
    found = explore(scenario)
    if found.shortest:
        length = len(found.shortest.labels) - 1
        schedule = fewest_switches(scenario.system, found.shortest.property.broken, length)
        why = f"Must hold: {found.shortest.property.sentence}. {_why(replay(scenario.system, schedule))}"
        return Judgement(answer, scenario, why, found.shortest.property.label, schedule)
    if not sleeps(scenario):
        return Judgement(answer, scenario, NEVER, "NEVER SLEEPS", _alone(scenario))
    tried = f"Tried every schedule ({found.states} states, {found.transitions} transitions)"
    return Judgement(answer, scenario, f"{tried}: nobody sleeps on, and who has nothing to do sleeps.")


def sleeps(scenario: Scenario) -> bool:
    """Return whether the waiter goes to sleep if the waker stays away."""
    run = replay(scenario.system, _alone(scenario))
    return bool(run.state[scenario.records["task"].sleeping])


def _alone(scenario: Scenario) -> str:
    """Return the waiter's own schedule: its steps, and its store buffer drains where it has to."""
    system, state, schedule = scenario.system, scenario.system.start, ""
    while moves := [m for m in system.enabled(state) if m.actor.letter in "ws"]:
        schedule += moves[0].token
        state = system.take(state, moves[0].token)
    return schedule


def _why(run: Run) -> str:
    """Return who missed whom in a run that leaves the waiter asleep; steps are counted from 1."""
    at = {label: n for n, label in enumerate(run.labels, 1)}
    return f"{_waiter(run, at)} {_waker(run, at)}"


def _waiter(run: Run, at: Mapping[str, int]) -> str:
    test, sleep = at.get("w:TEST", 0), at["w:SLEEP"]
    if not test or test > sleep:
        return f"The waiter sleeps in step {sleep} without having looked."
    where = "still waits in the waker's store buffer" if _waits(run, test, "waker") else "is not true yet"
    return f"The waiter looks in step {test}: the condition {where}. In step {sleep} it sleeps."


def _waker(run: Run, at: Mapping[str, int]) -> str:
    read, wake = at["k:READ"], at["k:WAKE"]
    if wake < read:
        return f"The waker was to wake in step {wake}, before it had read anything."
    if _waits(run, read, "waiter"):
        return f"The waker reads in step {read}: “asleep” still waits in the waiter's store buffer."
    return f"The waker reads in step {read}: nobody is asleep yet."


def _waits(run: Run, n: int, side: str) -> bool:
    """Return whether a store of this side's CPU was still in its buffer at step ``n``."""
    return run.steps[n - 1].before[run.system.layout.index(f"{side}.store0")] != EMPTY
