"""The ruler of L2's instructions: single steps near the entry, decades behind a break.

x is a count of instructions, not time. Lessons 01 and 04 use the same ruler, so the eye knows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log10

from kvmlab.show.svg import group, line, polygon, rect, text

NEAR = (0, 1, 2, 3)
"""Counts with a tick of their own, one step apart."""
FAR = {100: "100", 1000: "1k", 10000: "10k"}
"""Counts behind the break that have a tick, and how they are written."""
STEP, DECADE = 60.0, 100.0
"""Pixels for one instruction before the break, and for a factor of ten behind it."""
_BREAK, _TEN = 20.0, 80.0
"""Pixels from the last single step to the break, and to the place of 10, where decades begin."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """A ruler whose tick 0 is at ``origin``."""

    origin: float

    def x(self, instructions: int) -> float:
        """Return the place of a count; more than the last tick stays at the last tick."""
        if instructions <= NEAR[-1]:
            return self.origin + STEP * instructions
        decades = log10(min(instructions, max(FAR))) - 1
        return self.origin + STEP * NEAR[-1] + _TEN + DECADE * decades

    @property
    def end(self) -> float:
        """The place of the last tick."""
        return self.x(max(FAR))

    def axis(self, y: float, label: str) -> str:
        """Return the line with its ticks, their numbers below, and ``label`` left of the first one."""
        ticks = [*((n, str(n)) for n in NEAR), *FAR.items()]
        marks = (line(self.x(n), y, self.x(n), y + 5) for n, _ in ticks)
        words = (text(self.x(n), y + 18, word, anchor="middle") for n, word in ticks)
        name = text(self.origin - 12, y + 18, label, anchor="end", quiet=True)
        return group(line(self.origin, y, self.end, y), self._cut(y, 4), *marks, *words, name)

    def guides(self, top: float, bottom: float) -> str:
        """Return a hairline at every tick, to carry the eye from a row down to the numbers."""
        return group(*(line(x, top, x, bottom, thickness=0.4, tone="quiet") for x in self._ticks()))

    def bar(self, y: float, height: float, instructions: int, role: str, label: str) -> str:
        """Return a bar from tick 0 to a count, ``label`` in it where there is room; no bar for 0."""
        width = self.x(instructions) - self.origin
        if not instructions:
            return ""
        cut = self._cut(y + height / 2, height / 2 + 2) if instructions > NEAR[-1] else ""
        name = text(self.origin + 8, y + height - 4, label, bold=True) if width >= STEP / 2 else ""
        return group(rect(self.origin, y, width, height, role), cut, name)

    def _ticks(self) -> Iterable[float]:
        return (self.x(n) for n in (*NEAR, *FAR))

    def _cut(self, y: float, reach: float) -> str:
        """Return the sign that the axis is broken: two slanted strokes, paper in between."""
        x, low, high = self.x(NEAR[-1]) + _BREAK, y + reach, y - reach
        gap = polygon([(x - 5, low), (x - 1, high), (x + 5, high), (x + 1, low)], "paper", outline=0)
        return gap + line(x - 5, low, x - 1, high) + line(x + 1, low, x + 5, high)
