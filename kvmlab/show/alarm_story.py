"""The alarm line of a whole run: who has the guest's alarm, step for step, and what the guest gets of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from kvmlab.machine.run import Taken
from kvmlab.processor.exits import Exit
from kvmlab.show.alarm import AlarmCells, Stretch, Track, stretches
from kvmlab.show.titles import plural

NONE, OLD = "deadline 0", "old deadline"
"""What a timer is set for where the guest has no deadline: it was set so, or nobody has given it up."""
RINGERS: Mapping[Track, str] = {
    "hrtimer": "the hrtimer",
    "preemption timer": "the preemption timer",
    "nobody": "KVM itself",
}
"""Who rings, in words."""


@dataclass(frozen=True, slots=True)
class AlarmStory:
    """The stretches of a run under a title."""

    title: str
    alarm: tuple[Stretch, ...]

    @property
    def foot(self) -> str:
        """Who had the alarm when the deadline came, or at the end, and how often the guest was told."""
        before = [one for one in self.alarm if not one.past]
        came = plural(self.alarm[-1].came, "interrupt")
        if len(before) == len(self.alarm):
            return f"The deadline is still to come: {_has(before[-1])}. The guest has been given {came}."
        rung = [who for who in rings(self.alarm) if who]
        says = f"{_ring(rung)}: {came}" if len(rung) > 1 else f"The guest is given {came}"
        return f"At the deadline {_has(before[-1], rung)}. {says}."


def _has(one: Stretch, rung: Sequence[Track] = ()) -> str:
    """Return who has the alarm, as a clause; what rings in the end is not set in vain."""
    if len(one.holders) > 1:
        return "both timers have the alarm"
    holder = next((f"the {track}" for track in one.holders if track != "nobody"), "nobody")
    vain = "; the preemption timer is set in vain" if one.idle and "preemption timer" not in rung else ""
    return f"{holder} has the alarm{vain}"


def _ring(rung: Sequence[Track]) -> str:
    """Return who rings, in order, as a sentence."""
    then = ("again" if before == who else RINGERS[who] for before, who in pairwise(rung))
    first = RINGERS[rung[0]]
    return ", then ".join([f"{first[0].upper()}{first[1:]} rings", *then])


def story(records: Mapping[str, Any], steps: Sequence[Taken]) -> tuple[Stretch, ...]:
    """Return who had the alarm in a run of the hv-timer scenario, to the first deadline and behind it."""
    now, due = records["timer"].tsc.host, records["program"].deadlines[0]
    return stretches(AlarmCells.of(records), steps, lambda step: step.after[now] >= due)


def rings(alarm: Sequence[Stretch]) -> list[Track | None]:
    """Return for each stretch which timer rings as it begins, if it rings.

    ``nobody``: KVM would start a timer, finds that the deadline has passed, and makes the expiry itself.
    """
    return [None, *(_ringer(b) if _rings(a, b) else None for a, b in pairwise(alarm))]


def _rings(a: Stretch, b: Stretch) -> bool:
    """Whether an expiry was noted in between, or given to the guest without being noted."""
    return not a.expired and (b.expired or b.came > a.came)


def _ringer(one: Stretch) -> Track:
    if one.who != "KVM":
        return "hrtimer"
    return "preemption timer" if one.exit == Exit.PREEMPTION_TIMER.name else "nobody"


def vain(alarm: Sequence[Stretch]) -> list[str]:
    """Return for each stretch what a timer is set for, if the guest's deadline is none, or has rung."""
    said: list[str] = []
    for due, group in groupby(alarm, lambda one: one.due):
        some = list(group)
        says = NONE if some[0].none else OLD
        said += [OLD if one.again else says if due >= 0 and one.none else "" for one in some]
    return said


def reasons(alarm: Sequence[Stretch]) -> list[str]:
    """Return for each stretch what KVM begins to run for; nothing if a host's interrupt only came between."""
    said, before = list[str](), ""
    for who, group in groupby(alarm, lambda one: one.who):
        run = list(group)
        says = _reason(run) if who == "KVM" != before else ""
        said += [says, *[""] * (len(run) - 1)]
        before = before if who == "host" else who
    return said


def _reason(run: Sequence[Stretch]) -> str:
    """Return the exit's reason, and that the guest was woken: meanwhile, or by what ended its sleep."""
    if run[0].halted:
        return "woken"
    woken = any(a.halted and not b.halted for a, b in pairwise(run))
    return f"{run[0].exit}, woken" if woken else run[0].exit.strip("-")
