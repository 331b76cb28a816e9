"""The alarm line of a whole run: who has the guest's alarm, step for step, and what the guest gets of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from kvmlab.machine.run import Taken
from kvmlab.show import marks
from kvmlab.show.alarm import AlarmCells, Stretch, stretches
from kvmlab.show.alarm_svg import STRIP, alarm_svg, came_svg, laid, tracks_svg
from kvmlab.show.foot import foot_svg
from kvmlab.show.svg import document, text
from kvmlab.show.titles import plural

WIDTH, HEIGHT = 960, 164
LEFT, RIGHT = 130, WIDTH - 16
TOP = 52
COLUMNS = 80


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
            return f"The deadline is still to come: {_has(before[-1])}. The guest has got {came}."
        return f"At the deadline {_has(before[-1])}. The guest gets {came}."


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
    yield text(RIGHT, 20, "not to scale", quiet=True, anchor="end")
    yield from tracks_svg(LEFT, RIGHT, TOP)
    places = laid(shown.alarm, LEFT, RIGHT)
    yield from alarm_svg(places, TOP)
    yield from came_svg(places, TOP - 16)
    past = next((place.left for place in places if place.one.past), None)
    if past is not None:
        yield marks.flag(past, 28, TOP + STRIP)


def alarm_story_text(shown: AlarmStory) -> str:
    """Return the picture in words; its last paragraph is the foot."""
    before = tuple(one for one in shown.alarm if not one.past)
    lines = told("up to the deadline", before) + told("behind it", shown.alarm[len(before) :])
    return "\n".join([shown.title, *lines, "", *wrap(shown.foot, COLUMNS)])


def told(title: str, some: Sequence[Stretch]) -> list[str]:
    """Return stretches in words, in lines that fit."""
    if not some:
        return []
    words = ", ".join(map(_told, some))
    return wrap(f"{title}: {words}", COLUMNS, initial_indent="  ", subsequent_indent="    ")


def _told(one: Stretch) -> str:
    """Return a stretch in words: who runs, who has the alarm, and how often the interrupt came."""
    said = " and ".join(one.holders)
    idle = "preemption timer in vain" if one.idle else ""
    came = f"given {one.came}" if one.past and one.came else ""
    more = "; ".join(part for part in (said, idle, came) if part)
    return f"{one.who} ({more})" if more else one.who
