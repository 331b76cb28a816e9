"""The command that runs one schedule: the clock's, a written one, or one drawn by chance."""

import json
from argparse import Namespace
from typing import Any

from kvmlab.kernels.names import kernel
from kvmlab.machine.property import Property, broken
from kvmlab.machine.run import Run, changed
from kvmlab.scenarios.names import knobs_of, scenario
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.chance import draw
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.replay import replay

LEVELS = ("levels", "accesses", "kernels")
"""What can be said where KVMs stand on each other."""

DEFAULT_AFTER = 3
"""How many instructions L2 computes before it leaves on its own, where nothing else is said."""


def run(args: Namespace) -> int:
    """Carry out one run; status 1 if it violates a property, 2 if its schedule could not be carried out."""
    chosen = scenario(args.scenario, kernel(args.kernel), **_knobs(args))
    done = _run(chosen, args)
    found = _first_broken(chosen, done)
    print(json.dumps(_run_json(chosen, done, found)) if args.json else _run_text(done, found))
    return 1 if found else 2 if done.stopped and args.schedule is not None else 0


def _knobs(args: Namespace) -> dict[str, Any]:
    """Return the knobs that were said, and L2's length where the clock needs one."""
    said: dict[str, Any] = {"cancel": True} if args.cancel else {}
    said |= {knob: getattr(args, knob) for knob in LEVELS if getattr(args, knob) is not None}
    if args.inject is not None:
        said["inject"] = args.inject == "yes"
    if args.after is not None:
        said["after"] = args.after
    elif args.schedule is None and "after" in knobs_of(args.scenario):
        said["after"] = DEFAULT_AFTER
    return said


def _run(chosen: Scenario, args: Namespace) -> Run:
    if args.schedule is not None:
        return replay(chosen.system, args.schedule)
    return clocked(chosen.system) if args.seed is None else draw(chosen.system, args.seed)


def _first_broken(chosen: Scenario, done: Run) -> Property | None:
    """A property broken on the way stays broken: the first state that breaks one counts."""
    found = (broken(chosen.properties, step.after) for step in done.steps)
    return next((p for p in found if p), None)


def _run_json(chosen: Scenario, done: Run, found: Property | None) -> dict[str, Any]:
    return {
        "scenario": chosen.name,
        "kernel": chosen.kernel.name,
        "schedule": done.schedule,
        "verdict": _verdict(done, found),
        "property": found.sentence if found else chosen.property,
        "stopped": done.stopped,
        "steps": [_step_json(done, n) for n in range(len(done.steps))],
        "events": [{"name": name, **fields} for name, fields in done.events],
    }


def _verdict(done: Run, found: Property | None) -> str:
    """A schedule that could not be carried out to its end proves nothing."""
    return "violated" if found else "incomplete" if done.stopped else "ok"


def _step_json(done: Run, n: int) -> dict[str, Any]:
    step = done.steps[n]
    changes = {cell: [was, now] for cell, was, now in changed(done, n)}
    return {"step": step.label, "time": step.time, "changed": changes}


def _run_text(done: Run, found: Property | None) -> str:
    lines = []
    for n, step in enumerate(done.steps):
        changes = ", ".join(f"{cell} {was}->{now}" for cell, was, now in changed(done, n))
        lines.append(f"{n + 1:>4}  {step.label:<28} {changes}".rstrip())
    lines.append(f"schedule {done.schedule}")
    if done.stopped:
        lines.append(f"up to here; {done.stopped}")
    verdict = {"ok": "ok: nothing was violated", "incomplete": "incomplete: nothing was violated so far"}
    lines.append(f"violated ({found.label}): {found.sentence}" if found else verdict[_verdict(done, found)])
    return "\n".join(lines)
