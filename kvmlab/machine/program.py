"""From a tree of blocks to rows with numbers: where each step falls through to, where it may jump.

This is the only place that knows positions. A jump is looked up by block name among the blocks
around the step (leave it) and, in cases, among its siblings (enter it). So a block may stand in several
places of one path, as a function does that has several callers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from kvmlab.errors import ModelError
from kvmlab.machine.step import STAY, Block, Row, Step


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a program, with the blocks around it, outermost first."""

    row: Row
    blocks: tuple[str, ...]
    following: int
    targets: dict[str, int]


def compile_path(path: Block) -> tuple[Place, ...]:
    """Return the rows of ``path`` in order; a position equal to their number means "finished".

    Raises ModelError for a label or name used twice, or a step that leaves a block it is not in.
    """
    places = tuple(_places(path, (), 0, _rows(path), {}))
    _check_labels(path.name, places)
    return places


def _check_labels(path: str, places: tuple[Place, ...]) -> None:
    """A label names one step (which may stand in several rows, as the processor's events do)."""
    owners: dict[str, Step] = {}
    for place in places:
        for step in place.row.steps:
            if owners.setdefault(step.label, step) is not step:
                raise ModelError(f"{path}: two steps are called {step.label}")


def as_row(node: Step | Row) -> Row:
    """Return a lone step as a row of its own name."""
    return node if isinstance(node, Row) else Row(node.label, free=(node,))


def _rows(node: Block | Row | Step) -> int:
    """Return how many rows a node has."""
    return sum(not isinstance(n, Block) for n in node.walk()) if isinstance(node, Block) else 1


def _places(
    block: Block, outer: tuple[str, ...], start: int, after: int, around: dict[str, int]
) -> Iterator[Place]:
    """Yield the places of ``block`` from ``start``; ``after`` is where its end leads."""
    behind = start if block.kind == "loop" else after
    begins = list(accumulate(map(_rows, block.items), initial=start))
    inside = {x.name: at for x, at in zip(block.items, begins, strict=False) if isinstance(x, Block)}
    _check_names(block, outer)
    targets = {**around, block.name: after, **(inside if block.kind == "cases" else {})}
    for i, item in enumerate(block.items):
        last = begins[i + 1] == begins[-1] or block.kind == "cases"
        following = behind if last else begins[i + 1]
        if isinstance(item, Block):
            yield from _places(item, (*outer, block.name), begins[i], following, targets)
        else:
            row = as_row(item)
            yield Place(row, (*outer, block.name), following, _resolve(row, targets, begins[i]))


def _check_names(block: Block, outer: tuple[str, ...]) -> None:
    """No two blocks side by side, or one in the other, have one name; a function called twice may recur."""
    names = [item.name for item in block.items if isinstance(item, Block)]
    for i, name in enumerate(names):
        if name in names[:i] or name in (*outer, block.name):
            raise ModelError(f"two blocks are named {name}")


def _resolve(row: Row, targets: dict[str, int], here: int) -> dict[str, int]:
    """Return position by name for every jump that ``row`` declares."""
    wanted = {name for step in row.steps for name in step.leaves}
    if missing := wanted - targets.keys():
        raise ModelError(f"{row.label} leaves {', '.join(sorted(missing))}, which is not around it")
    return {STAY: here, **{name: targets[name] for name in wanted}}
