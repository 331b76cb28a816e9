"""Zero at the deadline: how late the guest's timer interrupt is, and who had the alarm until then.

Two kernels, one above the other, on one scale: cycles from the deadline. What stands here is data; where it
comes from is :mod:`kvmlab.show.deadline_rows`. Bugs are the same picture: two alarm lines, or none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from kvmlab.schedulers.profile import Status
from kvmlab.show.alarm import Stretch, Track

Stage = str
"""What a learner calls a part of the way to the guest's handler."""

STAGES: dict[str, Stage] = {
    "TIME": "timer",
    "LAPIC_FIRE": "timer",
    **dict.fromkeys(("HW_EXIT", "SW_EXIT"), "exit"),
    **dict.fromkeys(("IRQ_ENTER", "EOI_HOST", "HRT_INT", "HRT_REPROG", "IRQ_EXIT", "NOHZ_IRQ"), "host"),
    **dict.fromkeys(("POLL_DETECT", "WAKE", "SWITCH", "UNBLOCK", "HV_POSTBLOCK"), "wake-up"),
    "RESID": "unknown",
    "HW_ENTRY": "entry",
    **dict.fromkeys(("VDELIV", "G_ISR", "G_HRT", "G_EOI", "G_SWITCH"), "guest"),
}
"""Parameter -> stage; what is not named is KVM's."""


@dataclass(frozen=True, slots=True)
class Cost:
    """So many cycles of the way for the sake of one parameter; no ``status``: time itself, no parameter.

    ``says`` is what they are spent on.
    """

    parameter: str
    cycles: Fraction
    status: Status | None
    says: str = ""

    @property
    def stage(self) -> Stage:
        """Which part of the way it belongs to."""
        return STAGES.get(self.parameter, "KVM")


@dataclass(frozen=True, slots=True)
class Row:
    """One kernel: the alarm up to the deadline and behind it, then either what it costs or what goes wrong.

    ``costs`` are end to end, from the deadline to the guest's handler. A row that is ``broken`` has none: its
    label says what does not hold.
    """

    kernel: str
    alarm: tuple[Stretch, ...]
    costs: tuple[Cost, ...] = ()
    broken: str = ""

    @property
    def total(self) -> Fraction:
        """Cycles from the deadline to the guest's handler."""
        return sum((cost.cycles for cost in self.costs), Fraction(0))

    @property
    def why(self) -> str:
        """Why it is wrong, in a few words."""
        idle = self.before[-1].idle
        if self.broken in ("LOST", "NO_HOLDER"):
            return "the preemption timer is set, but does not count" if idle else "nobody has the alarm"
        return "two timers are set for one deadline" if idle or len(self.rings) > 1 else self.broken.lower()

    @property
    def before(self) -> tuple[Stretch, ...]:
        """The alarm up to the deadline."""
        return tuple(one for one in self.alarm if not one.past)

    @property
    def rings(self) -> tuple[Track, ...]:
        """Who holds the alarm when the deadline comes."""
        return self.before[-1].holders

    def stages(self) -> Iterator[tuple[Stage, tuple[Cost, ...]]]:
        """Yield the costs in groups: neighbours of one stage."""
        for stage, costs in groupby(self.costs, lambda cost: cost.stage):
            yield stage, tuple(costs)

    def of(self, stage: Stage) -> Fraction:
        """Return the cycles of one stage."""
        return sum((cost.cycles for cost in self.costs if cost.stage == stage), Fraction(0))

    def by_parameter(self) -> dict[str, Fraction]:
        """Return the cycles of each parameter."""
        sums: dict[str, Fraction] = {}
        for cost in self.costs:
            sums[cost.parameter] = sums.get(cost.parameter, Fraction(0)) + cost.cycles
        return sums


@dataclass(frozen=True, slots=True)
class DeadlineView:
    """Two rows, or one; ``guest`` is what the guest does until the deadline."""

    guest: str
    before: Row
    after: Row | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows from above."""
        return (self.before,) if self.after is None else (self.before, self.after)

    @property
    def difference(self) -> Fraction | None:
        """What the second kernel needs more (negative: less); ``None`` if one of them never comes."""
        if self.after is None or self.before.broken or self.after.broken:
            return None
        return self.after.total - self.before.total

    @property
    def foot(self) -> str:
        """What becomes of the alarm, and what that costs."""
        said = [_said(row) for row in self.rows]
        if self.difference is not None:
            said.append(f"{self.gain}: {self.reason}.")
        return f"The guest {GUESTS[self.guest]}. {' '.join(said)}"

    @property
    def gain(self) -> str:
        """The difference in words, with its share of the first row."""
        assert self.difference is not None
        tenths = round(1000 * self.difference / self.before.total)
        share = f"{'+' if tenths > 0 else '−' if tenths else ''}{abs(tenths) / 10}"
        return f"{amount(self.difference)} ({share} %)"

    @property
    def reason(self) -> str:
        """Where the difference comes from: the stages that differ, the largest first."""
        assert self.after is not None
        stages = {cost.stage for row in self.rows for cost in row.costs}
        changes = {stage: self.after.of(stage) - self.before.of(stage) for stage in stages}
        largest = sorted((stage for stage in stages if changes[stage]), key=lambda s: (-abs(changes[s]), s))
        return ", ".join(f"{stage} {amount(changes[stage])}" for stage in largest) or "nothing differs"


GUESTS = {"busy": "is busy", "halt": "halts"}


def _said(row: Row) -> str:
    if row.broken:
        return f"{row.kernel}: {row.broken}, {row.why}."
    return f"{row.kernel}: {cycles(row.total)} cycles, the {' and the '.join(row.rings)} rings."


def cycles(number: Fraction) -> str:
    """Return cycles to the whole, as a picture says it."""
    return str(round(number))


def amount(number: Fraction) -> str:
    """Return a difference with its sign."""
    whole = round(number)
    return f"+{whole}" if whole > 0 else f"−{-whole}" if whole else "0"
