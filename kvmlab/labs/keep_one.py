"""Exercise of notebook 02, Keep one alarm: the judge.

The switch is explored with a guest that may halt, a deadline that comes at any time, and another CPU that may
wake the guest. It must keep the properties of the scenario; and the alarm must come back to the preemption
timer.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.labs.alarm_pieces import switch
from kvmlab.labs.alarm_story import why
from kvmlab.labs.judgement import Judgement
from kvmlab.machine.property import Property
from kvmlab.processor.records import frame
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import Exploration, Violation, explore
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.schedulers.replay import replay
from kvmlab.show.places import Place

WATCH: tuple[tuple[Place, ...], ...] = (
    (Place("hrtimer, due at", ("hrtimer.expires",)),),
    (Place("preemption timer, due at", ("timer.hv_deadline",)),),
    (Place("now", ("now",)),),
    (Place("the guest's deadline", ("timer.tscdeadline",)),),
    (Place("expiry pending", ("timer.pending",)),),
    (Place("times given", ("timer.injected",)),),
    (Place("who runs", ("core.frame",)),),
    (Place("guest halted", ("halt.mp_state",)),),
    (Place("waits / asleep", ("halt.waiting", "halt.asleep")),),
)
"""What the stepper shows."""


def judge(order: Sequence[str]) -> Judgement:
    """Try every schedule of the switch that ``order`` makes, and say what is broken, or that nothing is.

    First without the other CPU: a bug that needs nobody else is shown without anybody else. Raises BadInput
    unless the divider and each of the six steps are named once.
    """
    for wakes in (0, 1):
        scenario = demanding(hv_timer(switch(order), wakes=wakes))
        found = explore(scenario)
        if found.shortest:
            return _broken(", ".join(order), scenario, found.shortest)
    return Judgement(", ".join(order), scenario, _praise(found))


def demanding(scenario: Scenario) -> Scenario:
    """Return ``scenario`` with one more property: behind a halt the preemption timer has the alarm again."""
    t, program = scenario.records["timer"], scenario.records["program"]
    top, hr = scenario.records["core"].frame, t.hrtimer

    def elsewhere(s: Sequence[int]) -> bool:
        runs = s[top] == frame(1) and not s[program.halts]
        wanted = s[t.tscdeadline] and not s[t.pending] and not s[hr.running]
        return bool(runs and wanted) and s[t.hv_deadline] < 0

    sentence = (
        "a guest that has halted runs with the preemption timer again, if its deadline is still to come"
    )
    return replace(scenario, properties=(*scenario.properties, Property("NOT_BACK", sentence, elsewhere)))


def _praise(found: Exploration) -> str:
    return (
        f"Tried every schedule ({found.states} states, {found.transitions} transitions): whenever the guest "
        "runs its alarm has one holder, it rings once, and behind a halt the preemption timer has it again."
    )


def _broken(answer: str, scenario: Scenario, shortest: Violation) -> Judgement:
    prop, length = shortest.property, len(shortest.labels) - 1
    schedule = fewest_switches(scenario.system, prop.broken, length)
    reason = why(prop.label, replay(scenario.system, schedule), scenario.records)
    return Judgement(answer, scenario, f"Must hold: {prop.sentence}. {reason}", prop.label, schedule)
