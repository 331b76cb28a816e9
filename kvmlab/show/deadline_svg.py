"""The picture of Zero at the deadline: left of 0 who has the alarm, right of 0 what its interrupt costs.

Left of 0 nothing is to scale; right of 0 a pixel is so many cycles, the same in both rows. The upper and the
lower edge of a block say how well its number is known. A kernel that goes wrong has its story there instead.
With two rows it is 340 high.
"""

from collections.abc import Iterator
from fractions import Fraction

from kvmlab.schedulers.profile import Status
from kvmlab.show import marks
from kvmlab.show.alarm_svg import HOLLOW, TRACK, alarm_svg, came_svg, given, hollow, laid, tracks_svg
from kvmlab.show.deadline import GUESTS, Cost, DeadlineView, Row, cycles
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.svg import Kind, arrow, document, group, line, rect, text

WIDTH = 960
LEFT, ZERO, END = 124, 280, WIDTH - 24
"""Where the alarm's tracks begin, the deadline, and where the axis ends."""
TOP, PITCH = 50, 112
"""y of the first row, and from one row to the next."""
ALARM, BLOCKS, TALL = 26, 44, 30
"""Where the tracks and the blocks begin below a row's top, and the blocks' height."""
BELOW = 70
"""Height of what is below the rows: axis and foot."""
SCALES = (5, 8, 10, 20)
"""Cycles a pixel: the first one that fits."""
NARROW = 4
"""A stage of fewer pixels has no bound at its left."""
STORY = 330
"""Width of a story's right side."""

KINDS: dict[Status | None, Kind] = {
    Status.MEASURED: "solid",
    Status.ASSUMED: "dashed",
    Status.FITTED: "dotted",
    None: "solid",
}
ROLES = {"host": "other", "guest": "l1"}
"""Stage -> whose code it is; the rest is KVM's or the CPU's."""
WHOSE = {"other": "host", "paper": "KVM, CPU", "l1": "guest"}
"""Role -> what the legend says of it."""
LONG = {"host": "host's interrupt", "exit": "VM exit", "entry": "VM entry"}
"""Stage -> its name where there is room."""


def deadline_svg(shown: DeadlineView) -> str:
    """Return the picture; its alternative text is the foot."""
    scale, low = _scale(shown), TOP + PITCH * len(shown.rows) - 4
    costed = any(row.costs for row in shown.rows)
    body = (
        *_head(shown, costed),
        *(part for i, row in enumerate(shown.rows) for part in _row(row, TOP + PITCH * i, scale)),
        *_bracket(shown, scale),
        *(_axis(scale, low) if costed else (marks.flag(ZERO, 34, low),)),
        *foot_svg(shown.foot, low + BELOW - 44, WIDTH),
    )
    return document(WIDTH, low + BELOW, "Zero at the deadline", shown.foot, "".join(body))


def _scale(shown: DeadlineView) -> int:
    most = max(row.total for row in shown.rows)
    return next((scale for scale in SCALES if most / scale <= END - ZERO), SCALES[-1])


def _x(number: Fraction | int, scale: int) -> float:
    return ZERO + float(number) / scale


HANDLER = "its handler runs"


def _head(shown: DeadlineView, costed: bool) -> Iterator[str]:
    yield text(6, 20, f"Zero at the deadline: the guest {GUESTS[shown.guest]}", big=True, bold=True)
    yield text(ZERO - 8, 46, "not to scale", quiet=True, anchor="end")
    says = "the deadline; cycles from here" if costed else "the deadline, and how it goes on"
    yield text(ZERO + 18, 46, says, quiet=True)
    known = [(s.value, KINDS[s]) for s in (Status.FITTED, Status.ASSUMED, Status.MEASURED)] if costed else []
    x = WIDTH - 6.0
    for words, kind in known:
        x -= width(words)
        yield text(x, 20, words) + _edges(x - 32, 9, 26, 14, kind)
        x -= 50
    if any(one.hv and not one.counts for row in shown.rows for one in row.alarm):
        yield text(x, 20, HOLLOW, anchor="end") + hollow(x - width(HOLLOW) - 32, 16, 26)
    yield from _whose() if costed else given(WIDTH - 6, 46)


def _whose() -> Iterator[str]:
    """Yield what the colours and the square mean, from the right."""
    yield from given(WIDTH - 6, 46, HANDLER)
    x = WIDTH - 6 - width(HANDLER)
    for role, words in reversed(WHOSE.items()):
        x -= width(words) + 36
        yield text(x, 46, words) + rect(x - 20, 35, 14, 12, role, outline=0.5)


def _row(row: Row, y: float, scale: int) -> Iterator[str]:
    yield text(6, y + 12, row.kernel, mono=True, bold=True, room=ZERO - 20)
    yield from tracks_svg(LEFT, ZERO, y + ALARM)
    yield from alarm_svg(laid(row.before, LEFT, ZERO), y + ALARM)
    yield from _story(row, y) if row.broken else _costs(row, y + BLOCKS, scale)


