"""The design space in one table: every order with KVM_REQ_EVENT, and every place of the recheck without.

Columns are the six orders of sync, mode and irq_off, as on the map; rows say where the fourth step stands.
Each cell is the answer of all schedules, for software and for VT-d.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from textwrap import wrap

from kvmlab.kernels.names import LISTED, kernel
from kvmlab.kernels.orders import order_of
from kvmlab.machine.step import name_of
from kvmlab.show.nets import ROWS
from kvmlab.show.order_map import CORNERS
from kvmlab.show.tried import Tried, tried

COLUMNS = 80
"""No line of a twin is longer."""

TWO = "two: only two software senders together lose; LOST: one is enough"
WHERE = ("before all three", "after the first", "after the second", "after all three")
"""Where a fourth step may stand among three."""
OLDER: Mapping[tuple[str, ...], str] = {("event", "sync", "mode", "irq_off", "recheck"): "v3.11's order"}
"""The order before v4.10's, in which the EVENT check comes first. Source: v3.11 x86.c vcpu_enter_guest."""


@dataclass(frozen=True, slots=True)
class Cell:
    """An order with its verdicts; ``two`` is that of two software senders where one alone loses nothing.

    ``kernel`` is the released kernel that has this order and these senders, if one has; of v3.11 only the
    order is modelled.
    """

    order: tuple[str, ...]
    kernel: str
    software: Tried
    vtd: Tried
    two: Tried | None

    @property
    def holds(self) -> bool:
        """Whether software loses nothing, one sender or two."""
        return self.software.holds and (self.two is None or self.two.holds)

    @property
    def words(self) -> tuple[str, str]:
        """Both verdicts, each in a word: ok, LOST, or that it takes two senders to lose."""
        software = "ok" if self.holds else "two" if self.software.holds else "LOST"
        return software, "ok" if self.vtd.holds else "LOST"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together: what they have in common, and a row for each place of the fourth step."""

    title: str
    step: str
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, row by row."""
        return tuple(cell for row in self.rows for cell in row)

    @property
    def count(self) -> str:
        """How many orders lose, by sender."""
        one = sum(not cell.software.holds for cell in self.cells)
        two = sum(not cell.holds for cell in self.cells) - one
        more = f" (and in {two} more if there are two)" if two else ""
        vtd = sum(not cell.vtd.holds for cell in self.cells)
        return f"a software sender loses in {one} of {len(self.cells)} orders{more}, VT-d in {vtd}"


@dataclass(frozen=True, slots=True)
class Space:
    """Both groups."""

    groups: tuple[Group, ...]

    @property
    def foot(self) -> str:
        """What the table comes to."""
        first, second = (group.count for group in self.groups)
        tried = "Every schedule of one sender was tried; without the request, of two as well."
        return f"With KVM_REQ_EVENT {first}; without it {second}. {tried}"


@cache
def space() -> Space:
    """Return the design space; it is explored once."""
    event = Group(
        "Senders make KVM_REQ_EVENT; the recheck is last. The EVENT check stands",
        "event",
        _rows("event", lambda order: (*order, "recheck"), two=False),
    )
    recheck = Group(
        "Senders make no request. The recheck stands",
        "recheck",
        _rows("recheck", lambda order: order, two=True),
    )
    return Space((event, recheck))


Whole = Callable[[tuple[str, ...]], tuple[str, ...]]


def _rows(step: str, whole: Whole, *, two: bool) -> tuple[tuple[Cell, ...], ...]:
    at = range(len(WHERE))
    return tuple(tuple(_cell(whole((*c[:i], step, *c[i:])), two=two) for c in CORNERS) for i in at)


def _cell(order: tuple[str, ...], *, two: bool) -> Cell:
    software, vtd = tried(order), tried(order, "vtd")
    both = tried(order, senders=2) if two and software.holds else None
    return Cell(order, _released().get(order, ""), software, vtd, both)


@cache
def _released() -> dict[tuple[str, ...], str]:
    """Return the released kernels with posted interrupts, by their order: without EVENT if they make none."""
    out = dict(OLDER)
    for name in LISTED:
        if "+" not in name and "posted-interrupts" in kernel(name).scope:
            order, post = order_of(kernel(name)), kernel(name).paths["post"]
            asks = any(name_of(node) == "POST.request" for node in post.walk())
            out.setdefault(order if asks else tuple(step for step in order if step != "event"), name)
    return out


def space_text(shown: Space) -> str:
    """Return the table in words, at most 80 columns wide, the foot last."""
    head = ["The design space: software/VT-d", *_columns(), TWO, ""]
    body = [line for group in shown.groups for line in (*wrap(group.title, COLUMNS), *_lines(group), "")]
    return "\n".join([*head, *body, *wrap(shown.foot, COLUMNS)])


def _columns() -> Iterator[str]:
    for n, order in enumerate(CORNERS, 1):
        yield f"  {n}: {', '.join(ROWS[step] for step in order)}"


def _lines(group: Group) -> Iterator[str]:
    yield f"{'':20}" + "".join(f"{n:<10}" for n in range(1, len(CORNERS) + 1)).rstrip()
    for where, row in zip(WHERE, group.rows, strict=True):
        yield f"  {where:18}" + "".join(f"{'/'.join(cell.words):10}" for cell in row).rstrip()
        yield from (f"{'':20}column {n}: {cell.kernel}" for n, cell in enumerate(row, 1) if cell.kernel)
