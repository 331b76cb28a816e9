"""Exercise of notebook 01, Build the deferral: the judge.

A deferral is explored with a thread that makes a request and kicks at any point. It must keep the
properties of the scenario, deliver 0x31 exactly once, and L1 must stay reachable.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.labs.judgement import Judgement
from kvmlab.labs.pieces import FORCE, deferral
from kvmlab.labs.reach import dead_end
from kvmlab.machine.property import Property
from kvmlab.machine.run import Run
from kvmlab.processor.records import frame
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import Exploration, Violation, explore
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.schedulers.replay import replay


def judge(*pieces: str) -> Judgement:
    """Build the deferral from ``pieces``, try every schedule, and say what is broken, or that nothing is.

    Raises BadInput for pieces that make no deferral.
    """
    answer, scenario = " + ".join(pieces), demanding(immediate_exit(deferral(*pieces), cancel=True))
    found = explore(scenario)
    if found.shortest:
        return _broken(answer, scenario, found.shortest)
    end = dead_end(scenario)
    if end is not None:
        return Judgement(answer, scenario, NO_END, "STUCK", end)
    return Judgement(answer, scenario, _praise(found))


def demanding(scenario: Scenario) -> Scenario:
    """Return ``scenario`` with one more property: 0x31 is delivered exactly once when L1 runs again."""
    system = scenario.system
    running, l1_at = scenario.records["core"].frame, system.pc["m"]
    delivered, injected = scenario.records["l2"].delivered, system.layout.index("l1.injected")

    def not_once(s: Sequence[int]) -> bool:
        back = s[running] == frame(1) and s[l1_at] > 0 and s[injected]
        return bool(back) and s[delivered] != 1

    once = Property("NOT_ONCE", "when L1 runs again, 0x31 has been delivered exactly once", not_once)
    return replace(scenario, properties=(*scenario.properties, once))


NO_END = "Nothing is broken, and nothing happens any more: from here no schedule leads back to L1."


def _praise(found: Exploration) -> str:
    return (
        f"Tried every schedule ({found.states} states, {found.transitions} transitions): L2 executes nothing "
        "while 0x40 waits, 0x31 is delivered exactly once, and L1 is always reached."
    )


def _broken(answer: str, scenario: Scenario, shortest: Violation) -> Judgement:
    prop, length = shortest.property, len(shortest.labels) - 1
    schedule = fewest_switches(scenario.system, prop.broken, length)
    sentence = f"Must hold: {prop.sentence}. {_why(replay(scenario.system, schedule))}"
    return Judgement(answer, scenario, sentence, prop.label, schedule)


def _why(run: Run) -> str:
    """Return what went wrong in ``run``, read off its steps; they are counted from 1."""
    at = {label: n for n, label in enumerate(run.labels, 1)}
    made_up, eaten = at.get("v:NESTED_VMEXIT", 0), at.get("h:IRQ.reschedule", 0)
    if made_up and "v:VMENTRY" not in run.labels[:made_up]:
        return f"Step {made_up} tells L1 of an exit, and no entry came before it."
    if eaten:
        return (
            f"Step {at['v:' + FORCE]} sends the IPI while IF=1; in step {eaten} the host takes it, and "
            "nothing is left at the entry."
        )
    if "v:CANCEL.inject" in at:
        return (
            f"Step {at['a:REQUEST']} makes another request, so the entry is called off; the next lap finds "
            "no KVM_REQ_EVENT and does not ask for the exit again."
        )
    if run.state[run.system.layout.index("core.mtf")]:
        return "The monitor trap flag did its work, one instruction too late: this entry injected nothing."
    return f"Step {at['v:VMENTRY']} enters L2, and nothing waits there to take it out."
