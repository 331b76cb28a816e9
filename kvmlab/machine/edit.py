"""Edits of a path: a patch is a list of them, each naming the label it is anchored at.

Edits address labels, not positions, so two edits at different labels commute. An edit that finds
no such label, or two, is a ModelError: it would silently patch nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from kvmlab.errors import ModelError
from kvmlab.machine.step import Block, Node, Row, Step, name_of


@dataclass(frozen=True, slots=True)
class After:
    """Insert nodes behind the step, row or block called ``label``."""

    label: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """Insert nodes in front of the step, row or block called ``label``."""

    label: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Swap:
    """Put other nodes in the place of the one called ``label``; none at all drops it."""

    label: str
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Relocate:
    """Take the node called ``label`` out and put it behind (or in front of) another one."""

    label: str
    after: str = ""
    before: str = ""


Edit = After | Before | Swap | Relocate


def apply(path: Block, edit: Edit) -> Block:
    """Return ``path`` with one edit made; raise ModelError if its label is not there exactly once."""
    if isinstance(edit, Relocate):
        node = find(path, edit.label)
        bare = apply(path, Swap(edit.label))
        put: Edit = After(edit.after, (node,)) if edit.after else Before(edit.before, (node,))
        return apply(bare, put)
    find(path, edit.label)
    return _rebuild(path, edit)


def find(path: Block, label: str) -> Node:
    """Return the step (in a row or not), row or block called ``label``."""
    found: list[Node] = []
    for node in path.walk():
        if name_of(node) == label:
            found.append(node)
        elif isinstance(node, Row):
            found += [step for step in node.steps if step.label == label]
    if len(found) != 1:
        raise ModelError(f"{path.name} has {len(found)} places called {label}; an edit needs exactly one")
    return found[0]


def without_any(path: Block, label: str) -> Block:
    """Return ``path`` without the nodes called ``label``, however many there are."""
    return _rebuild(path, Swap(label))


def each_step(path: Block, change: Callable[[Step], Step]) -> Block:
    """Return ``path`` with every step changed; one that stands in several rows stays one step."""
    once = cache(change)

    def node(item: Node) -> Node:
        if isinstance(item, Block):
            return replace(item, items=tuple(map(node, item.items)))
        if isinstance(item, Row):
            return replace(item, first=tuple(map(once, item.first)), free=tuple(map(once, item.free)))
        return once(item)

    return replace(path, items=tuple(map(node, path.items)))


def _rebuild(block: Block, edit: After | Before | Swap) -> Block:
    items: list[Node] = []
    for item in block.items:
        if name_of(item) == edit.label:
            items += _around(item, edit)
        elif isinstance(item, Block):
            items.append(_rebuild(item, edit))
        elif isinstance(item, Row):
            items.append(_rebuild_row(item, edit))
        else:
            items.append(item)
    return replace(block, items=tuple(items))


def _rebuild_row(row: Row, edit: After | Before | Swap) -> Row:
    """Edit an alternative inside a row; what goes in must be steps.

    A row of priorities stays one: its last step is the "otherwise", whatever was put in before it.
    """
    if row.first and len(row.free) == 1:
        steps = _rebuild_steps(row.steps, edit)
        return replace(row, first=steps[:-1], free=steps[-1:])
    return replace(row, first=_rebuild_steps(row.first, edit), free=_rebuild_steps(row.free, edit))


def _rebuild_steps(steps: tuple[Step, ...], edit: After | Before | Swap) -> tuple[Step, ...]:
    out: list[Step] = []
    for step in steps:
        nodes = _around(step, edit) if step.label == edit.label else [step]
        out += [node for node in nodes if isinstance(node, Step)]
    return tuple(out)


def _around(node: Node, edit: After | Before | Swap) -> list[Node]:
    if isinstance(edit, After):
        return [node, *edit.nodes]
    if isinstance(edit, Before):
        return [*edit.nodes, node]
    return list(edit.nodes)
