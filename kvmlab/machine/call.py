"""A call: a place where another path runs, by its name, and linking, which puts that path there.

A function that is called from several places is written once, as a path of its own; an edit of it reaches
every caller. Linking copies nothing but blocks: the steps stay the same objects under the same labels, so a
step costs, prints and is edited as one, wherever it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kvmlab.errors import ModelError
from kvmlab.machine.step import Block, Node, Step


@dataclass(frozen=True, slots=True)
class Call(Step):
    """Stands in a path for the path called ``function``; only a linked path can run."""

    function: str = ""


def _unlinked(s: list[int], me: object) -> None:
    raise ModelError("a call was taken as a step; link the path first")


def call(function: str, source: str, label: str = "") -> Call:
    """Return a call of ``function``, under a label of its own if that would stand twice in a path."""
    says = f"{function}()"
    return Call(label or says, _unlinked, says=says, source=source, function=function)


def link(paths: Mapping[str, Block], path: Block, within: tuple[str, ...] = ()) -> Block:
    """Return ``path`` with the callee in the place of every call, and of the calls in it.

    Raises ModelError for a function that is not among ``paths``, or one that calls itself.
    """
    items: list[Node] = []
    for item in path.items:
        if isinstance(item, Call):
            items.append(_callee(paths, item.function, within))
        else:
            items.append(link(paths, item, within) if isinstance(item, Block) else item)
    return replace(path, items=tuple(items))


def _callee(paths: Mapping[str, Block], function: str, within: tuple[str, ...]) -> Block:
    if function not in paths:
        raise ModelError(f"nobody has defined {function}, which is called")
    if function in within:
        raise ModelError(f"{function} calls itself, and has no end")
    return link(paths, paths[function], (*within, function))
