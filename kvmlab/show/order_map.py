"""The map of the six orders: neighbours differ by one swap, and two cuts divide the good from the bad.

Verdicts come from trying every schedule of every order (senders make no request, the recheck is last).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from kvmlab.errors import BadInput
from kvmlab.kernels.orders import NEEDED, parse_order
from kvmlab.show.nets import ROWS, known_orders
from kvmlab.show.tried import WHO, Tried, tried

COLUMNS = 80
"""No line of a twin is longer."""

CORNERS = (
    ("sync", "mode", "irq_off"),
    ("sync", "irq_off", "mode"),
    ("irq_off", "sync", "mode"),
    ("irq_off", "mode", "sync"),
    ("mode", "irq_off", "sync"),
    ("mode", "sync", "irq_off"),
)
"""The orders clockwise, v4.10's at the bottom: each differs from the next by one swap of neighbours."""

CUTS = ("irq_off", "mode")
"""What the sync changes places with at a cut."""


@dataclass(frozen=True, slots=True)
class Corner:
    """An order, the kernel that has it (if one has), and its verdicts, software first."""

    order: tuple[str, ...]
    kernel: str
    verdicts: tuple[Tried, ...]

    @property
    def name(self) -> str:
        """The order in words."""
        return ", ".join(ROWS[step] for step in self.order)

    def after(self, step: str) -> bool:
        """Whether the sync comes after ``step``."""
        return self.order.index("sync") > self.order.index(step)

    @property
    def says(self) -> str:
        """Both verdicts in words."""
        return "; ".join(f"{WHO[found.sender]}: {found.says}" for found in self.verdicts)


@dataclass(frozen=True, slots=True)
class OrderMap:
    """The corners clockwise from the bottom, and which of them is chosen."""

    corners: tuple[Corner, ...]
    at: int

    @property
    def chosen(self) -> Corner:
        """The corner that is looked at."""
        return self.corners[self.at]

    @property
    def foot(self) -> str:
        """The verdicts of the chosen corner, and how much was tried."""
        here = self.chosen
        whose = f" ({here.kernel})" if here.kernel else ""
        states = sum(found.states for corner in self.corners for found in corner.verdicts)
        return f"{here.name}{whose}: {here.says}. Every schedule of all six was tried: {states} states."


def order_map(chosen: str | Sequence[str] = CORNERS[0]) -> OrderMap:
    """Return the map with a corner chosen: ``sync,mode,irq_off``, or the steps one by one.

    Raises BadInput for what is none of the six.
    """
    return OrderMap(tuple(map(_corner, CORNERS)), corner(chosen))


def corner(chosen: str | Sequence[str]) -> int:
    """Return the number of a corner, clockwise from the bottom; raise BadInput if it is none."""
    whole = parse_order(chosen if isinstance(chosen, str) else ",".join(chosen), "none")
    order = tuple(step for step in whole if step in NEEDED)
    if whole[-1] != "recheck":
        raise BadInput("the map has the recheck last: name sync, mode and irq_off only")
    return next(n for n, known in enumerate(CORNERS) if known == order)


def _corner(order: tuple[str, ...]) -> Corner:
    whole = (*order, "recheck")
    return Corner(order, known_orders().get(whole, ""), tuple(tried(whole, sender) for sender in WHO))


def order_map_text(shown: OrderMap) -> str:
    """Return the map in words, at most 80 columns wide, the foot last."""
    head = "The six orders, clockwise from the bottom; neighbours differ by one swap"
    return "\n".join([head, "", *_lines(shown), "", *_cuts(shown), "", *wrap(shown.foot, COLUMNS)])


def _lines(shown: OrderMap) -> Iterator[str]:
    for corner in shown.corners:
        mark = ">" if corner is shown.chosen else " "
        yield f"{mark} {corner.name}: {corner.says}"
        if corner.kernel:
            yield f"    {corner.kernel}"


def _cuts(shown: OrderMap) -> Iterator[str]:
    for step in CUTS:
        good = [corner.name for corner in shown.corners if corner.after(step)]
        yield from wrap(f"sync after {ROWS[step]}: {'; '.join(good)}", COLUMNS, subsequent_indent="  ")
