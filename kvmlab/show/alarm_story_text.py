"""An alarm's story in words: who runs, for what, who has the alarm, and what the guest is given."""

from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

from kvmlab.show.alarm import Stretch
from kvmlab.show.alarm_story import AlarmStory, reasons, vain

COLUMNS = 80


def alarm_story_text(shown: AlarmStory) -> str:
    """Return the story; its last paragraph is the foot."""
    at = next((i for i, one in enumerate(shown.alarm) if one.past), len(shown.alarm))
    said, old = reasons(shown.alarm), vain(shown.alarm)
    before = told("up to the deadline", shown.alarm[:at], said, old)
    lines = [*before, *told("behind it", shown.alarm[at:], said[at:], old[at:])]
    return "\n".join([shown.title, *lines, "", *wrap(shown.foot, COLUMNS)])


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
    holders = " and ".join(one.holders)
    said = f"{holders} for {old}" if holders and old else holders
    idle = "preemption timer in vain" if one.idle else ""
    came = f"given {one.came}" if one.past and one.came else ""
    more = "; ".join(part for part in (said, idle, came) if part)
    return f"{one.who}{f' [{says}]' if says else ''}{f' ({more})' if more else ''}"
