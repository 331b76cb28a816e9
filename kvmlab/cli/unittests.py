"""The command that runs kvm-unit-tests as the model's guests, and prints PASS or FAIL for each assertion.

A line has the name that the real test prints; where that has none of its own, the model gives it one.
"""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from kvmlab.errors import BadInput
from kvmlab.labs.unittest import DEFAULT_KERNEL, Result, unittest
from kvmlab.labs.unittest_why import why
from kvmlab.scenarios.mixes import by_level
from kvmlab.scenarios.unittests.scenario import TESTS

Reasons = Mapping[str, tuple[str, ...]]
"""Test -> why it failed."""


def unittests(args: Namespace) -> int:
    """Run one test or all; status 1 if an assertion fails or a test does not end."""
    if args.ipi_delay < 0 or args.level < 0:
        raise BadInput("--level and --ipi-delay: 0 or more")
    names = [args.name] if args.name else list(TESTS)
    knobs = {"level": args.level, "cpus": args.cpus, "ipi_delay": args.ipi_delay, "cold": args.cold}
    results = [unittest(name, kernels=_kernels(args), **knobs) for name in names]
    reasons = {result.name: why(result, _named(args), **knobs) for result in results}
    print(json.dumps(_row(args, results, reasons)) if args.json else "\n".join(_text(results, reasons)))
    return 0 if all(result.ok for result in results) else 1


def _named(args: Namespace) -> dict[int, str]:
    """Return the name of a kernel for every level."""
    levels = args.level + 1
    named = by_level(args.kernels, levels, "kernels")
    return {n: named.get(n, args.kernel or DEFAULT_KERNEL) for n in range(levels)}


def _kernels(args: Namespace) -> str:
    """Return the same as the test wants them."""
    return ",".join(f"L{n}={name}" for n, name in _named(args).items())


def _text(results: list[Result], reasons: Reasons) -> Iterator[str]:
    for result in results:
        yield repr(result)
        yield from (f"  why: {reason}" for reason in reasons[result.name])


def _row(args: Namespace, results: list[Result], reasons: Reasons) -> dict[str, Any]:
    tests = [
        {
            "name": result.name,
            "ok": result.ok,
            "finished": result.finished,
            "why": list(reasons[result.name]),
            "lines": [{"name": x.name, "ok": x.ok, "text": x.text} for x in result.lines],
        }
        for result in results
    ]
    return {"level": args.level, "kernels": _kernels(args), "ipi_delay": args.ipi_delay, "tests": tests}
