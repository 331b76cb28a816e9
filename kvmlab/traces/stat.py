"""What `perf kvm stat report` prints: how often, and for how long, the guest was out, by exit reason.

Each kvm_exit is paired with the next kvm_entry of the same vCPU, and the time between the two is the host's:
handling, being preempted, and for HLT the guest's sleep. A vCPU is a thread (pid) and, where the dialect
prints it at the exit, a number; 4.x does not, there the thread alone decides. An exit that is followed by
another exit, by the end, or by a hole in the trace of its CPU is no sample.
"""

from collections.abc import Iterable

from kvmlab.traces.columns import shown
from kvmlab.traces.event import Event, Item, Lost
from kvmlab.traces.spread import Spread, more

UNREADABLE = "kvm_exit or kvm_entry in a layout we do not know"
"""What `Pairing.unreadable` counts."""


_Vcpu = tuple[int, int | None]


class Pairing:
    """The one pass: feed it the items in order, then read `table`."""

    def __init__(self) -> None:
        self._out: dict[_Vcpu, tuple[str, int, int]] = {}
        self._exits: dict[str, Spread] = {}
        self.unreadable = 0

    def feed(self, item: Item) -> None:
        """Take the next item of the trace into account."""
        if isinstance(item, Lost):
            self._forget(item.cpu)
        elif isinstance(item, Event) and item.name in ("kvm_exit", "kvm_entry"):
            self._cross(item)

    def _cross(self, event: Event) -> None:
        """Let a vCPU leave its guest, or enter it."""
        fields = event.fields
        number = fields.get("vcpu_id")
        vcpu = event.pid, number if isinstance(number, int) else None
        if not fields:
            self.unreadable += 1
            self._out = {other: left for other, left in self._out.items() if other[0] != event.pid}
        elif event.name == "kvm_exit":
            self._out[vcpu] = str(fields["exit_reason"]), event.time, event.cpu
        else:
            self._enter(vcpu, event.time)

    def _enter(self, vcpu: _Vcpu, now: int) -> None:
        left = self._out.pop(vcpu, None) or self._out.pop((vcpu[0], None), None)
        if left is None:
            return
        reason, since, _ = left
        self._exits[reason] = more(self._exits.get(reason), now - since)

    def _forget(self, cpu: int | None) -> None:
        """Drop the exits whose entry may be among the lost events."""
        self._out = {vcpu: left for vcpu, left in self._out.items() if cpu is not None and left[2] != cpu}

    @property
    def table(self) -> dict[str, Spread]:
        """The samples by reason, most samples first, then by name."""
        return dict(sorted(self._exits.items(), key=lambda row: (-row[1].samples, row[0])))

    @property
    def warnings(self) -> list[str]:
        """A sentence if crossings were met that could not be read."""
        return [f"{UNREADABLE}: {self.unreadable} lines"] if self.unreadable else []

    def row(self) -> dict[str, dict[str, int | float]]:
        """Return the table as JSON shows it."""
        return {reason: row.row("time") for reason, row in self.table.items()}


def statistics(items: Iterable[Item]) -> dict[str, Spread]:
    """Return the exits of a trace by reason, most samples first."""
    pairing = Pairing()
    for item in items:
        pairing.feed(item)
    return pairing.table


def format_table(exits: dict[str, Spread], unit: str) -> str:
    """Return the statistics as text, a line per reason; `unit` is "ns" or "ticks"."""
    width = max(map(len, ["reason", *exits]))
    samples = sum(row.samples for row in exits.values())
    time = sum(row.total for row in exits.values())
    head = f"{'reason':<{width}} {'samples':>8} {'':>7} {f'time ({unit})':>15} {'':>7}"
    lines = [f"{head} {'min':>12} {'max':>12} {'mean':>14}"]
    for reason, row in exits.items():
        sums = (
            f"{row.samples:>8} {_share(row.samples, samples):>7} {row.total:>15} {_share(row.total, time):>7}"
        )
        lines.append(f"{shown(reason):<{width}} {sums} {row.min:>12} {row.max:>12} {row.mean:>14.2f}")
    lines.append(f"{'total':<{width}} {samples:>8} {'':>7} {time:>15}")
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "-"
