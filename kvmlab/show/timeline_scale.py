"""Time to pixels: the plot's width, round ticks for the axis, and times in words."""

from collections.abc import Iterator
from dataclasses import dataclass

WIDTH = 960
LEFT, RIGHT = 128.0, 936.0
"""Edges of the plot; left of it are the names."""
EDGE = WIDTH - 6
"""No label goes beyond."""
APART = 90
"""Ticks of the axis are at least so many pixels apart."""

_UNITS = {
    "ticks": ((10**6, "million ticks"), (10**3, "thousand ticks"), (1, "ticks")),
    "ns": ((10**9, "s"), (10**6, "ms"), (10**3, "µs"), (1, "ns")),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """A window of time laid over the plot."""

    start: int
    end: int
    unit: str

    @property
    def pixel(self) -> float:
        """Time per pixel."""
        return (self.end - self.start) / (RIGHT - LEFT)

    def x(self, time: float) -> float:
        """Return the place of a time; outside of the window, the plot's edge."""
        return LEFT + (min(max(time, self.start), self.end) - self.start) / self.pixel

    def ticks(self) -> tuple[str, list[tuple[float, str]]]:
        """Return the axis: the unit it is written in, and a place and a number for each tick."""
        step = _round_up(APART * self.pixel)
        factor, name = next((f, name) for f, name in _UNITS[self.unit] if step % f == 0)
        first = -(-self.start // step) * step
        return name, [(self.x(t), str(t // factor)) for t in range(first, self.end + 1, step)]


def _round_up(time: float) -> int:
    """Return the next 1, 2 or 5 times a power of ten."""
    return next(step for step in _steps() if step >= time)


def _steps() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def share(part: int, whole: int) -> str:
    """Return a share in per cent with one digit, rounded; what is there is never 0."""
    mille = (2000 * part + whole) // (2 * whole) if whole else 0
    return "under 0.1 %" if part and not mille else f"{mille // 10}.{mille % 10} %"
