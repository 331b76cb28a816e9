"""The picture of what a headline rests on: a bar per parameter around the value, a band behind all of them.

The hollow half of a bar is the parameter 10 % lower, the filled half 10 % higher; its edges say how well the
parameter is known, as in Zero at the deadline.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kvmlab.show.deadline_svg import KINDS
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.sensitivity import PERCENT, Bar, Rests
from kvmlab.show.svg import document, group, line, rect, text

WIDTH = 960
LEFT, RIGHT = 250, WIDTH - 60
TOP, ROW, TALL = 72, 22, 14
NAME, STATUS = 6, 150


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float

    def x(self, value: float) -> float:
        """Return the place of a value of the headline."""
        return LEFT + (RIGHT - LEFT) * (value - self.low) / (self.high - self.low)


def sensitivity_svg(shown: Rests) -> str:
    """Return the picture; it is as high as it has bars. Its alternative text is the foot."""
    scale, low = _scale(shown), TOP + ROW * len(shown.bars) + 6
    body = (
        *_band(shown, scale, low),
        *_head(shown, scale),
        *(part for i, bar in enumerate(shown.bars) for part in _bar(shown, bar, scale, TOP + ROW * i)),
        *_axis(shown, scale, low),
        *foot_svg(shown.foot, low + 30, WIDTH),
    )
    title = f"What {shown.headline.name} rests on"
    return document(WIDTH, low + 74, title, shown.foot, "".join(body))


def _scale(shown: Rests) -> _Scale:
    values = [shown.band.low, shown.band.high, float(shown.value), float(shown.headline.published)]
    values += [float(end) for bar in shown.bars for end in (bar.lower, bar.higher)]
    pad = 0.08 * (max(values) - min(values)) or 1
    return _Scale(min(values) - pad, max(values) + pad)


def _head(shown: Rests, scale: _Scale) -> Iterator[str]:
    yield text(6, 20, f"What “{shown.headline.name}” rests on", big=True, bold=True)
    yield text(WIDTH - 6, 20, shown.headline.sentence, anchor="end")
    yield text(NAME, TOP - 12, "parameter", quiet=True) + text(STATUS, TOP - 12, "how known", quiet=True)
    rest = f"; {shown.others} more matter less" if shown.others else ""
    yield text(scale.x(float(shown.value)), TOP - 10, shown.amount(shown.value), bold=True, anchor="middle")
    yield text(LEFT, 42, f"each parameter by {PERCENT} %: hollow lower, filled higher{rest}", quiet=True)


def _band(shown: Rests, scale: _Scale, low: float) -> Iterator[str]:
    """Yield where nine draws of ten lie, all parameters off at once, and the value itself."""
    left, right = scale.x(shown.band.low), scale.x(shown.band.high)
    yield group(rect(left, TOP - 4, right - left, low - TOP + 4, "quiet", outline=0), opacity=0.15)
    value, published = scale.x(float(shown.value)), scale.x(float(shown.headline.published))
    yield line(value, TOP - 4, value, low, thickness=1)
    yield line(published, TOP - 4, published, low + 5, "dashed")


def _bar(shown: Rests, bar: Bar, scale: _Scale, y: float) -> Iterator[str]:
    yield text(NAME, y + 12, bar.parameter, mono=True) + text(STATUS, y + 12, bar.status.value)
    value = scale.x(float(shown.value))
    ends = []
    for end, role in ((bar.lower, "paper"), (bar.higher, "quiet")):
        left, right = sorted((value, scale.x(float(end))))
        yield rect(left, y + 1, right - left, TALL, role, outline=0)
        for level in (y + 1, y + 1 + TALL):
            yield line(left, level, right, level, KINDS[bar.status])
        yield line(scale.x(float(end)), y + 1, scale.x(float(end)), y + 1 + TALL)
        ends.append((scale.x(float(end)), shown.change(end)))
    (left, lower), (right, higher) = sorted(ends)
    yield _on_paper(left - 5 - width(lower), y, lower) + _on_paper(right + 5, y, higher)


def _on_paper(x: float, y: float, says: str) -> str:
    """Return text that no line runs through."""
    return rect(x - 1, y, width(says) + 2, TALL + 2, outline=0) + text(x, y + 13, says)


def _axis(shown: Rests, scale: _Scale, y: float) -> Iterator[str]:
    """Yield the axis: both ends of the band, and what was published."""
    yield line(LEFT, y, RIGHT, y)
    ends = [(float(end), shown.amount(end)) for end in (shown.band.low, shown.band.high)]
    for value, says in [*ends, (float(shown.headline.published), f"published {shown.published}")]:
        x = scale.x(value)
        yield line(x, y, x, y + 5) + text(x, y + 19, says, anchor="middle")
