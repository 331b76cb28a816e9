"""The grid of 256 vectors: a band of 16 per priority class, two to a row, the most urgent on top.

A processor priority stands in it like water: what is below its line is held back. In a band each set has a
lane of its own, so that an interrupt falls from lane to lane on its way from posted to in service. A mark has
the low digit of its vector beside it; the high one is the band's.
"""

from collections.abc import Iterator

from kvmlab.show.marks import SIDE
from kvmlab.show.measure import width
from kvmlab.show.registers import Moment, Reading
from kvmlab.show.registers_grid import CLASSES, WIDE, Band, Spot, bands, lanes, reach
from kvmlab.show.registers_marks import mark, news
from kvmlab.show.svg import group, num, path, rect, text

EDGE, LEFT, CELL, APART = 8.0, 50.0, 25.0, 60.0
"""The picture's edge, that of the first band, a vector, from a band to the one at its right."""
LONG = WIDE * CELL
RIGHT = LEFT + LONG + APART
"""Left edge of the second one."""
END = RIGHT + LONG
HEAD, LANE, GAP, ENTRY = 28.0, 15.0, 8.0, 22.0
"""Heights: the low digits, a lane, what lies between two rows, a line of the legend."""
PAD = 2.0
"""Above the first lane and below the last one."""
ROWS = CLASSES // 2


def grid_height(moment: Moment) -> int:
    """Return how much room the grid and its legend take."""
    return round(HEAD + ROWS * _pitch(moment) + 12 + ENTRY * len(_legend_rows(moment)))


def grid_svg(moment: Moment, y: float) -> str:
    """Return the grid with its legend, its upper edge at ``y``."""
    top = y + HEAD
    drawn = (_band(moment, band, *_corner(moment, band.number, top)) for band in bands(moment))
    level = moment.threshold
    water = _water(moment, level, top) if level else ""
    return group(_digits(y + HEAD - 8), *drawn, water, _legend(moment, top + ROWS * _pitch(moment) + 12))


def _pitch(moment: Moment) -> float:
    return _high(moment) + GAP


def _high(moment: Moment) -> float:
    """Return the height of a band."""
    return LANE * max(len(lanes(moment)), 1) + 2 * PAD


def _corner(moment: Moment, number: int, top: float) -> tuple[float, float]:
    """Return the upper left corner of a class's band."""
    return (RIGHT if number % 2 else LEFT), top + (ROWS - 1 - number // 2) * _pitch(moment)


def _digits(y: float) -> str:
    """Draw the low digit above each column."""
    places = ((x + CELL * (low + 0.5), f"{low:x}") for x in (LEFT, RIGHT) for low in range(WIDE))
    return "".join(text(x, y, digit, mono=True, quiet=True, anchor="middle") for x, digit in places)


def _band(moment: Moment, band: Band, x: float, y: float) -> str:
    """Draw a class: its first vector, its cells, what is in them, grey if it is held back."""
    high = _high(moment)
    low, busy = y + high / 2 + 4.5, bool(band.spots)
    label = text(x - 8, low, f"{band.first:#04x}", mono=True, bold=busy, anchor="end")
    water = group(rect(x, y, LONG, high, "quiet", outline=0), opacity=0.16) if band.held else ""
    cells = "".join(f"M{num(x + CELL * n)} {num(y)}v{num(high)}" for n in range(1, WIDE))
    frame = f"M{num(x)} {num(y)}h{num(LONG)}v{num(high)}h{num(-LONG)}z"
    hairs = group(path(cells, thickness=1, tone="quiet"), opacity=0.3)
    lines = hairs + path(frame, thickness=1, tone="quiet")
    lane = {reading.register: y + PAD + LANE * i for i, reading in enumerate(lanes(moment))}
    spots = (_spot(spot, x + CELL * (spot.vector % WIDE), lane[spot.register]) for spot in band.spots)
    return group(water, lines, label, *spots)


def _spot(spot: Spot, x: float, y: float) -> str:
    """Draw a vector in its lane: the low digit and the mark; what has just gone leaves its digit."""
    ground = news(x + 1, y, CELL - 2, LANE - 2) if spot.changed else ""
    digit = text(x + 1.5, y + 12, f"{spot.vector % WIDE:x}", mono=True)
    shape = mark(spot.register.says, x + CELL - SIDE / 2 - 1.5, y + LANE / 2) if spot.is_set else ""
    return group(ground, digit, shape, title=spot.phrase)


def _water(moment: Moment, level: Reading, top: float) -> str:
    """Draw the line above all that is held back, and its name at its right end."""
    highest = max(band.number for band in bands(moment) if band.held)
    high, half = _corner(moment, highest, top)[1] - GAP / 2, LEFT + LONG + 10
    low = high + (_pitch(moment) if highest % 2 == 0 else 0)
    way = f"M{num(EDGE)} {num(high)}H{num(half)}V{num(low)}H{num(END + 44)}"
    x, name = END + 6, level.register.name
    ground = news(x - 2, low + 4, width(level.text, mono=True) + 4, 17) if level.was is not None else ""
    named = text(x, low - 6, name, bold=True) + ground + text(x, low + 17, level.text, mono=True)
    return path(way, thickness=3) + named


# The legend.


def _entries(moment: Moment) -> Iterator[tuple[str, str]]:
    """Yield what is explained, and in which words."""
    for lane in lanes(moment):
        yield lane.register.says, f"{lane.register.says} ({lane.register.name})"
    yield "changed", "has just changed; without a mark: has left"
    if words := reach(moment):
        yield "held", words


def _legend_rows(moment: Moment) -> list[list[tuple[str, str]]]:
    rows: list[list[tuple[str, str]]] = [[]]
    for entry in _entries(moment):
        if sum(_room(words) for _, words in [*rows[-1], entry]) > END:
            rows.append([])
        rows[-1].append(entry)
    return rows


def _room(words: str) -> float:
    return SIDE + 8 + width(words) + 20


def _legend(moment: Moment, y: float) -> str:
    """Draw the meaning of the marks, those of the lanes from top to bottom."""
    out = []
    for n, row in enumerate(_legend_rows(moment)):
        x, low = EDGE, y + 14 + ENTRY * n
        for what, words in row:
            out.append(_sample(what, x + SIDE / 2, low - 4.5) + text(x + SIDE + 8, low, words))
            x += _room(words)
    return group(*out)


def _sample(what: str, x: float, y: float) -> str:
    if what == "changed":
        return news(x - SIDE / 2, y - 6, SIDE, 12)
    if what == "held":
        return group(rect(x - 6, y - 6, 12, 12, "quiet", outline=0), opacity=0.16) + rect(
            x - 6, y - 7, 12, 3, "ink", outline=0
        )
    return mark(what, x, y)
