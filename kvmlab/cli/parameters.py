"""The command that lists a machine's numbers: what may stand behind the ``+`` of a profile."""

import json
from argparse import Namespace
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from kvmlab.schedulers.profile import MachineProfile, Parameter
from kvmlab.schedulers.profiles.names import profile

WIDTH = 80
UNIT = "cycles"


def parameters(args: Namespace) -> int:
    """List what a machine is made of: each number with its range, how well it is known, and its source."""
    machine = profile(args.profile)
    print(json.dumps(_json(machine)) if args.json else "\n".join(_text(machine)))
    return 0


def strays(machine: MachineProfile) -> Iterator[str]:
    """Yield a sentence for each number outside its range: a learner may ask, and is told."""
    for p in machine.parameters.values():
        if p.outside:
            yield f"{p.name}={p.cycles} is outside its range, {p.low} to {p.high} {UNIT}"


def _json(machine: MachineProfile) -> dict[str, Any]:
    return {
        "profile": machine.name,
        "says": machine.says,
        "source": machine.source,
        "unit": UNIT,
        "parameters": {name: _row(p) for name, p in machine.parameters.items()},
        "notes": list(strays(machine)),
    }


def _row(p: Parameter) -> dict[str, Any]:
    keys = ("cycles", "low", "high", "source", "says", "outside")
    return {key: getattr(p, key) for key in keys} | {"status": p.status.value}


def _text(machine: MachineProfile) -> Iterator[str]:
    yield from wrap(f"{machine.name}: {machine.says}", WIDTH)
    yield from wrap(f"source: {machine.source}", WIDTH)
    yield f"\n{'':<13}{UNIT:>6}  {'range':<14}status"
    for p in machine.parameters.values():
        row = f"{p.name:<13}{p.cycles:>6}  {f'{p.low} to {p.high}':<14}{p.status.value:<10}"
        yield from wrap(p.says, WIDTH, initial_indent=row, subsequent_indent=" " * len(row))
        yield from wrap(p.source, WIDTH, initial_indent="    ", subsequent_indent="    ")
    yield from (f"note: {note}" for note in strays(machine))
