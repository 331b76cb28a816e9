"""The command that tries every schedule: verdict, shortest counterexample, mechanisms, counts, lassos."""

import json
from argparse import Namespace
from dataclasses import asdict, replace
from typing import Any

from kvmlab.cli.defaults import EACH, which
from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import parse_order
from kvmlab.kernels.step_table import step_table as bare_path
from kvmlab.labs.ablations import ablations
from kvmlab.machine.property import Property
from kvmlab.scenarios.fairness import EXITS
from kvmlab.scenarios.mixes import AMD
from kvmlab.scenarios.names import scenario
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.table import step_table, uncut
from kvmlab.schedulers.count import Count, count
from kvmlab.schedulers.explore import Exploration, Violation
from kvmlab.schedulers.explore import explore as explore_all
from kvmlab.schedulers.liveness import Lasso, Liveness, liveness
from kvmlab.schedulers.mechanism import Mechanism, mechanisms, mechanisms_in

LEVELS = ("levels", "methods", "kernels", "cpus", "no_a1", "accesses", "around")
TIMER = ("hlt", "wakes", "migrations", "refuse", "rewrite", "without")
KNOBS = ("cancel", "sender", "senders", "memory", "barrier", "preemptions", *LEVELS, *TIMER)
"""What is said on the command line under a scenario's own name for it."""


def explore(args: Namespace) -> int:
    """Try every schedule; status 1 if one violates a property, 2 if a bound cut the search short."""
    if EACH in (args.without or ()):
        return _each(args)
    chosen = _table(args) if args.order else _scenario(args)
    result = _liveness(args, chosen) if args.liveness else explore_all(chosen, args.limit, args.reduce)
    if args.order and not args.reduce and args.limit is None:
        whole = explore_all(uncut(chosen))
        result = replace(result, states=whole.states, transitions=whole.transitions)
    how = () if args.liveness else _how(chosen, result)
    counted = count(_losing(chosen)) if args.count else None
    show = _json if args.json else _text
    print(show(args.scenario, chosen, result, how, counted))
    return 1 if result.violations else 0 if result.complete else 2


def _liveness(args: Namespace, chosen: Scenario) -> Liveness:
    """Look for schedules that go on for ever without what must come."""
    if args.reduce or args.count:
        raise BadInput("--liveness looks at every schedule, and they never end: no --reduce, no --count")
    if not chosen.liveness:
        raise BadInput(f"--liveness: {chosen.name} has nothing that must come; immediate-exit has")
    known = {each.name: each for each in chosen.fairness}
    assumed = list(dict.fromkeys(args.fairness or ()))
    for name in assumed:
        if name not in known:
            raise unknown("fairness", name, [*known, EXITS.name])
    return liveness(chosen, [known[name] for name in assumed], args.limit)


def _each(args: Namespace) -> int:
    """Leave every step of the switch out, one at a time; the status is that of the whole kernel."""
    if args.without != [EACH]:
        raise BadInput(f"--without {EACH} is every step already: name no other beside it")
    if args.scenario != "hv-timer" or args.liveness or args.limit is not None or args.reduce or args.count:
        raise BadInput(f"--without {EACH} is for hv-timer, and tries every schedule of each")
    knobs = {knob: value for knob, value in _said(args).items() if knob != "without"}
    table = ablations(kernel(which(args.kernel, args.scenario)), **knobs)
    rows = {"scenario": args.scenario, "kernel": table.kernel, "whole": asdict(table.whole)}
    print(json.dumps({**rows, "ablations": list(map(asdict, table.rows))}) if args.json else table)
    return 1 if table.whole.label else 0


def _how(chosen: Scenario, result: Exploration) -> tuple[Mechanism, ...]:
    """Return every mechanism; of a search that left something out, those of what it found."""
    if chosen.monitor is None or not result.violations:
        return ()
    if result.complete and not result.reduced:
        return mechanisms(chosen, chosen.monitor)
    return mechanisms_in(chosen, chosen.monitor, result.violations)


def _said(args: Namespace) -> dict[str, Any]:
    return {knob: getattr(args, knob) for knob in KNOBS if getattr(args, knob) is not None}


def _scenario(args: Namespace) -> Scenario:
    said, name = _said(args), args.scenario
    if args.fairness and not args.liveness:
        raise BadInput("--fairness is an assumption of --liveness; safety needs none")
    if name == "immediate-exit" and (args.liveness or not said.keys().isdisjoint(LEVELS)):
        name = "pending-smi" if f"L0={AMD}" in (args.cpus or "") else "levels"
    if EXITS.name in (args.fairness or ()):
        said["tick"] = True
    kernel_name = which(args.kernel, name)
    if args.event is not None:
        raise BadInput("--event belongs to --order; a kernel has its own look at KVM_REQ_EVENT")
    if args.entries is not None:
        said["exits"] = _entries(args) - 1
    return scenario(name, kernel(kernel_name), **said)


