"""The picture of the map: a hexagon of orders, two cuts through it, the patch from corner to corner."""

from collections.abc import Iterator

from kvmlab.show import marks
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.order_map import Corner, OrderMap
from kvmlab.show.svg import arrow, document, line, rect, text
from kvmlab.show.tried import WHO, Tried

WIDTH, HEIGHT = 960, 448
BOX, TALL = 268, 74
CHIPS = (138, 104)
"""How wide the verdicts are: software's, VT-d's."""
MIDDLE, LEVEL = WIDTH / 2, 200
"""x and y of the centre."""
ACROSS = 300
PLACES = ((0, 156), (-ACROSS, 76), (-ACROSS, -76), (0, -156), (ACROSS, -76), (ACROSS, 76))
"""The corners clockwise from the bottom, as seen from the centre."""

AFTER = {"irq_off": "sync after IRQ_OFF", "mode": "sync after MODE_IN"}
SAFE = {"irq_off": "VT-d is safe", "mode": "above both: software is safe"}
"""What the good side of each cut is, and what that is good for."""


def order_map_svg(shown: OrderMap) -> str:
    """Return the map; its alternative text is the foot."""
    body = (*_edges(), *_cuts(), *_patch(shown), *_corners(shown), *foot_svg(shown.foot, HEIGHT - 44, WIDTH))
    return document(WIDTH, HEIGHT, "The map of orders", shown.foot, "".join(body))


def at(n: int) -> tuple[float, float]:
    """Return the centre of a corner's box."""
    x, y = PLACES[n % len(PLACES)]
    return MIDDLE + x, LEVEL + y


def _edges() -> Iterator[str]:
    for n in range(len(PLACES)):
        yield line(*at(n), *at(n + 1))


def _cuts() -> Iterator[str]:
    yield line(6, LEVEL, WIDTH - 6, LEVEL, tone="quiet", thickness=2)
    x = MIDDLE - ACROSS + 12
    yield text(x, LEVEL - 9, f"{AFTER['irq_off']}:", bold=True)
    yield text(x + width(AFTER["irq_off"] + ": ", bold=True), LEVEL - 9, SAFE["irq_off"])
    yield text(x, LEVEL + 19, "sync before IRQ_OFF", quiet=True)
    (x1, y1), (x2, y2) = _between(2, 3), _between(5, 6)
    dx, dy = (x2 - x1) * 0.3, (y2 - y1) * 0.3
    yield line(x1 - dx, y1 - dy, x2 + dx, y2 + dy, tone="quiet", thickness=2)
    yield text(x2 + dx + 10, y2 + dy - 20, AFTER["mode"], bold=True)
    yield text(x2 + dx + 10, y2 + dy - 3, SAFE["mode"])
    yield text(x1 - dx - 10, y1 - dy + 12, "sync before MODE_IN", quiet=True, anchor="end")


def _between(a: int, b: int) -> tuple[float, float]:
    (x1, y1), (x2, y2) = at(a), at(b)
    return (x1 + x2) / 2, (y1 + y2) / 2


def _patch(shown: OrderMap) -> Iterator[str]:
    (x, low), (_, high) = at(0), at(3)
    yield arrow(x, low - TALL / 2, x, high + TALL / 2, thickness=2)
    yield rect(x + 8, LEVEL - 40, 76, 36, outline=0)
    yield text(x + 10, LEVEL - 26, "b95234c:", bold=True)
    yield text(x + 10, LEVEL - 10, "two moves")


def _corners(shown: OrderMap) -> Iterator[str]:
    for n, corner in enumerate(shown.corners):
        x, y = at(n)
        yield from _box(corner, x - BOX / 2, y - TALL / 2, chosen=n == shown.at)


def _box(corner: Corner, x: float, y: float, *, chosen: bool) -> Iterator[str]:
    yield rect(x, y, BOX, TALL, outline=4 if chosen else 1.5, r=4)
    yield text(x + 10, y + 19, corner.name, mono=True, bold=True)
    yield text(x + 10, y + 36, corner.kernel or "no kernel", mono=bool(corner.kernel), quiet=True)
    left = x + 10
    for found, wide in zip(corner.verdicts, CHIPS, strict=True):
        yield from _verdict(found, left, y + 44, wide)
        left += wide + 6


def _verdict(found: Tried, x: float, y: float, wide: float) -> Iterator[str]:
    """Yield one sender's verdict: its sign, its word, and a ground that is no paper if it loses."""
    yield rect(x, y, wide, 22, "paper" if found.holds else "wrong", r=2)
    yield marks.check(x + 11, y + 11) if found.holds else marks.cross(x + 11, y + 11)
    words = f"{WHO[found.sender]} {'ok' if found.holds else 'LOST'}"
    yield text(x + 21, y + 16, words, bold=not found.holds)
