"""Two nets: between which rows of the entry path a posted interrupt is caught, and where there is a gap.

A *place* is a moment between two rows of the path, counted from 0 at the top; place n is behind row n. A
post is put at a place as if it took no time: its first moment (set ON) decides whether net A has it, its
later ones (read the mode, send) whether net B has. That this is enough, exploration says: a gap is there
if and only if some schedule loses. Net C, if senders make KVM_REQ_EVENT, hides gaps of the other two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Literal, get_args

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.kernels.orders import NODES, order_of
from kvmlab.scenarios.mechanisms import CONSUMED, EATEN, NAMES, NOBODY, STALE
from kvmlab.scenarios.posting import FIRST_VECTOR

Sender = Literal["CPU", "CPU with EVENT", "VT-d"]
"""Another CPU, another CPU that also makes KVM_REQ_EVENT (v4.10), or the chipset."""
SENDERS: tuple[Sender, ...] = get_args(Sender)

ROWS = {
    "event": "EVENT check",
    "sync": "sync",
    "mode": "MODE_IN",
    "irq_off": "IRQ_OFF",
    "recheck": "recheck",
    "entry": "VM entry",
}
"""Short name -> what the row is called; the entry is always the last one."""

VECTOR = f"{FIRST_VECTOR:#x}"

POSTS: dict[Sender, str] = {
    "CPU": f"another CPU posts {VECTOR}, without KVM_REQ_EVENT",
    "CPU with EVENT": f"another CPU posts {VECTOR} and makes KVM_REQ_EVENT",
    "VT-d": f"VT-d posts {VECTOR}; it never looks at vcpu->mode",
}

SEVERAL = (
    "Several senders find a gap: a kick behind the recheck turns mode to EXITING, its IPI is eaten by the"
    " host, and the next sender notifies nobody."
)
"""What the places of one post cannot say."""

FALLS = {
    NAMES[CONSUMED]: "EVENT already used up",
    NAMES[STALE]: "MODE_IN not seen yet",
    NAMES[NOBODY]: "kick finds nobody",
    NAMES[EATEN]: "eaten by the host",
}
"""Mechanism -> the name of the gap that it makes."""


@dataclass(frozen=True, slots=True)
class Net:
    """What catches a post at the places ``first`` to ``last``, and how."""

    letter: str
    says: str
    first: int
    last: int

    def holds(self, place: int) -> bool:
        """Whether a post at ``place`` is caught."""
        return self.first <= place <= self.last


@dataclass(frozen=True, slots=True)
class Gap:
    """The places ``first`` to ``last`` under no net; the mechanisms that lose a post there."""

    mechanisms: tuple[str, ...]
    first: int
    last: int

    @property
    def names(self) -> tuple[str, ...]:
        """What happens there, in words."""
        return tuple(FALLS[name] for name in self.mechanisms)


@dataclass(frozen=True, slots=True)
class NetsView:
    """The rows, the nets, the gaps, and a post at a place.

    ``seen`` is the row at which senders see MODE_IN at the latest: its own, or a later one if no barrier
    stands behind it. ``several`` says that several senders together lose what one cannot.
    """

    rows: tuple[str, ...]
    sender: Sender
    barrier: bool
    post: int
    nets: tuple[Net, ...]
    gaps: tuple[Gap, ...]
    seen: int
    several: bool

    @property
    def title(self) -> str:
        """Whose order it is."""
        name = known_orders().get(self.rows[:-1])
        return f"in the order of {name}" if name else "in an order of your own"

    @property
    def post_by(self) -> str:
        """Who posts, and how."""
        return POSTS[self.sender] if self.barrier else f"{POSTS[self.sender]}; no barrier"

    @property
    def caught(self) -> Net | None:
        """The first net that has the post."""
        return next((net for net in self.nets if net.holds(self.post)), None)

    @property
    def gap(self) -> Gap | None:
        """The gap that the post falls through."""
        return next((gap for gap in self.gaps if gap.first <= self.post <= gap.last), None)

    @property
    def foot(self) -> str:
        """What becomes of the post."""
        when = f"Posted {place(self.rows, self.post)}, {VECTOR}"
        if self.caught:
            return f"{when} lands in net {self.caught.letter}: {self.caught.says}."
        assert self.gap is not None
        return f"{when} is LOST ({', or '.join(self.gap.names)}): in PIR, ON=1, nobody will come."


@cache
def known_orders() -> dict[tuple[str, ...], str]:
    """Return the order of each kernel of the course that has one, with and without its EVENT check."""
    able = [name for name in reversed(LISTED) if "posted-interrupts" in kernel(name).scope]
    whole = {order_of(kernel(name)): name for name in able}
    return {tuple(step for step in order if step != "event"): name for order, name in whole.items()} | whole


def place(rows: Sequence[str], at: int) -> str:
    """Return a place in words."""
    if at == 0:
        return f"before {ROWS[rows[0]]}"
    if at == len(rows):
        return f"after {ROWS[rows[-1]]}"
    return f"between {ROWS[rows[at - 1]]} and {ROWS[rows[at]]}"


def nets(order: Sequence[str], sender: Sender = "CPU", post: int = 0, *, barrier: bool = True) -> NetsView:
    """Return the nets of a whole order (of kernels.orders) for one kind of sender, and a post at a place.

    ``barrier=False`` leaves the barrier behind MODE_IN out, under TSO; with it TSO adds nothing. Raises
    BadInput for an order that is not whole, an unknown sender, or a place that does not exist.
    """
    _check(order, sender, post)
    rows = (*order, "entry")
    at = {name: i for i, name in enumerate(rows)}
    seen = at["mode"] if barrier else _drained(at)
    some = tuple(_nets(at, sender, seen))
    gaps = tuple(_gaps(at, sender, seen, some))
    return NetsView(rows, sender, barrier, post, some, gaps, seen, _several(at, sender))


def _check(order: Sequence[str], sender: str, post: int) -> None:
    if sender not in SENDERS:
        raise unknown("sender", sender, SENDERS)
    if len({*order}) < len(order) or {*order, "event"} != NODES.keys():
        raise BadInput(
            f"order {', '.join(order)}: name sync, mode, irq_off, recheck once each, event at most"
        )
    if sender == "CPU with EVENT" and "event" not in order:
        raise BadInput("a sender that makes KVM_REQ_EVENT needs the event check in the order")
    if not 0 <= post <= len(order) + 1:
        raise BadInput(f"post at place {post}: 0 (before the first row) to {len(order) + 1} (after VM entry)")


def _drained(at: dict[str, int]) -> int:
    """Return the row that waits until the store of MODE_IN has been seen: a locked one, or the entry."""
    event = at.get("event", -1)
    return event if event > at["mode"] else at["entry"]


def _nets(at: dict[str, int], sender: Sender, seen: int) -> Iterator[Net]:
    yield Net("A", "the sync is still to come and reads ON", 0, at["sync"])
    decides = at["irq_off"] if sender == "VT-d" else max(at["irq_off"], seen)
    yield Net("B", "its notification reaches the guest", decides + 1, at["entry"] + 1)
    if sender == "CPU with EVENT":
        says = "KVM_REQ_EVENT throws the entry away; the next sync reads ON"
        first = at["event"] + 1 if at["event"] < at["recheck"] else 0
        yield Net("C", says, first, at["recheck"])


def _gaps(at: dict[str, int], sender: Sender, seen: int, some: Sequence[Net]) -> Iterator[Gap]:
    """Yield the places under no net, neighbours with the same mechanisms as one."""
    bare = [place for place in range(at["entry"] + 2) if not any(net.holds(place) for net in some)]
    for (why, _), stretch in groupby(enumerate(bare), lambda x: (_why(at, sender, seen, x[1]), x[1] - x[0])):
        places = [place for _, place in stretch]
        yield Gap(why, places[0], places[-1])


def _why(at: dict[str, int], sender: Sender, seen: int, place: int) -> tuple[str, ...]:
    """Return by which mechanisms a post at a bare place gets lost.

    As long as the store of MODE_IN waits in a buffer, a sender may see it or not.
    """
    if sender == "CPU with EVENT" and place <= at["event"]:
        return (NAMES[CONSUMED],)
    ways = []
    if sender != "VT-d" and place <= seen:
        ways.append(NAMES[NOBODY] if place <= at["mode"] else NAMES[STALE])
    if place <= at["irq_off"] and (sender == "VT-d" or place > at["mode"]):
        ways.append(NAMES[EATEN])
    return tuple(ways)


def _several(at: dict[str, int], sender: Sender) -> bool:
    """Whether a kick can turn the mode to EXITING unseen: behind the recheck, its IPI eaten by the host.

    Then the next sender finds nobody to notify, although the guest runs.
    """
    return sender != "VT-d" and max(at["mode"], at["recheck"]) < at["irq_off"]
