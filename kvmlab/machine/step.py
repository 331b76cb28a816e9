"""Steps, rows and blocks: the kernel's path as data.

Theory of operation
-------------------
A *step* is what another CPU or the hardware can see in between: one access to shared state, one
change of an interrupt flag, one entry, one exit. Its ``fn(s, me)`` edits the working list ``s`` in
place and returns ``None`` (fall through) or the name of a block.

A *row* is one place of a path. It may hold alternatives: ``first`` ones are tried in order and the
first enabled one is taken (hardware's priorities, software's if/else); among the ``free`` ones the
scheduler picks.

A *block* is a named piece of path. Jumps are relative to blocks, never to positions: returning the
name of an enclosing block leaves it. So a path may be reordered and a jump still means what it
said. A *loop* starts again at its end. The first row of *cases* picks one of the blocks behind it.

:data:`STAY` keeps the actor where it is: an interrupt takes the CPU away between two instructions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

STAY = "."
"""What a step returns to be at the same place again."""

Effect = Callable[[list[int], Any], str | None]
Guard = Callable[[Sequence[int], Any], Any]
Fired = tuple[str, dict[str, Any]]
"""The name and the fields of an event that ftrace would print."""
Tracepoint = Callable[[Sequence[int], Sequence[int], Any], Sequence[Fired]]
"""(state before, state after, me) -> what fires, in order."""


@dataclass(frozen=True, slots=True)
class Step:
    """One atomic step.

    ``when`` is its guard (``None``: always enabled); ``says`` is the sentence the learner reads;
    ``source`` is the commit and function or the SDM section title; ``leaves`` names every block the
    effect may return; ``preempts`` marks a step that interrupts the frame below its own.
    """

    label: str
    fn: Effect
    when: Guard | None = None
    says: str = ""
    source: str = ""
    leaves: tuple[str, ...] = ()
    preempts: bool = False
    emits: Tracepoint | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Alternatives at one place: ``first`` by priority, then a free choice among ``free``."""

    label: str
    first: tuple[Step, ...] = ()
    free: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All alternatives."""
        return self.first + self.free


def prioritised(label: str, *steps: Step) -> Row:
    """Return a row whose first enabled step is taken; the last one is the "otherwise"."""
    return Row(label, first=steps[:-1], free=steps[-1:])


def free(label: str, *steps: Step) -> Row:
    """Return a row among whose enabled steps the scheduler picks."""
    return Row(label, free=steps)


Kind = Literal["sequence", "loop", "cases"]


@dataclass(frozen=True, slots=True)
class Block:
    """A named piece of path."""

    name: str
    items: tuple["Node", ...]
    kind: Kind = "sequence"

    def walk(self) -> Iterator["Node"]:
        """Yield every node below this block, in path order."""
        for item in self.items:
            yield item
            if isinstance(item, Block):
                yield from item.walk()


Node = Step | Row | Block


def block(name: str, *items: Node) -> Block:
    """Return a block that runs its items once."""
    return Block(name, items)


def loop(name: str, *items: Node) -> Block:
    """Return a block that starts again at its end."""
    return Block(name, items, "loop")


def cases(name: str, pick: Step, *items: Block) -> Block:
    """Return a block whose first step names the one block that runs (``None``: none does)."""
    return Block(name, (pick, *items), "cases")


def name_of(node: Node) -> str:
    """Return the label of a step or row, or the name of a block."""
    return node.name if isinstance(node, Block) else node.label