def _costs(row: Row, top: float, scale: int) -> Iterator[str]:
    at = Fraction(0)
    for stage, some in row.stages():
        left = _x(at, scale)
        for cost in some:
            yield _block(cost, _x(at, scale), top, float(cost.cycles) / scale)
            at += cost.cycles
        yield _stage(stage, left, _x(at, scale), top)
    end = _x(at, scale)
    yield from _small(row, top + TALL + 13, scale)
    yield marks.square(end + 10, top + TALL / 2, "delivered")
    yield text(end, top - 24, f"{cycles(row.total)} cycles", bold=True, anchor="end")


def _block(cost: Cost, x: float, y: float, wide: float) -> str:
    ground = rect(x, y, wide, TALL, ROLES.get(cost.stage, "paper"), outline=0)
    edge = line(x, y, x, y + TALL, thickness=0.5)
    number = text(x + wide / 2, y + 20, cycles(cost.cycles), anchor="middle") if _fits(cost, wide) else ""
    edges = _edges(x, y, wide, TALL, KINDS[cost.status])
    return group(ground, edge, edges, number, title=f"{cost.parameter}: {cost.says}")


def _fits(cost: Cost, wide: float) -> bool:
    """Whether a block has room for its number."""
    return wide >= width(cycles(cost.cycles)) + 1


def _small(row: Row, y: float, scale: int) -> Iterator[str]:
    """Yield the numbers that do not fit into their blocks, below them, where they do not meet."""
    at, taken = Fraction(0), 0.0
    for cost in row.costs:
        half = width(cycles(cost.cycles)) / 2
        middle = max(_x(at + cost.cycles / 2, scale), ZERO + half + 3)
        if not _fits(cost, float(cost.cycles) / scale) and middle - half > taken:
            yield text(middle, y, cycles(cost.cycles), quiet=True, anchor="middle")
            taken = middle + half + 2
        at += cost.cycles


def _edges(x: float, y: float, wide: float, tall: float, kind: Kind) -> str:
    return "".join(line(x, level, x + wide, level, kind, thickness=2) for level in (y, y + tall))


def _stage(stage: str, left: float, right: float, top: float) -> str:
    """Bound a stage, and name it if there is room; two bounds of a narrow one would look like an edge."""
    wide = right - left
    ends = "".join(
        line(x, top - 3, x, top + TALL + 3) for x in ((left, right) if wide > NARROW else (right,))
    )
    says = next((name for name in (LONG.get(stage, stage), stage) if width(name) < wide + 4), "")
    return ends + text((left + right) / 2, top - 7, says, anchor="middle")


def _story(row: Row, y: float) -> Iterator[str]:
    """Yield how it goes on behind the deadline, not to scale either, and what is wrong with it."""
    past = [one for one in row.alarm if one.past]
    end = ZERO + max(150.0, min(STORY, 48.0 * len(past)))
    places = laid(past, ZERO, end)
    yield from alarm_svg(places, y + ALARM)
    yield from came_svg(places, y + ALARM - 16)
    middle = y + ALARM + TRACK
    yield marks.cross(end + 26, middle) + text(end + 40, middle + 5, row.broken, big=True, bold=True)
    yield text(end + 40, middle + 24, row.why)
    yield text(end + 40, middle + 43, "behind the deadline not to scale either", quiet=True)


def _bracket(shown: DeadlineView, scale: int) -> Iterator[str]:
    if shown.difference is None or shown.after is None:
        return
    a, b = _x(shown.before.total, scale), _x(shown.after.total, scale)
    y = TOP + PITCH - 10
    yield line(a, TOP + BLOCKS + TALL + 17, a, y + 6, thickness=1)
    yield line(b, y - 6, b, TOP + PITCH + BLOCKS, thickness=1)
    says = shown.gain
    if abs(a - b) > width(says, bold=True) + 16:
        yield arrow(a, y, b, y) + text((a + b) / 2, y - 5, says, bold=True, anchor="middle")
    else:
        left, right = sorted((a, b))
        yield arrow(left - 16, y, left, y) + arrow(right + 16, y, right, y)
        yield text(left - 22, y + 5, says, bold=True, anchor="end")


def _axis(scale: int, y: float) -> Iterator[str]:
    yield marks.flag(ZERO, 34, y)
    yield line(ZERO, y, END, y)
    for n in range(0, int((END - ZERO) * scale) + 1, 500 if scale < 8 else 1000):
        x = _x(n, scale)
        yield line(x, y, x, y + 5) + (text(x, y + 19, str(n), anchor="middle") if x < END - 45 else "")
    yield text(END + 18, y + 19, "cycles", quiet=True, anchor="end")
