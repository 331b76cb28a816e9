"""What the tests of costs share: measurements by name, and systems with a step dropped or taken twice."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from kvmlab.kernels.names import kernel
from kvmlab.machine.bench import Bench
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Block, Node, Row, Step
from kvmlab.machine.system import System
from kvmlab.machine.time import TIME
from kvmlab.scenarios.benches import bench
from kvmlab.schedulers.measure import Measured, measure
from kvmlab.schedulers.profiles.hsw16 import HSW16

EDITED = replace(HSW16, steps={**HSW16.steps, "DROPPED": (), "EXTRA": ("ACK",)})
"""The machine, for paths in which steps are dropped, or one more is taken."""

EXTRA = Step("EXTRA", lambda s, me: None)


def made(name: str, on: str, **knobs: Any) -> Bench:
    """Return a measurement on the kernel called ``on``."""
    return bench(name, kernel(on), **knobs)


@cache
def measured(name: str, on: str, **knobs: Any) -> Measured:
    """Return what a measurement gives under HSW16."""
    return measure(made(name, on, **knobs), HSW16)


def mean(name: str, on: str, **knobs: Any) -> Any:
    """Return its mean."""
    return measured(name, on, **knobs).mean


Change = Callable[[Step], Step | None]


def edited(built: Bench, change: Change, before: str = "", behind: str = "") -> Bench:
    """Return a measurement on the same records, every step replaced; EXTRA in front of one and behind one."""
    layout = Layout()
    for info in built.system.layout.cells:
        if not info.name.endswith(".at"):
            layout.add(info.name, info.initial, info.show, deadline=info.deadline)
    actors = [
        actor if actor.path is TIME else replace(actor, path=_block(actor.path, change, before, behind))
        for actor in built.system.actors.values()
    ]
    return replace(built, system=System(layout, actors))


def _block(path: Block, change: Change, before: str, behind: str) -> Block:
    items: list[Node] = []
    for item in path.items:
        if isinstance(item, Block):
            items.append(_block(item, change, before, behind))
            continue
        labels = [item.label] if isinstance(item, Step) else [step.label for step in item.steps]
        new = change(item) if isinstance(item, Step) else _row(item, change)
        items += [EXTRA] if before in labels else []
        items += [new] if new else []
        items += [EXTRA] if behind in labels else []
    return replace(path, items=tuple(items))


def _row(row: Row, change: Change) -> Row:
    """An alternative stays one, if only of doing nothing."""

    def one(step: Step) -> Step:
        return change(step) or dropped(step)

    return replace(row, first=tuple(map(one, row.first)), free=tuple(map(one, row.free)))


@cache
def dropped(step: Step) -> Step:
    """Return what is left of an alternative."""
    return Step("DROPPED", lambda s, me: None, step.when)


def without(built: Bench, label: str) -> Bench:
    """Return the measurement with every step called ``label`` dropped."""
    return edited(built, lambda step: None if step.label == label else step)


def with_extra(built: Bench, label: str, *, behind: bool) -> Bench:
    """Return the measurement with a step of 100 cycles more beside every row that holds ``label``."""
    return edited(built, lambda step: step, "" if behind else label, label if behind else "")
