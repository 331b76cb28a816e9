"""Why an alarm went wrong, read off the run that shows it; steps are counted from 1."""

from collections.abc import Callable, Mapping
from typing import Any

from kvmlab.machine.run import Run, Taken
from kvmlab.machine.state import Cell


def why(label: str, run: Run, records: Mapping[str, Any]) -> str:
    """Return why ``run`` breaks the property called ``label`` in its last step."""
    return REASONS[label](run, records)


def _lost(run: Run, records: Mapping[str, Any]) -> str:
    asleep = _last(run, lambda step: step.move.step.label == "SCHEDULE.out")
    state = run.steps[asleep - 1].after if asleep else run.state
    if state[records["timer"].hv_deadline] >= 0:
        timers = "only the preemption timer is set, which counts in the guest only"
    else:
        timers = "no timer is set"
    return f"In step {asleep} the thread goes to sleep, and {timers}: at the deadline nobody wakes it."


def _twice(run: Run, records: Mapping[str, Any]) -> str:
    t = records["timer"]
    first = _first(run, lambda step: step.after[t.injected] > step.before[t.injected])
    rang = _last(run, lambda step: step.after[t.pending] > step.before[t.pending])
    timer, cell = _rung(run, rang, records)
    since = _last(run, lambda step: step.after[cell] > step.before[cell], before=rang)
    told = f"KVM gives the interrupt to the guest in step {first}, and again in step {len(run.steps)}: "
    if since > first:
        return f"{told}in step {since} {timer} was set once more, when no deadline was left."
    return f"{told}{timer}, set in step {since}, was still set when the other one had rung."


def _rung(run: Run, rang: int, records: Mapping[str, Any]) -> tuple[str, Cell]:
    """Return which timer made the expiry of step ``rang``, and the cell that says for when it is set."""
    if run.steps[rang - 1].move.actor.letter == "h":
        return "the hrtimer", records["hrtimer"].expires
    return "the preemption timer", records["timer"].hv_deadline


def _enters(says: str) -> Callable[[Run, Mapping[str, Any]], str]:
    return lambda run, records: f"Step {len(run.steps)} runs the guest, and {says}."


REASONS: Mapping[str, Callable[[Run, Mapping[str, Any]], str]] = {
    "LOST": _lost,
    "TWICE": _twice,
    "TWO_HOLDERS": _enters("both timers are set for its deadline"),
    "NO_HOLDER": _enters("no timer is set for its deadline"),
    "NOT_BACK": _enters("the hrtimer has its alarm: the deadline will cost the host's interrupt"),
}


def _first(run: Run, wanted: Callable[[Taken], bool]) -> int:
    """Return the first such step, counted from 1; 0 if there is none."""
    return next((n for n, step in enumerate(run.steps, 1) if wanted(step)), 0)


def _last(run: Run, wanted: Callable[[Taken], bool], before: int | None = None) -> int:
    """Return the last such step up to ``before``; 0 if there is none."""
    numbered = list(enumerate(run.steps[:before], 1))
    return next((n for n, step in reversed(numbered) if wanted(step)), 0)
