"""The command that measures: latencies in cycles, exits by reason, and where the cycles went."""

import json
from argparse import Namespace
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from kvmlab.cli import running
from kvmlab.cli.defaults import DEFAULT_PROFILE, which
from kvmlab.cli.parameters import strays
from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.benches import BENCHES, bench, knobs_of
from kvmlab.scenarios.names import SCENARIOS
from kvmlab.scenarios.vmexit import CASES
from kvmlab.schedulers.measure import TIME, Measured, measure
from kvmlab.schedulers.profiles.names import profile
from kvmlab.show.multiplication import Multiplication, multiplication

ONE_RUN = ("schedule", "seed", "cancel", "inject", "after")
MEASURED = ("guest", "case", "profile")
"""What can be said of one run, and of a measurement, by the names of the options."""


def run(args: Namespace) -> int:
    """Measure, if that is what the scenario is for; else carry out one run of it."""
    if args.scenario not in {*BENCHES, *SCENARIOS}:
        raise unknown("scenario", args.scenario, {*BENCHES, *SCENARIOS})
    measures = args.scenario in BENCHES
    for option in ONE_RUN if measures else MEASURED:
        if getattr(args, option) not in (None, False):
            says = f"not for {args.scenario}; it is for {'one run' if measures else ', '.join(BENCHES)}"
            raise BadInput(f"--{option} is {says}")
    said, args.kernel = args.kernel, which(args.kernel, args.scenario)
    if not measures:
        return running.run(args)
    table = _multiplied(args) if args.scenario == "cpuid" else None
    measured = table.floors[-1].measured if table else _measure(args)
    notes = [*_default(args, said), *_host(measured), *_warming(measured), *strays(measured.profile)]
    if args.json:
        print(json.dumps(_json(args, measured) | {"notes": notes} | (_levels_json(table) if table else {})))
    else:
        head = [repr(table), ""] if table else []
        print("\n".join([*head, *_text(args, measured), *(f"note: {note}" for note in notes)]))
    return 0


def _default(args: Namespace, said: str | None) -> Iterator[str]:
    if said is None:
        yield f"{args.kernel} is the default; another one: --kernel K"


def _host(m: Measured) -> Iterator[str]:
    if (name := m.bench.knobs.get("host", "server")) != "server":
        yield f"the host is {name}, too: its clock, how long it polls, and how early it sets a timer"


def _warming(m: Measured) -> Iterator[str]:
    """Yield the exits that came while it warmed up and never again: what they cost is in no figure."""
    for reason, n in m.warming.items():
        if reason not in m.counts:
            yield f"{n} x {reason} in the {m.bench.skip} rounds that warm up, none behind: in no figure"


def _multiplied(args: Namespace) -> Multiplication:
    """Return what one exit costs on every level up to the one that was asked for."""
    said = _said(args)
    for option in said.keys() - set(knobs_of("cpuid")):
        raise BadInput(f"cpuid has no knob {option}; it has {', '.join(knobs_of('cpuid'))}")
    levels, machine = said.pop("levels", 2), profile(args.profile or "nested")
    return multiplication(kernel(args.kernel), levels, machine=machine, **said)


def _levels_json(table: Multiplication) -> dict[str, Any]:
    keys = ("level", "exits", "cycles", "status")
    return {"levels": [{key: getattr(floor, key) for key in keys} for floor in table.floors]}


def _said(args: Namespace) -> dict[str, Any]:
    knobs = ("guest", "case", *running.LEVELS)
    return {knob: getattr(args, knob) for knob in knobs if getattr(args, knob) is not None}


def _measure(args: Namespace) -> Measured:
    """Return what comes out; a machine that is known with its host is measured on it."""
    machine = args.profile or DEFAULT_PROFILE
    if args.scenario == "vmexit" and args.case is None:
        raise BadInput(f"vmexit: say --case NAME, one of {', '.join(CASES)}")
    said = _said(args)
    if machine.startswith("traced") and "host" in knobs_of(args.scenario):
        said["host"] = "traced"
    return measure(bench(args.scenario, kernel(args.kernel), **said), profile(machine))


def _json(args: Namespace, m: Measured) -> dict[str, Any]:
    known = m.profile.parameters
    return {
        "scenario": args.scenario,
        "kernel": args.kernel,
        "profile": m.profile.name,
        "knobs": dict(m.bench.knobs),
        "samples": len(m.samples),
        "latency": {"min": m.min, "mean": _number(m.mean), "max": m.max},
        "exits": dict(m.counts),
        "items": {step: _number(cycles) for step, cycles in m.steps.items()},
        "parameters": {
            name: {"cycles": _number(cycles), "status": known[name].status.value if name in known else ""}
            for name, cycles in m.parameters.items()
        },
    }


def _number(cycles: Fraction) -> int | float:
    """Return a whole number as one; a fraction's denominator is a power of 2, so that sums stay exact."""
    return int(cycles) if cycles.denominator == 1 else float(cycles)


def _text(args: Namespace, m: Measured) -> Iterator[str]:
    spread = f"{m.min} to {m.max}" if m.min < m.max else "every one"
    yield f"{m.bench.sentence}, on {args.kernel} under {m.profile.name}:"
    yield f"{_number(m.mean)} cycles on average of {len(m.samples)} samples, {spread}"
    yield "exits: " + (", ".join(f"{reason} {n}" for reason, n in m.counts.items()) or "none")
    for item in m.items:
        if item.cycles:
            yield f"{_number(item.cycles):>8}  {item.step:<24} {_named(m, item.parameter)}".rstrip()


def _named(m: Measured, parameter: str) -> str:
    if parameter == TIME:
        return "time passes"
    return f"{parameter} ({m.profile.parameters[parameter].status.value})"
