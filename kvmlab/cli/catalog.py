"""Commands that list: kernels, scenarios, the difference of two kernels, the notebooks."""

import json
from argparse import Namespace
from difflib import unified_diff

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.listing import listing
from kvmlab.kernels.names import EDITS, LISTED, kernel
from kvmlab.scenarios.benches import BENCHES
from kvmlab.scenarios.names import SCENARIOS
from kvmlab.workbook import open_lab

EXAMPLE = "v6.1+preemption-timer=0"
"""A kernel with a module parameter: it is one of the recorded ones."""


def kernels(args: Namespace) -> int:
    """List the kernels of the course, in the order of its story, and what may stand behind a name."""
    if args.json:
        print(json.dumps([_kernel(name) for name in LISTED]))
    else:
        for name in LISTED:
            print(f"{name:<24} {kernel(name).says}")
        print(f"\nBehind a name, where it fits, as in {EXAMPLE}:")
        for name, edit in EDITS.items():
            print(f"+{name:<23} {edit.says}")
    return 0


def _kernel(name: str) -> dict[str, object]:
    fits = [edit for edit in EDITS if edit not in name.split("+") and _fits(name, edit)]
    return {"name": name, "says": kernel(name).says, "source": kernel(name).source, "options": fits}


def _fits(name: str, edit: str) -> bool:
    try:
        return bool(kernel(f"{name}+{edit}"))
    except BadInput:
        return False


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
