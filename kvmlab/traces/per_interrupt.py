"""What an interrupt costs in exits: those between two consecutive interrupts delivered to the same vCPU.

Delivered is what KVM put into the entry (kvm_inj_virq, unless again or software's own) or left to the CPU
(kvm_apicv_accept_irq). Where a kernel traces neither, as with APICv before 6.x, the acceptance counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kvmlab.traces.columns import columns
from kvmlab.traces.event import Event, Item, Lost
from kvmlab.traces.spread import Spread, more
from kvmlab.traces.vcpus import TELLS, Vcpu, Vcpus, Who

_ACCEPTS = "kvm_apic_accept_irq"


@dataclass(frozen=True, slots=True)
class PerInterrupt:
    """One vCPU's interrupts, and the exits between each and the next.

    delivered  interrupts, by events of the names `by`
    own        exits of this vCPU per gap; None without two interrupts, or if the trace has no exits at all
    all        exits of all vCPUs per gap: an IPI costs its sender one too
    """

    vcpu: Who
    by: tuple[str, ...]
    delivered: int
    own: Spread | None
    all: Spread | None

    def row(self) -> dict[str, object]:
        """Return the numbers by name, for JSON."""
        own, all_ = (spread and spread.row() for spread in (self.own, self.all))
        return {**self.vcpu.row(), "by": self.by, "delivered": self.delivered, "own": own, "all": all_}


@dataclass(slots=True)
class _Count:
    """The running account of one vCPU by one kind of event."""

    by: dict[str, int] = field(default_factory=dict)
    since: tuple[int, int] | None = None
    own: Spread | None = None
    all: Spread | None = None

    def deliver(self, name: str, own: int, all_: int) -> None:
        """Count an interrupt at which the vCPU, and all of them, had left so often."""
        self.by[name] = self.by.get(name, 0) + 1
        if self.since:
            self.own = more(self.own, own - self.since[0])
            self.all = more(self.all, all_ - self.since[1])
        self.since = own, all_


class Deliveries:
    """The one pass: feed it the items in order, then ask for the `result`."""

    def __init__(self) -> None:
        self._vcpus = Vcpus()
        self._exits: dict[Vcpu, int] = {}
        self._total = 0
        self._counts: dict[tuple[Vcpu, bool], _Count] = {}
        self._early: dict[tuple[int, bool], _Count] = {}

    def feed(self, item: Item) -> None:
        """Take the next item of the trace into account; a gap across a hole is not counted."""
        if isinstance(item, Lost):
            for count in (*self._counts.values(), *self._early.values()):
                count.since = None
        elif isinstance(item, Event):
            self._step(item)

    def _step(self, event: Event) -> None:
        if event.name in TELLS:
            vcpu = self._vcpus.of(event)
            if event.name == "kvm_exit":
                self._total += 1
                self._exits[vcpu] = self._exits.get(vcpu, 0) + 1
        elif event.name == "kvm_inj_virq":
            if not (event.fields.get("reinjected") or event.fields.get("soft")):
                self._deliver(self._vcpus.of(event), event.name)
        elif event.name in (_ACCEPTS, "kvm_apicv_accept_irq"):
            self._deliver(self._vcpus.target(event) or int(event.fields.get("apicid", -1)), event.name)

    def _deliver(self, target: Vcpu | int, name: str) -> None:
        """Count an interrupt; a vCPU that was not met yet, known by its number, has not left yet either."""
        kind = name != _ACCEPTS
        if isinstance(target, int):
            self._early.setdefault((target, kind), _Count()).deliver(name, 0, self._total)
            return
        count = self._counts.get((target, kind))
        if count is None:
            number = -1 if target.number is None else target.number
            count = self._counts[target, kind] = self._early.pop((number, kind), _Count())
        count.deliver(name, self._exits.get(target, 0), self._total)

    @property
    def result(self) -> tuple[PerInterrupt, ...]:
        """One row per vCPU that got an interrupt, in the order in which they got their first."""
        counts = {(vcpu.who, kind): count for (vcpu, kind), count in self._counts.items()}
        counts |= {(Who(None, number), kind): count for (number, kind), count in self._early.items()}
        best = {who: counts.get((who, True)) or count for (who, _), count in counts.items()}
        return tuple(self._row(who, count) for who, count in best.items())

    def _row(self, who: Who, count: _Count) -> PerInterrupt:
        """Where no exit was traced at all, none can be counted."""
        own, all_ = (count.own, count.all) if self._total else (None, None)
        return PerInterrupt(who, tuple(sorted(count.by)), sum(count.by.values()), own, all_)


def per_interrupt(items: Iterable[Item]) -> tuple[PerInterrupt, ...]:
    """Return how many exits lay between one interrupt and the next, for each vCPU that got any."""
    deliveries = Deliveries()
    for item in items:
        deliveries.feed(item)
    return deliveries.result


def format_per_interrupt(rows: Iterable[PerInterrupt]) -> str:
    """Return a line per vCPU."""
    head = (
        "exits per interrupt: vcpu",
        "delivered by",
        "interrupts",
        "mean",
        "min",
        "max",
        "all vcpus' mean",
    )
    cells = [
        (row.vcpu.label, ", ".join(row.by), row.delivered, *_numbers(row.own), row.all and row.all.mean)
        for row in rows
    ]
    return "\n".join(columns(head, cells, words=2)) if cells else "exits per interrupt: no interrupts"


def _numbers(spread: Spread | None) -> tuple[float | None, int | None, int | None]:
    return (spread.mean, spread.min, spread.max) if spread else (None, None, None)
