"""Why a posted interrupt got lost: a run told as "who looked too early, and what was done in vain"."""

from collections.abc import Callable, Mapping

from kvmlab.machine.run import Run
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.mechanism import mechanism_of
from kvmlab.schedulers.replay import replay

Steps = Mapping[str, int]
"""Label without its actor -> the last step of that name, counted from 1."""

WHY: Mapping[str, Callable[[Steps, str], str]] = {
    "request consumed": lambda at, found: (
        f"Step {at['CHECK_EVENT']} used up the KVM_REQ_EVENT of step {at['POST.request']}, so the recheck "
        "found none."
    ),
    "stale mode": lambda at, found: (
        f"The kick of step {at['KICK.mode']} read a mode that was out of date: the new one, of step "
        f"{at['MODE_IN']}, still waited in the store buffer."
    ),
    "kick that found nobody": lambda at, found: (
        f"The kick of step {at['KICK.mode']} found mode {found}, and sent nothing."
    ),
    "notification eaten by the host": lambda at, found: (
        f"The host ate the notification in step {at['IRQ.posted']}, because IF was still 1."
    ),
    "kick eaten by the host": lambda at, found: (
        f"The host ate the kick's IPI in step {at['IRQ.reschedule']}, and the recheck was over."
    ),
}
"""Mechanism -> what was done in vain; the second argument is the mode that the last kick found."""


def why_lost(scenario: Scenario, schedule: str) -> str:
    """Return why the interrupt of a losing ``schedule`` is lost, with the steps that decide."""
    run = replay(scenario.system, schedule)
    at = _last(run)
    found = _mode(run, at["KICK.mode"]) if "KICK.mode" in at else ""
    looked = f"The last sync looked at ON in step {at['SYNC.test']}; ON was set in step {_posted(run)}."
    vain = WHY[mechanism(scenario, run)](at, found)
    return f"{looked} {vain} The guest is in, ON is 1, and nobody will come."


def mechanism(scenario: Scenario, run: Run) -> str:
    """Return by which mechanism ``run`` lost its interrupt, as the scenario's monitor has it."""
    assert scenario.monitor is not None
    return mechanism_of(run, scenario.monitor)


def _last(run: Run) -> Steps:
    return {label.partition(":")[2]: n for n, label in enumerate(run.labels, 1)}


def _mode(run: Run, n: int) -> str:
    """Return the mode that step ``n`` found in memory."""
    return run.system.layout.text(run.system.layout.index("vcpu.mode"), run.steps[n - 1].before)


def _posted(run: Run) -> int:
    """Return the step that set ON for the last time."""
    on = run.system.layout.index("apicv.on")
    return max(n for n, step in enumerate(run.steps, 1) if step.after[on] > step.before[on])
