"""State is one flat tuple of small integers; a record is a set of indices into it.

Theory of operation
-------------------
A *record class* is a frozen dataclass whose attributes made with :func:`cell` are places in the
state. :meth:`Layout.record` allocates the places and returns an instance whose attributes are
plain indices, so that a step is written once, ``s[me.mode] = IN_GUEST_MODE``, for any vCPU, level
or VMCS. Attributes not made with :func:`cell` are links to other records or constants.

Rules that live here and nowhere else: every cell has a name, a first value and a way to be
printed; nothing in the state is hidden from the hash.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from kvmlab.errors import ModelError

State = tuple[int, ...]
Cell = int
"""The place of one integer in the state."""

Show = Callable[[int], str]
R = TypeVar("R")


def number(value: int) -> str:
    """Print a plain integer."""
    return str(value)


def members(numbers: int) -> list[int]:
    """Return the numbers of a set that is kept as a bitmap, lowest first."""
    return [n for n in range(numbers.bit_length()) if numbers >> n & 1]


def show_set(numbers: int) -> str:
    """Print a set that is kept as a bitmap: ``-`` or ``0x31 0x40``."""
    return " ".join(f"{n:#x}" for n in members(numbers)) or "-"


def show_member(number: int) -> str:
    """Print one number that may be in such sets, ``-`` for 0, which is none."""
    return f"{number:#x}" if number else "-"


@dataclass(frozen=True, slots=True)
class CellInfo:
    """What is known about a cell: its name, first value, printer, and whether it is a deadline."""

    name: str
    initial: int
    show: Show
    deadline: bool


def cell(initial: int = 0, show: Show = number, *, deadline: bool = False) -> Any:
    """Declare a record attribute that is a place in the state.

    A *deadline* cell holds a point in time, or -1 while it is not armed.
    """
    return field(default=-1, metadata={"cell": (initial, show, deadline)})


class Layout:
    """The places handed out so far, in order; a scenario allocates only the records it has."""

    def __init__(self) -> None:
        self.cells: list[CellInfo] = []
        self._places: dict[str, Cell] = {}

    def add(self, name: str, initial: int = 0, show: Show = number, *, deadline: bool = False) -> Cell:
        """Allocate one cell and return its index; a name may be used once."""
        if name in self._places:
            raise ModelError(f"two cells are named {name}; give each record a name of its own")
        self.cells.append(CellInfo(name, initial, show, deadline))
        self._places[name] = len(self.cells) - 1
        return self._places[name]

    def record(self, cls: type[R], name: str, **given: Any) -> R:
        """Allocate the cells of ``cls`` as ``name.attribute`` and return the record.

        A keyword that names a cell replaces its first value; any other keyword is a link.
        """
        for f in fields(cls):  # type: ignore[arg-type]
            if "cell" in f.metadata:
                initial, show, deadline = f.metadata["cell"]
                first = given.get(f.name, initial)
                given[f.name] = self.add(f"{name}.{f.name}", first, show, deadline=deadline)
        return cls(**given)

    def start(self) -> State:
        """Return the first state."""
        return tuple(info.initial for info in self.cells)

    def index(self, name: str) -> Cell:
        """Return the place of the cell called ``name``."""
        if name not in self._places:
            raise ModelError(f"no cell is named {name}")
        return self._places[name]

    def text(self, cell: Cell, state: Sequence[int]) -> str:
        """Print one cell of ``state`` the way its record asks for."""
        return self.cells[cell].show(state[cell])

    def changes(self, before: Sequence[int], after: Sequence[int]) -> list[tuple[str, str, str]]:
        """Return (cell, was, is) for every cell that differs."""
        return [
            (info.name, info.show(a), info.show(b))
            for info, a, b in zip(self.cells, before, after, strict=True)
            if a != b
        ]
