"""The command that runs kvm-unit-tests as the model's guests and prints what the real ones print."""

import json
from argparse import Namespace
from typing import Any

from kvmlab.errors import BadInput
from kvmlab.labs.unittest import DEFAULT_KERNEL, Result, unittest
from kvmlab.scenarios.mixes import by_level
from kvmlab.scenarios.unittests.scenario import TESTS


def unittests(args: Namespace) -> int:
    """Run one test or all; status 1 if an assertion fails or a test does not end."""
    if args.ipi_delay < 0 or args.level < 0:
        raise BadInput("--level and --ipi-delay: 0 or more")
    names = [args.name] if args.name else list(TESTS)
    knobs = {"level": args.level, "kernels": _kernels(args), "cpus": args.cpus, "ipi_delay": args.ipi_delay}
    results = [unittest(name, **knobs, cold=args.cold) for name in names]
    print(json.dumps(_row(args, results)) if args.json else "\n".join(map(repr, results)))
    return 0 if all(result.ok for result in results) else 1


def _kernels(args: Namespace) -> str:
    """Return a kernel for every level, as the test wants them."""
    levels = args.level + 1
    named = by_level(args.kernels, levels, "kernels")
    return ",".join(f"L{n}={named.get(n, args.kernel or DEFAULT_KERNEL)}" for n in range(levels))


def _row(args: Namespace, results: list[Result]) -> dict[str, Any]:
    tests = [
        {
            "name": result.name,
            "ok": result.ok,
            "finished": result.finished,
            "lines": [{"name": x.name, "ok": x.ok, "text": x.text} for x in result.lines],
        }
        for result in results
    ]
    return {"level": args.level, "kernels": _kernels(args), "ipi_delay": args.ipi_delay, "tests": tests}
