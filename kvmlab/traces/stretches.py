"""Which level a vCPU was on, stretch by stretch, read off what L0 traces of nested virtualization.

    kvm_nested_vmenter, kvm_nested_vmrun   L0 takes L1's VMLAUNCH, VMRESUME or VMRUN: from here on L2
    kvm_nested_vmexit                      an exit of L2; L0 may handle it itself, so it is still L2
    kvm_nested_vmexit_inject               L0 reflects an exit to L1: from here on L1

What comes before a vCPU's first such event is known from it, too. Kernels that do not trace the way in (VMX
before 6.1) are on L2 from the entry that the first kvm_nested_vmexit ends. A vCPU without any such event
is on L1 throughout. Levels are as L0 sees them: whatever runs below L2 is "L2" here.

A stretch holds the time its level runs (kvm_entry to kvm_exit) and the time that L0 works, or the thread
sleeps, on its behalf. Sources: arch/x86/kvm/trace.h; "KVM: nVMX: Add tracepoint for nested vmenter", 2022.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kvmlab.traces.event import Event, Item, Lost
from kvmlab.traces.vcpus import Vcpu, Vcpus, Who

_INTO_L2 = ("kvm_nested_vmenter", "kvm_nested_vmrun")
_STEPS = frozenset({"kvm_entry", "kvm_exit", *_INTO_L2, "kvm_nested_vmexit", "kvm_nested_vmexit_inject"})


@dataclass(frozen=True, slots=True)
class Stretch:
    """One vCPU on one level without a break; times in the trace's unit.

    exits        out of this level, of which L0 handles all but the last itself
    running      time from entries to exits; what the stretch is longer is L0's, or sleep
    unannounced  exits of L2 that no kvm_nested_vmexit followed: if any, the level may be wrong
    left_by      the reason that L1 was told, if the stretch was L2's and ended so
    """

    vcpu: Who
    level: int
    begin: int
    end: int
    exits: int
    running: int
    unannounced: int = 0
    left_by: str = ""

    def row(self) -> dict[str, object]:
        """Return the numbers by name, for JSON."""
        return {**self.vcpu.row(), **{name: getattr(self, name) for name in self.__slots__[1:]}}


@dataclass(slots=True)
class _Walk:
    """One vCPU under way; `level` is None until an event tells."""

    vcpu: Vcpu
    level: int | None
    begin: int
    end: int
    exits: int = 0
    running: int = 0
    unannounced: int = 0
    entered: int | None = None
    lap: tuple[int, int] | None = None
    """The last entry and exit, until the next entry."""

    def _close(self, level: int, end: int, left_by: str = "") -> Stretch:
        """End the stretch at `end`; the next one begins there, on a level the caller knows."""
        unannounced = self.unannounced if level == 2 else 0
        done = Stretch(self.vcpu.who, level, self.begin, end, self.exits, self.running, unannounced, left_by)
        self.begin, self.exits, self.running, self.unannounced = end, 0, 0, 0
        return done

    def finish(self) -> Stretch:
        """Return the stretch as far as it got; one that nothing told the level of is L1's."""
        return self._close(self.level or 1, self.end)

    def feed(self, event: Event) -> Iterator[Stretch]:
        """Take the next event into account; yield the stretch that it ends."""
        self.end = event.time
        if event.name == "kvm_entry":
            self.entered, self.lap = event.time, None
        elif event.name == "kvm_exit":
            self._exit(event.time)
        elif event.name == "kvm_nested_vmexit":
            yield from self._announce()
        elif event.name == "kvm_nested_vmexit_inject":
            yield from self._reflect(event)
        else:
            yield self._close(self.level or 1, event.time)
            self.level = 2

    def _exit(self, now: int) -> None:
        self.exits += 1
        self.unannounced += 1
        if self.entered is not None:
            self.running += now - self.entered
            self.lap = self.entered, now
        self.entered = None

    def _announce(self) -> Iterator[Stretch]:
        """Learn that the last exit was L2's; up to the entry before it was L1 if exits were not announced."""
        lap = self.lap
        if lap and (self.level == 1 or (self.level is None and self.unannounced > 1)):
            self.exits, self.running = self.exits - 1, self.running - (lap[1] - lap[0])
            yield self._close(1, lap[0])
            self.exits, self.running, self.unannounced = 1, lap[1] - lap[0], 1
        self.level = 2
        self.unannounced = max(self.unannounced - 1, 0)

    def _reflect(self, event: Event) -> Iterator[Stretch]:
        if self.level != 1:
            yield self._close(2, event.time, str(event.fields.get("exit_reason", "")))
        self.level = 1


def _counts(stretch: Stretch) -> bool:
    """Tell whether anything happened: a trace may begin with the way into L2."""
    return bool(stretch.end > stretch.begin or stretch.exits or stretch.left_by)


class Walks:
    """The one pass over all vCPUs: feed it the items in order; it yields each stretch when it ends."""

    def __init__(self) -> None:
        self._vcpus = Vcpus()
        self._walks: dict[Vcpu, _Walk] = {}

    def feed(self, item: Item) -> Iterator[Stretch]:
        """Take the next item into account; a hole ends all stretches, and their levels are unknown again."""
        if isinstance(item, Lost):
            yield from self.finish()
        elif isinstance(item, Event) and item.name in _STEPS:
            vcpu = self._vcpus.of(item)
            walk = self._walks.get(vcpu)
            if walk is None:
                walk = self._walks[vcpu] = _Walk(vcpu, None, item.time, item.time)
            yield from filter(_counts, walk.feed(item))

    def finish(self) -> Iterator[Stretch]:
        """Yield the stretches that are not ended, in the order in which they began."""
        walks, self._walks = self._walks.values(), {}
        left = sorted((walk.finish() for walk in walks), key=lambda stretch: stretch.begin)
        yield from filter(_counts, left)


def stretches(items: Iterable[Item]) -> Iterator[Stretch]:
    """Yield each stretch when it ends; of one vCPU they follow each other without a gap, but for holes."""
    walks = Walks()
    for item in items:
        yield from walks.feed(item)
    yield from walks.finish()
