"""How late a guest's timer interrupt is: from its TSC deadline to its injection, as far as a trace can tell.

The deadline is a time of the guest's TSC, the lines of a trace are stamped with another clock. So there are
three definitions, and every row says which one is its own. From the best to the poorest:

1. deadline to kvm_entry: what KVM itself measures right before it enters the guest (kvm_wait_lapic_expire,
   only where the timer is advanced). In guest TSC cycles, exact; negative is early, KVM then waits. Where
   it measures elsewhere (a timer that is posted), the row says kvm_wait_lapic_expire instead.
2. deadline to injection, by the stamps: only where `offset.py` can prove how the two clocks are related.
3. arming to injection: always there, but it contains the delay that the guest asked for.

Injection is kvm_inj_virq, or with APICv kvm_apicv_accept_irq; where neither is traced, the acceptance.
"""

from dataclasses import dataclass

from kvmlab.traces.columns import columns
from kvmlab.traces.spread import Spread
from kvmlab.traces.vcpus import Who

CYCLES = "guest TSC cycles"


@dataclass(frozen=True, slots=True)
class Way:
    """One vCPU's latencies by one definition: `since` is "deadline" or "arming", `until` an event.

    In `unit`, or where that is empty in the trace's; all of them off by the same, at most `give_or_take`.
    """

    vcpu: Who
    since: str
    until: str
    spread: Spread
    unit: str = ""
    give_or_take: int = 0

    def row(self, unit: str) -> dict[str, object]:
        """Return the numbers by name; `unit` is the trace's."""
        head = {**self.vcpu.row(), "from": self.since, "to": self.until, "unit": self.unit or unit}
        return {**head, "give_or_take": self.give_or_take, **self.spread.row()}


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies of all vCPUs, the best definition of each first.

    armed     rounds begun: writes of a deadline other than 0
    delivered rounds that ended in an interrupt
    unknown   writes before LVTT was seen: their interrupts cannot be told from others
    """

    ways: tuple[Way, ...]
    armed: int
    delivered: int
    unknown: int

    @property
    def definition(self) -> str:
        """The definition that counts here, like "deadline to kvm_entry"; "" if there is no latency."""
        ranked = sorted(self.ways, key=rank)
        return f"{ranked[0].since} to {ranked[0].until}" if ranked else ""

    def row(self, unit: str) -> dict[str, object]:
        """Return everything by name, for JSON."""
        counts = {"armed": self.armed, "delivered": self.delivered, "unknown": self.unknown}
        return {"definition": self.definition, **counts, "ways": [way.row(unit) for way in self.ways]}

    def text(self, unit: str) -> str:
        """Return a line of counts, then one per row; `unit` is the trace's."""
        lines = [f"TSC-deadline timer: {self.armed} armed, {self.delivered} delivered"]
        if self.ways:
            head = ("from", "to", "vcpu", "rounds", "min", "max", "mean", "unit", "+-")
            lines += columns(head, [_cells(way, unit) for way in self.ways], words=3)
            lines.append(f"latency is {self.definition}" + _MEANS[rank(min(self.ways, key=rank))])
        if self.unknown:
            lines.append(f"{self.unknown} of them before LVTT was written in this trace: say the vector")
        return "\n".join(lines)


_MEANS = (
    ", measured by KVM; negative is early, and then KVM waits",
    ", by stamps: the trace proves the offset of the guest's TSC",
    ": no offset of the guest's TSC can be proved, so the delay the guest asked for is contained",
)


def rank(way: Way) -> int:
    """Return how good a definition is: 0 is exact."""
    return 2 if way.since == "arming" else 0 if way.unit == CYCLES else 1


def _cells(way: Way, unit: str) -> tuple[object, ...]:
    spread = way.spread
    numbers = (spread.samples, spread.min, spread.max, spread.mean)
    return way.since, way.until, way.vcpu.label, *numbers, way.unit or unit, way.give_or_take
