"""Store buffers: x86-TSO for the variables that a scenario chooses, sequential consistency for all others.

A buffered store waits in its CPU's buffer, first in first out, and drains at any time; its own CPU reads
the newest waiting value, everybody else reads memory. Locked operations and full barriers wait until the
buffer is empty. One buffer holds the stores of one CPU to one variable, which is exact as long as no other
store of that CPU has to keep its order with them.
Source: SDM vol. 3 (June 2016), "Memory Ordering"; Owens, Sarkar, Sewell, "A Better x86 Memory Model:
x86-TSO" (2009).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kvmlab.errors import ModelError
from kvmlab.machine.state import Cell, Layout
from kvmlab.machine.step import Block, Step, loop

EMPTY = -1


@dataclass(frozen=True, slots=True)
class StoreBuffer:
    """The stores of one CPU to the variable ``memory`` that nobody else sees yet; ``slots`` oldest first.

    ``change`` makes the store when it drains: a variable with rules of its own (a mode) keeps them.
    """

    memory: Cell
    slots: tuple[Cell, ...]
    change: Callable[[list[int], Cell, int], None]


def put(s: list[int], memory: Cell, value: int) -> None:
    """Store a value in a variable that has no rules of its own."""
    s[memory] = value


def buffered(
    layout: Layout,
    name: str,
    memory: Cell,
    depth: int = 2,
    change: Callable[[list[int], Cell, int], None] = put,
) -> StoreBuffer:
    """Allocate a buffer of ``depth`` stores to ``memory``; its slots print as the variable does."""
    show = layout.cells[memory].show

    def waiting(value: int) -> str:
        return "-" if value == EMPTY else show(value)

    slots = tuple(layout.add(f"{name}{n}", EMPTY, waiting) for n in range(depth))
    return StoreBuffer(memory, slots, change)


def store(s: list[int], buffer: StoreBuffer, value: int) -> None:
    """Put a store behind those that wait; raise ModelError if there is no room for it."""
    for slot in buffer.slots:
        if s[slot] == EMPTY:
            s[slot] = value
            return
    raise ModelError(f"a store buffer of {len(buffer.slots)} is full; make it deeper")


def load(s: Sequence[int], buffer: StoreBuffer) -> int:
    """Return what the buffer's own CPU reads: its newest waiting store, else memory."""
    waiting = [s[slot] for slot in buffer.slots if s[slot] != EMPTY]
    return waiting[-1] if waiting else s[buffer.memory]


def is_empty(s: Sequence[int], buffer: StoreBuffer) -> bool:
    """Whether everybody sees every store."""
    return s[buffer.slots[0]] == EMPTY


def drain(s: list[int], buffer: StoreBuffer) -> None:
    """Let the oldest waiting store reach memory."""
    oldest, *rest = (s[slot] for slot in buffer.slots)
    for slot, value in zip(buffer.slots, (*rest, EMPTY), strict=True):
        s[slot] = value
    buffer.change(s, buffer.memory, oldest)


DRAIN: Block = loop(
    "store_buffer",
    Step(
        "DRAIN",
        drain,
        lambda s, me: not is_empty(s, me),
        "the oldest store in the CPU's buffer reaches memory",
        'SDM vol. 3 (June 2016), "Memory Ordering in P6 and More Recent Processor Families"',
    ),
)
"""The path of an actor whose record is the buffer: a store drains whenever the scheduler likes."""
