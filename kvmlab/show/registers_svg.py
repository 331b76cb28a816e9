"""The picture of the registers: one line, and below it the grid of 256 vectors where it is open.

A register stands at the same place whatever is in it: where, depends on which registers are looked at.
"""

from kvmlab.show.measure import width, wrap
from kvmlab.show.registers import Moment
from kvmlab.show.registers_foot import foot
from kvmlab.show.registers_grid_svg import grid_height, grid_svg
from kvmlab.show.registers_line_svg import EDGE, LINE, WIDTH, lines_svg, rows
from kvmlab.show.svg import document, group, line, text
from kvmlab.show.theme import BIG

PITCH = 18
"""From a line of the foot to the next one."""


def registers_svg(moment: Moment, grid: bool = False) -> str:
    """Return the picture; its alternative text is the foot."""
    says, top = foot(moment), LINE * len(rows(moment))
    below = top + (grid_height(moment) if grid else 0)
    body = lines_svg(moment) + (grid_svg(moment, top) if grid else "") + _foot(says, below)
    return document(WIDTH, below + 16 + PITCH * len(_lines(says)), "Interrupt registers", says, body)


def _lines(sentence: str) -> list[str]:
    return wrap(sentence, WIDTH - 2 * EDGE)


def _foot(sentence: str, y: float) -> str:
    """Draw the sentence, big where it fits on one line so."""
    big = width(sentence, size=BIG) <= WIDTH - 2 * EDGE
    words = (text(EDGE, y + 22 + PITCH * i, part, big=big) for i, part in enumerate(_lines(sentence)))
    return group(line(0, y, WIDTH, y, tone="quiet", thickness=1), *words)
