"""The board: four patches, four switches. A picture of what is to come; nothing on it can be turned yet.

Titles and hashes are those of the commits: d6185f20a0ef, 64672c95ea4c (with ce7a058a2117), b95234c84004,
d264ee0c2ed2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from kvmlab.show.svg import circle, document, line, rect, text


@dataclass(frozen=True, slots=True)
class Switch:
    """One patch: what the kernel does without it, and with it."""

    commit: str
    year: int
    without: str
    with_it: str
    lesson: str


SWITCHES = (
    Switch("d6185f2", 2011, "the guest's guest runs on", "it is entered, and left at once", "01"),
    Switch("64672c9", 2016, "a host timer interrupt rings", "the processor's own timer rings", "02"),
    Switch("b95234c", 2017, "each interrupt costs a request", "two steps moved, no request", "03"),
    Switch("d264ee0", 2018, "“at once” by good timing", "“at once” by promise", "04"),
)
FOOT = "An outlook: no switch can be turned here. Each has its notebook; 05 turns all four."

WIDTH, PITCH, TOP = 960, 34, 48
OFF, LABEL, WITHOUT, WITH, LESSON = 16.0, 70.0, 240.0, 540.0, 860.0


def board_svg() -> str:
    """Return the picture; its alternative text is the foot."""
    height = TOP + PITCH * len(SWITCHES) + 40
    rows = "".join(part for n, one in enumerate(SWITCHES) for part in _row(one, TOP + PITCH * n))
    return document(WIDTH, height, "The board", FOOT, "".join((*_heads(), rows, *_foot(height))))


def _heads() -> Iterator[str]:
    for x, words in ((LABEL, "patch"), (WITHOUT, "off"), (WITH, "on"), (LESSON, "notebook")):
        yield text(x, 24, words, bold=True)
    yield line(0, 34, WIDTH, 34, tone="quiet", thickness=1)


def _row(one: Switch, y: float) -> Iterator[str]:
    yield rect(OFF, y, 38, 18, r=9) + circle(OFF + 9, y + 9, 6)
    yield text(LABEL, y + 14, f"{one.commit} ({one.year})", mono=True)
    yield text(WITHOUT, y + 14, one.without) + text(WITH, y + 14, one.with_it)
    yield text(LESSON, y + 14, one.lesson)


def _foot(height: int) -> Iterator[str]:
    yield line(0, height - 34, WIDTH, height - 34, tone="quiet", thickness=1)
    yield text(8, height - 12, FOOT, big=True)


def board_text() -> str:
    """Return the picture in words, at most 80 columns wide, the foot last."""
    rows = [
        line
        for s in SWITCHES
        for line in (f"[off] {s.commit} ({s.year}), notebook {s.lesson}", f"      {s.without} | {s.with_it}")
    ]
    return "\n".join(["The board: off | on", *rows, "", *wrap(FOOT, 80)])


class Board:
    """The board: a picture where pictures are shown, else the same in words."""

    def __repr__(self) -> str:
        return board_text()

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": board_svg()}
