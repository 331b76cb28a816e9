"""From a tree of blocks to rows with numbers: where each step falls through to, where it may jump.

This is the only place that knows positions. A jump is looked up by block name among the blocks
around the step (leave it) and, in cases, among its siblings (enter it).
"""

from collections.abc import Iterator
from dataclasses import dataclass

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

    Raises ModelError for a label used twice or a step that leaves a block it is not in.
    """
    starts, ends = _extents(path)
    places = tuple(_places(path, (), ends[path.name], starts, {}))
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


def _extents(path: Block) -> tuple[dict[str, int], dict[str, int]]:
    """Number the rows; return where each block starts and the position behind its last row."""
    starts: dict[str, int] = {}
    ends: dict[str, int] = {}

    def number(block: Block, at: int) -> int:
        if block.name in starts:
            raise ModelError(f"two blocks are named {block.name}")
        starts[block.name] = at
        for item in block.items:
            at = number(item, at) if isinstance(item, Block) else at + 1
        ends[block.name] = at
        return at

    number(path, 0)
    return starts, ends


def _places(
    block: Block, outer: tuple[str, ...], after: int, starts: dict[str, int], around: dict[str, int]
) -> Iterator[Place]:
    """Yield the places of ``block``; ``after`` is where its end leads, ``around`` its known targets."""
    start = starts[block.name]
    behind = start if block.kind == "loop" else after
    targets = {**around, block.name: after}
    if block.kind == "cases":
        targets |= {item.name: starts[item.name] for item in block.items if isinstance(item, Block)}
    at = start
    for i, item in enumerate(block.items):
        last = i == len(block.items) - 1 or block.kind == "cases"
        if isinstance(item, Block):
            size = sum(not isinstance(node, Block) for node in item.walk())
            yield from _places(item, (*outer, block.name), behind if last else at + size, starts, targets)
            at += size
            continue
        row = as_row(item)
        yield Place(row, (*outer, block.name), behind if last else at + 1, _resolve(row, targets, at))
        at += 1


def _resolve(row: Row, targets: dict[str, int], here: int) -> dict[str, int]:
    """Return position by name for every jump that ``row`` declares."""
    wanted = {name for step in row.steps for name in step.leaves}
    if missing := wanted - targets.keys():
        raise ModelError(f"{row.label} leaves {', '.join(sorted(missing))}, which is not around it")
    return {STAY: here, **{name: targets[name] for name in wanted}}
