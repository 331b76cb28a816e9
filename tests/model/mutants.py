"""Mutants of the step table: every step dropped, swapped with its neighbour or merged with it, and every
cell left out of the hash. ``python tests/model/mutants.py`` lists them with what kills each.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from kvmlab.errors import KvmlabError
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.orders import parse_order
from kvmlab.kernels.step_table import step_table as bare_path
from kvmlab.machine.edit import Relocate, Swap, apply
from kvmlab.machine.step import STAY, Block, Node, Row, Step, name_of
from kvmlab.scenarios import posting, table
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import explore

CONFIGS: dict[str, tuple[str, str, str, int]] = {
    "V0": ("sync,mode,irq_off", "check-first", "kvm", 1),
    "V0r": ("sync,mode,irq_off", "sync-first", "kvm", 1),
    "V1": ("sync,mode,irq_off", "none", "kvm", 1),
    "V2": ("sync,irq_off,mode", "none", "kvm", 1),
    "V4": ("irq_off,mode,sync", "none", "kvm", 1),
    "V6/V1": ("sync,mode,irq_off", "none", "vtd", 1),
    "V6/V4": ("irq_off,mode,sync", "none", "vtd", 1),
    "V4, two": ("irq_off,mode,sync", "none", "kvm", 2),
    "V4, both": ("irq_off,mode,sync", "none", "both", 2),
    "V4, two VT-d": ("irq_off,mode,sync", "none", "vtd", 2),
}
"""Name -> order, event, sender, senders: the printed table, and the fix with two senders."""

Change = Callable[[Block], Block]
Row4 = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A name, and what it does to each path: the vCPU's, a sender's, the host's, the guest's."""

    name: str
    path: str
    change: Change


def measured(config: str, mutant: Mutant | None) -> Row4:
    """Return verdict, shortest length, states and transitions, or the error that the model raises."""
    try:
        scenario = built(config, mutant)
        found, whole = explore(scenario), explore(table.uncut(scenario))
    except KvmlabError as why:
        return (type(why).__name__,)
    length = len(found.shortest.labels) if found.shortest else 0
    return found.verdict, length, whole.states, whole.transitions


def built(config: str, mutant: Mutant | None = None) -> Scenario:
    """Return a configuration of the table, with a mutant in it."""
    order, event, sender, senders = CONFIGS[config]
    kernel = bare_path(parse_order(order, event))
    with mutated(kernel, mutant) as made:
        return table.step_table(made, sender=sender, senders=senders)


@contextmanager
def mutated(kernel: Kernel, mutant: Mutant | None) -> Iterator[Kernel]:
    """Put a mutant into a kernel's path, or into the hardware's while the scenario is built."""
    if mutant is None or not _has(kernel, mutant):
        yield kernel
    elif mutant.path in kernel.paths:
        paths = {**kernel.paths, mutant.path: mutant.change(kernel.paths[mutant.path])}
        yield replace(kernel, paths=paths)
    else:
        module, name = (table, "GUEST") if mutant.path == "guest" else (posting, "VTD_POST")
        whole = getattr(module, name)
        setattr(module, name, mutant.change(whole))
        yield kernel
        setattr(module, name, whole)


def _has(kernel: Kernel, mutant: Mutant) -> bool:
    """Whether the mutant's place is in this kernel (the look at EVENT, say, is not in all of them)."""
    path = kernel.paths.get(mutant.path)
    try:
        return path is None or bool(mutant.change(path))
    except KvmlabError:
        return False


def signature(mutant: Mutant | None) -> dict[str, Row4]:
    """Return what every configuration gives."""
    return {config: measured(config, mutant) for config in CONFIGS}


# Mutations.


def steps(path: Block) -> list[Step]:
    """Return the plain steps and alternatives of a path, in order."""
    found: list[Step] = []
    for node in path.walk():
        if isinstance(node, Step):
            found.append(node)
        elif isinstance(node, Row):
            found += node.steps
    return found


def siblings(block: Block) -> Iterator[tuple[Node, Node]]:
    """Yield neighbours, wherever they are."""
    yield from zip(block.items, block.items[1:], strict=False)
    for item in block.items:
        if isinstance(item, Block):
            yield from siblings(item)


def drop(path: str, label: str) -> Mutant:
    """Leave a step out."""
    return Mutant(f"drop {label}", path, lambda block: apply(block, Swap(label)))


def swap(path: str, a: str, b: str) -> Mutant:
    """Let two neighbours change places."""
    return Mutant(f"swap {a} and {b}", path, lambda block: apply(block, Relocate(a, after=b)))


def merge(path: str, a: Step, b: Step) -> Mutant:
    """Make one atomic step of two neighbours; the second one runs unless the first one leaves."""

    def both(s: list[int], me: object) -> str | None:
        gone = a.fn(s, me)
        return gone if gone is not None and gone != STAY else b.fn(s, me)

    one = replace(a, fn=both, leaves=(*a.leaves, *b.leaves))
    name = f"merge {a.label} and {b.label}"
    return Mutant(name, path, lambda block: apply(apply(block, Swap(b.label)), Swap(a.label, (one,))))


def mutants() -> list[Mutant]:
    """Return every single mutation of every path."""
    event, plain = (bare_path(parse_order("irq_off,mode,sync", e)) for e in ("check-first", "none"))
    paths: list[tuple[str, Block]] = [
        ("vcpu_run", event.paths["vcpu_run"]),
        ("post", plain.paths["post"]),
        ("post", event.paths["post"]),
        ("host_irq", plain.paths["host_irq"]),
        ("guest", table.GUEST),
        ("vtd", posting.VTD_POST),
    ]
    made = {m.name + m.path: m for name, path in paths for m in _of(name, path)}
    return list(made.values())


def _of(name: str, path: Block) -> Iterator[Mutant]:
    yield from (drop(name, step.label) for step in steps(path) if len(steps(path)) > 1)
    for a, b in siblings(path):
        yield swap(name, name_of(a), name_of(b))
        if isinstance(a, Step) and isinstance(b, Step):
            yield merge(name, a, b)


# What is left out of the hash.


def forgetting(scenario: Scenario, cell: int) -> tuple[str, int]:
    """Explore with one cell left out of the hash; return verdict and states."""
    start = scenario.system.start
    seen, layer, broken = {_without(start, cell)}, [start], False
    while layer:
        following = []
        for state in layer:
            if any(p.broken(state) for p in scenario.properties):
                broken = True
                continue
            for move in scenario.system.enabled(state):
                work = list(state)
                move.carry_out(work)
                if (key := _without(work, cell)) not in seen:
                    seen.add(key)
                    following.append(tuple(work))
        layer = following
    return ("violated" if broken else "ok"), len(seen)


def _without(state: Sequence[int], cell: int) -> tuple[int, ...]:
    return (*state[:cell], *state[cell + 1 :])


def main() -> int:
    """List every mutant with what it changes."""
    right = signature(None)
    for mutant in mutants():
        found = signature(mutant)
        verdicts = [c for c in CONFIGS if found[c][0] != right[c][0]]
        counts = [c for c in CONFIGS if found[c] != right[c]]
        what, where = ("verdict", verdicts) if verdicts else ("counts", counts)
        print(f"{mutant.path:<10}{mutant.name:<44}{what} of {', '.join(where) or 'nothing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
