"""Commands that list: kernels, scenarios, the difference of two kernels, the notebooks."""

import json
from argparse import Namespace
from difflib import unified_diff

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.listing import listing
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.scenarios.benches import BENCHES
from kvmlab.scenarios.names import SCENARIOS
from kvmlab.workbook import open_lab


def kernels(args: Namespace) -> int:
    """List the kernels of the course, in the order of its story."""
    rows = [(name, kernel(name).says, kernel(name).source) for name in LISTED]
    if args.json:
        print(json.dumps([{"name": n, "says": says, "source": source} for n, says, source in rows]))
    else:
        for name, says, _ in rows:
            print(f"{name:<24} {says}")
    return 0


def scenarios(args: Namespace) -> int:
    """List the scenarios with what must hold in them."""
    made = [make(_fitting(name)) for name, make in SCENARIOS.items()]
    if args.json:
        print(json.dumps([{"name": s.name, "says": s.sentence, "property": s.property} for s in made]))
    else:
        for s in made:
            print(f"{s.name}: {s.sentence}")
            for p in s.properties:
                print(f"    {p.label:<10} {p.sentence}")
        print(f"{', '.join(BENCHES)}: measured in cycles, see kvmlab run --help")
    return 0


def _fitting(scenario: str) -> Kernel:
    """Return the oldest kernel of the course that is modelled for ``scenario``."""
    return next(kernel(name) for name in LISTED if scenario in kernel(name).scope)


def diff(args: Namespace) -> int:
    """Print what distinguishes two kernels as a diff of their step lists."""
    a, b = kernel(args.a), kernel(args.b)
    lines = list(unified_diff(listing(a), listing(b), a.name, b.name, lineterm="", n=1))
    if args.json:
        print(json.dumps({"a": a.name, "b": b.name, "diff": lines}))
    else:
        print("\n".join(lines) or f"{a.name} and {b.name} take the same steps")
    return 0


def lab(args: Namespace) -> int:
    """Make the learner's copies and open them."""
    open_lab(args.notebooks, args.copies, launch=not args.no_open)
    return 0
