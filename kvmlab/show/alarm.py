"""Who runs and who holds the guest's alarm, stretch by stretch, read off the states of a run.

The alarm has one of three holders: the host's hrtimer, the preemption timer, or nobody. A preemption timer
counts in the guest only: outside it stands still, and while the thread waits it rings for nobody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, get_args

from kvmlab.kvm.hrtimer import HANDLER
from kvmlab.kvm.timer_records import HALTED, Halt, Hrtimer, LapicTimer
from kvmlab.machine.run import Taken
from kvmlab.processor import exits
from kvmlab.processor.records import ROOT, Core, Guest

Who = Literal["guest", "KVM", "host", "polls", "asleep"]
"""The guest, KVM on its behalf, a host interrupt, or a thread that waits for a halted guest."""

Track = Literal["hrtimer", "preemption timer", "nobody"]
TRACKS: tuple[Track, ...] = get_args(Track)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a run in which the same one runs and the same timers are set.

    ``hrtimer`` and ``hv`` say which is set, ``wanted`` whether one should be: a deadline stands, and nothing
    has expired yet. ``waits``: the guest is halted, its thread waits. ``came`` is how often KVM has given the
    interrupt to the guest so far; ``past``: the deadline has passed. ``exit`` is what KVM runs for;
    ``halted``: that is how KVM keeps the guest. ``none``: the guest's deadline is 0, it has none; ``due`` is
    the preemption timer's, if it is set. ``expired``: KVM has noted an expiry, and not yet given it.
    """

    who: Who
    hrtimer: bool
    hv: bool
    wanted: bool
    waits: bool
    came: int
    past: bool
    exit: str = ""
    halted: bool = False
    none: bool = False
    due: int = -1
    expired: bool = False

    @property
    def holders(self) -> tuple[Track, ...]:
        """Who will ring: both timers at worst, ``nobody`` if neither will and one should."""
        set_ = {"hrtimer": self.hrtimer, "preemption timer": self.hv and not self.idle}
        return tuple(t for t in TRACKS if set_.get(t)) or (("nobody",) if self.wanted else ())

    @property
    def idle(self) -> bool:
        """Whether the preemption timer is set in vain: nobody will enter the guest."""
        return self.hv and self.waits

    @property
    def again(self) -> bool:
        """Whether the hrtimer is set for a deadline that has rung already, or was taken back."""
        return self.hrtimer and not self.wanted

    @property
    def counts(self) -> bool:
        """Whether the preemption timer counts: it is set, and the guest runs."""
        return self.hv and self.who == "guest"


@dataclass(frozen=True, slots=True)
class AlarmCells:
    """Where a state says who runs and which timers are set."""

    core: Core
    timer: LapicTimer
    hrtimer: Hrtimer
    halt: Halt
    guest: Guest

    @classmethod
    def of(cls, records: Mapping[str, Any]) -> "AlarmCells":
        """Return the cells of a scenario or a bench whose vCPU has a timer."""
        return cls(*(records[name] for name in ("core", "timer", "hrtimer", "halt", "guest")))

    def stretch(self, s: Sequence[int], past: bool) -> Stretch:
        """Return what one state says."""
        t, hr = self.timer, self.hrtimer
        hrtimer, hv = s[hr.expires] >= 0, s[t.hv_deadline] >= 0
        wanted = bool(s[t.tscdeadline]) and not s[t.pending] and not s[hr.running]
        who, halted = self._who(s), s[self.halt.mp_state] == HALTED
        left = exits.show(s[self.guest.vmcs.reason]) if who == "KVM" else ""
        waits, came, none, due = self._waits(s), s[t.injected], not s[t.tscdeadline], s[t.hv_deadline]
        expired = bool(s[t.pending])
        return Stretch(who, hrtimer, hv, wanted, waits, came, past, left, halted, none, due, expired)

    def _waits(self, s: Sequence[int]) -> bool:
        return bool(s[self.halt.asleep]) or s[self.halt.stop] >= 0

    def _who(self, s: Sequence[int]) -> Who:
        frame = s[self.core.frame]
        if frame != ROOT:
            return "host" if frame == HANDLER else "guest"
        if not self._waits(s):
            return "KVM"
        return "asleep" if s[self.halt.asleep] else "polls"


def stretches(
    cells: AlarmCells, steps: Iterable[Taken], past: Callable[[Taken], bool]
) -> tuple[Stretch, ...]:
    """Return the stretches that these steps make, each different from the one before."""
    return tuple(one for one, _ in groupby(cells.stretch(step.after, past(step)) for step in steps))
