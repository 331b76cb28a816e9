"""The alarm line of a whole run: who has the guest's alarm, step for step, and what the guest gets of it.

Under the strip stands what KVM runs for: the exit's reason, and whether the halted guest has been woken.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from textwrap import wrap
from typing import Any, TypeVar

from kvmlab.machine.run import Taken
from kvmlab.show import marks
from kvmlab.show.alarm import AlarmCells, Stretch, stretches
from kvmlab.show.alarm_svg import (
    HOLLOW,
    STRIP,
    Laid,
    alarm_svg,
    came_svg,
    given,
    hollow,
    laid,
    track_y,
    tracks_svg,
)
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.svg import document, text
from kvmlab.show.titles import plural

WIDTH, HEIGHT = 960, 182
LEFT, RIGHT = 130, WIDTH - 16
TOP = 52
COLUMNS = 80
SCALE = "not to scale"
NONE, OLD = "deadline 0", "old deadline"
"""What a timer is set for where the guest has no deadline: it was set so, or nobody has given it up."""

One = TypeVar("One")


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
        return f"At the deadline {_has(before[-1])}. The guest is given {came}."


def _has(one: Stretch) -> str:
    """Return who has the alarm, as a clause."""
    holders = [f"the {track}" for track in one.holders if track != "nobody"] or ["nobody"]
    vain = "; the preemption timer is set in vain" if one.idle else ""
    return f"{' and '.join(holders)} {'have' if len(holders) > 1 else 'has'} the alarm{vain}"


def story(records: Mapping[str, Any], steps: Sequence[Taken]) -> tuple[Stretch, ...]:
    """Return who had the alarm in a run of the hv-timer scenario, to the first deadline and behind it."""
    now, due = records["timer"].tsc.host, records["program"].deadlines[0]
    return stretches(AlarmCells.of(records), steps, lambda step: step.after[now] >= due)


def alarm_story_svg(shown: AlarmStory) -> str:
    """Return the picture; its alternative text is the foot."""
    body = (*_body(shown), *foot_svg(shown.foot, HEIGHT - 32, WIDTH))
    return document(WIDTH, HEIGHT, shown.title, shown.foot, "".join(body))


def _body(shown: AlarmStory) -> Iterator[str]:
    yield text(6, 20, shown.title, big=True, bold=True)
    yield from _legend()
    yield from tracks_svg(LEFT, RIGHT, TOP)
    places = laid(shown.alarm, LEFT, RIGHT)
    yield from alarm_svg(places, TOP)
    yield from _none_svg(places)
    yield from _reasons_svg(places)
    yield from came_svg(places, TOP - 16)
    past = next((place.left for place in places if place.one.past), None)
    if past is not None:
        yield marks.flag(past, 28, TOP + STRIP)


def _legend() -> Iterator[str]:
    x = RIGHT - width(SCALE)
    yield text(x, 20, SCALE, quiet=True)
    yield text(x - 24, 20, HOLLOW, anchor="end") + hollow(x - width(HOLLOW) - 56, 16, 26)
    yield from given(x - width(HOLLOW) - 80, 20)


def _none_svg(places: Sequence[Laid]) -> Iterator[str]:
    """Yield what it was set for over a preemption timer that is set though there is no deadline."""
    said = vain([place.one for place in places])
    for says, group in groupby(zip(said, places, strict=True), lambda pair: pair[0]):
        some = [place for _, place in group]
        middle = (some[0].left + some[-1].right) / 2
        yield text(middle, track_y("preemption timer", TOP) - 5, says, anchor="middle") if says else ""


def vain(alarm: Sequence[Stretch]) -> list[str]:
    """Return for each stretch what the preemption timer was set for, if the guest has no deadline."""
    said: list[str] = []
    for due, group in groupby(alarm, lambda one: one.due):
        some = list(group)
        says = NONE if some[0].none else OLD
        said += [says if due >= 0 and one.none else "" for one in some]
    return said


def _reasons_svg(places: Sequence[Laid]) -> Iterator[str]:
    """Yield what KVM runs for under its bars, as far as it has room."""
    taken = 0.0
    for run, says in zip(
        _runs(places, lambda place: place.one), reasons([p.one for p in places]), strict=True
    ):
        middle, half = (run[0].left + run[-1].right) / 2, width(says, mono=True) / 2
        if says and middle - half > taken:
            yield text(min(middle, WIDTH - 6 - half), TOP + STRIP + 16, says, mono=True, anchor="middle")
            taken = middle + half + 6


def _runs(some: Sequence[One], what: Callable[[One], Stretch]) -> list[list[One]]:
    """Return neighbours together in which the same one runs."""
    return [list(group) for _, group in groupby(some, lambda one: what(one).who)]


def reasons(alarm: Sequence[Stretch]) -> list[str]:
    """Return for each run of neighbours what KVM runs for; nothing behind a host's interrupt in between."""
    said, before = [], ""
    for run in _runs(alarm, lambda one: one):
        who = run[0].who
        said.append(_reason(run) if who == "KVM" != before else "")
        before = before if who == "host" else who
    return said


def _reason(run: Sequence[Stretch]) -> str:
    """Return the exit's reason, and that the guest was woken: meanwhile, or by what ended its sleep."""
    if run[0].halted:
        return "woken"
    woken = any(a.halted and not b.halted for a, b in pairwise(run))
    return f"{run[0].exit}, woken" if woken else run[0].exit.strip("-")


def alarm_story_text(shown: AlarmStory) -> str:
    """Return the picture in words; its last paragraph is the foot."""
    at = next((i for i, one in enumerate(shown.alarm) if one.past), len(shown.alarm))
    said, old = _for_what(shown.alarm), vain(shown.alarm)
    before = told("up to the deadline", shown.alarm[:at], said, old)
    lines = [*before, *told("behind it", shown.alarm[at:], said[at:], old[at:])]
    return "\n".join([shown.title, *lines, "", *wrap(shown.foot, COLUMNS)])


def _for_what(alarm: Sequence[Stretch]) -> list[str]:
    """Return for each stretch what KVM runs for, where a run begins."""
    runs = _runs(alarm, lambda one: one)
    return [
        says if first else ""
        for run, says in zip(runs, reasons(alarm), strict=True)
        for first in (True, *[False] * (len(run) - 1))
    ]


def told(title: str, some: Sequence[Stretch], said: Sequence[str] = (), old: Sequence[str] = ()) -> list[str]:
    """Return stretches in words, in lines that fit; of a story also what KVM runs for, and what is old."""
    if not some:
        return []
    silent = [""] * len(some)
    parts = zip(some, said or silent, old or silent, strict=False)
    same = (list(group) for _, group in groupby(parts, lambda part: _told(part[0], "", part[2])))
    words = ", ".join(_told(g[0][0], "".join(says for _, says, _ in g), g[0][2]) for g in same)
    return wrap(f"{title}: {words}", COLUMNS, initial_indent="  ", subsequent_indent="    ")


def _told(one: Stretch, says: str, old: str) -> str:
    """Return a stretch in words: who runs, for what, who has the alarm, and how often the interrupt came."""
    holders = " and ".join(one.holders)
    said = f"{holders} for {old}" if holders and old else holders
    idle = "preemption timer in vain" if one.idle else ""
    came = f"given {one.came}" if one.past and one.came else ""
    more = "; ".join(part for part in (said, idle, came) if part)
    return f"{one.who}{f' [{says}]' if says else ''}{f' ({more})' if more else ''}"
