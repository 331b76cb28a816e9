"""How much of a trace each level had: L0, its guest L1, and the guest's guest L2."""

from collections.abc import Iterable
from dataclasses import dataclass

from kvmlab.traces.columns import columns
from kvmlab.traces.event import Item
from kvmlab.traces.stretches import Stretch, Walks

KEPT = 1000
"""So many stretches are kept one by one; all of them are counted."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Level:
    """Sums over all vCPUs.

    stretches  how often the level was on; exits out of it
    time       in its stretches, L0's work and sleep on its behalf included
    running    of this, the level itself
    """

    stretches: int = 0
    exits: int = 0
    time: int = 0
    running: int = 0

    def add(self, stretch: Stretch) -> "Level":
        """Return these sums and one more stretch."""
        return Level(
            self.stretches + 1,
            self.exits + stretch.exits,
            self.time + stretch.end - stretch.begin,
            self.running + stretch.running,
        )


@dataclass(frozen=True, slots=True)
class Levels:
    """The sums of L1 and L2, how many exits of L2 were reflected, and the stretches (the first `KEPT`)."""

    sums: tuple[Level, Level]
    reflected: int
    unannounced: int
    stretches: tuple[Stretch, ...]

    @property
    def l0(self) -> int:
        """Time of L0: all that is between an exit and an entry, work or sleep."""
        return sum(level.time - level.running for level in self.sums)

    def row(self) -> dict[str, object]:
        """Return everything by name, for JSON."""
        one, two = ({name: getattr(level, name) for name in Level.__slots__} for level in self.sums)
        counts = {"reflected": self.reflected, "unannounced": self.unannounced}
        levels = {"L0": {"running": self.l0}, "L1": one, "L2": two}
        return {"levels": levels, **counts, "stretches": [stretch.row() for stretch in self.stretches]}

    def text(self, unit: str) -> str:
        """Return a line per level, what became of L2's exits, and a line per stretch."""
        one, two = self.sums
        if not (one.stretches or two.stretches):
            return "no kvm_entry, kvm_exit or event of nested virtualization: nothing to tell levels by"
        head = ("level", f"running ({unit})", "stretches", "exits")
        rows = [("L0 or asleep", self.l0, None, None), ("L1", one.running, one.stretches, one.exits)]
        lines = columns(head, [*rows, ("L2", two.running, two.stretches, two.exits)])
        if not two.stretches:
            return "\n".join([*lines, "no event of nested virtualization: one level"])
        lines.append(f"of the exits of L2, {self.reflected} were reflected to L1; L0 handled the others")
        if self.unannounced:
            lines.append(
                f"{self.unannounced} were not announced by kvm_nested_vmexit: their level may be wrong"
            )
        return "\n".join([*lines, "", *_table(self.stretches, unit)])


def _table(stretches: tuple[Stretch, ...], unit: str) -> list[str]:
    head = ("level", "left by", "vcpu", f"from ({unit})", "to", "running", "exits")
    rows = [
        (f"L{s.level}", s.left_by, s.vcpu.label, s.begin, s.end, s.running, s.exits)
        for s in stretches[:_SHOWN]
    ]
    more = len(stretches) - _SHOWN
    return columns(head, rows, words=3) + ([f"and {more} more; --json has them"] if more > 0 else [])


class LevelSums:
    """The one pass: feed it the items in order, then ask for the `result`."""

    def __init__(self) -> None:
        self._walks = Walks()
        self._sums = [Level(), Level()]
        self._reflected = self._unannounced = 0
        self._stretches: list[Stretch] = []

    def feed(self, item: Item) -> None:
        """Take the next item of the trace into account."""
        self._keep(self._walks.feed(item))

    def _keep(self, found: Iterable[Stretch]) -> None:
        for stretch in found:
            self._sums[stretch.level - 1] = self._sums[stretch.level - 1].add(stretch)
            self._reflected += bool(stretch.left_by)
            self._unannounced += stretch.unannounced
            if len(self._stretches) < KEPT:
                self._stretches.append(stretch)

    @property
    def result(self) -> Levels:
        """The sums over the whole trace; it ends the pass."""
        self._keep(self._walks.finish())
        one, two = self._sums
        return Levels((one, two), self._reflected, self._unannounced, tuple(self._stretches))


def levels(items: Iterable[Item]) -> Levels:
    """Return which stretch of a trace is L1's and which L2's, and how much each level had."""
    sums = LevelSums()
    for item in items:
        sums.feed(item)
    return sums.result