def _table(args: Namespace) -> Scenario:
    """Return the bare path that --order describes."""
    if args.scenario != "posted-interrupts" or args.kernel is not None:
        raise BadInput("--order is for posted-interrupts, and instead of --kernel")
    said = _said(args)
    for knob in said.keys() - {"sender", "senders", "memory", "barrier"}:
        raise BadInput(f"--order has no knob {knob}; a kernel may have")
    path = bare_path(parse_order(args.order, args.event or "none"))
    return step_table(path, entries=_entries(args), **said)


def _entries(args: Namespace) -> int:
    entries = 1 if args.entries is None else int(args.entries)
    if entries < 1:
        raise BadInput("entries: 1 or more")
    return entries


def _losing(chosen: Scenario) -> Scenario:
    """Return the scenario as it is counted: only a loss loses, a flag left behind does not."""
    lost = tuple(p for p in chosen.properties if p.label != "ON_STUCK")
    return replace(chosen, properties=lost)


def _asked(result: Exploration) -> tuple[Property, ...]:
    """Return the property that was violated, or all."""
    return (result.shortest.property,) if result.shortest else result.properties


def _json(
    asked: str, chosen: Scenario, result: Exploration, how: tuple[Mechanism, ...], counted: Count | None
) -> str:
    shortest = list(result.shortest.labels) if result.shortest else []
    row: dict[str, Any] = {
        "scenario": asked,
        "kernel": chosen.kernel.name,
        "verdict": result.verdict,
        "property": "; ".join(p.sentence for p in _asked(result)),
        "complete": result.complete,
        "bound": result.bound,
        "reduced": result.reduced,
        "states": result.states,
        "transitions": result.transitions,
        "violations": len(result.violations),
        "shortest": shortest,
        "length": len(shortest),
        "schedule": result.shortest.schedule if result.shortest else "",
        "mechanisms": [_mechanism(each) for each in how],
    }
    fairness = result.fairness if isinstance(result, Liveness) else ()
    row |= {"fairness": [each.name for each in fairness], "lasso": _lasso(result.shortest)}
    return json.dumps(row | _counted(counted))


def _counted(counted: Count | None) -> dict[str, Any]:
    """Return what --count adds; null where it was not asked for."""
    if counted is None:
        return dict.fromkeys(("interleavings", "losing", "probability"))
    chance = float(counted.probability)
    return {"interleavings": counted.interleavings, "losing": counted.losing, "probability": chance}


def _mechanism(each: Mechanism) -> dict[str, Any]:
    return {
        "name": each.name,
        "property": each.label,
        "length": each.steps + 1,
        "schedule": each.schedule,
    }


def _lasso(found: Violation | None) -> dict[str, list[str]] | None:
    """Return the steps of the stem and of the loop; an end has none in its loop."""
    if not isinstance(found, Lasso):
        return None
    return {"stem": list(found.labels[: found.stem]), "loop": list(found.labels[found.stem : -1])}


def _steps(found: Violation) -> list[str]:
    """Return the steps of a counterexample as lines, with a mark where it starts to go round."""
    lines = [f"{n:>4}  {label}" for n, label in enumerate(found.labels, 1)]
    if isinstance(found, Lasso):
        lines.insert(found.stem, "from here on, for ever:" if found.round else "nobody can move any more:")
    return lines


def _schedule(how: Mechanism, result: Exploration) -> str:
    """Return the schedule of a mechanism, which may be long and have been printed already."""
    return "as above" if result.shortest and result.shortest.schedule == how.schedule else how.schedule


def _text(
    asked: str, chosen: Scenario, result: Exploration, how: tuple[Mechanism, ...], counted: Count | None
) -> str:
    lines = [f"{asked} on {chosen.kernel.name}: {result!r}"]
    if isinstance(result, Liveness):
        lines += [f"assumed: {each.sentence}" for each in result.fairness]
    if result.shortest:
        lines.append(f"violated: {result.shortest.property.sentence}")
        lines += _steps(result.shortest)
        lines.append(f"schedule {result.shortest.schedule}")
    elif result.complete:
        lines += [f"holds: {p.sentence}" for p in result.properties]
    else:
        lines.append("no proof: the search was cut short by its limit")
    lines += [f"mechanism: {m.name}, {m.steps} steps, schedule {_schedule(m, result)}" for m in how]
    return "\n".join([*lines, *([f"counted: {counted!r}"] if counted else [])])
