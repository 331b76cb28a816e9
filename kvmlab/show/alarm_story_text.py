"""An alarm's story in words: who runs, for what, who has the alarm, and what the guest is given."""

from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

from kvmlab.show.alarm import Stretch, Track
from kvmlab.show.alarm_story import RINGERS, AlarmStory, reasons, rings, vain

COLUMNS = 80


def alarm_story_text(shown: AlarmStory) -> str:
    """Return the story; its last paragraph is the foot."""
    at = next((i for i, one in enumerate(shown.alarm) if one.past), len(shown.alarm))
    columns = reasons(shown.alarm), vain(shown.alarm), rings(shown.alarm)
    before = told("up to the deadline", shown.alarm[:at], *columns)
    lines = [*before, *told("behind it", shown.alarm[at:], *(column[at:] for column in columns))]
    return "\n".join([shown.title, *lines, "", *wrap(shown.foot, COLUMNS)])


def told(title: str, some: Sequence[Stretch], *columns: Sequence[str | None]) -> list[str]:
    """Return stretches in words, in lines that fit.

    Of a story also its ``columns``: for each stretch what KVM runs for, what is old, and who rings.
    """
    if not some:
        return []
    parts = zip(some, *(columns or [[None] * len(some)] * 3), strict=False)
    same = (list(group) for _, group in groupby(parts, lambda part: _told(part[0], "", *part[2:])))
    words = ", ".join(_told(g[0][0], "".join(part[1] or "" for part in g), *g[0][2:]) for g in same)
    return wrap(f"{title}: {words}", COLUMNS, initial_indent="  ", subsequent_indent="    ")


def _told(one: Stretch, says: str, old: str | None, rung: Track | None) -> str:
    holders = " and ".join(one.holders)
    said = f"{holders} for {old}" if holders and old else holders
    idle = "preemption timer in vain" if one.idle else ""
    came = f"given {one.came}" if one.past and one.came else ""
    rings = f"{RINGERS[rung]} rings" if rung else ""
    more = "; ".join(part for part in (rings, said, idle, came) if part)
    return f"{one.who}{f' [{says}]' if says else ''}{f' ({more})' if more else ''}"
