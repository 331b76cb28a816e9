"""The picture of a tower: nested boxes, the running one outlined thick; the CPU's one slot; the drawer.

Levels run up: level 0, the outermost box, has its name at the bottom, beside the CPU that it owns. A card is
drawn where it lies: in the slot, in level 0's drawer (dashed), or at the hypervisor that fills it in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kvmlab.show import marks
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.svg import Kind, arrow, document, group, line, rect, text
from kvmlab.show.theme import level as role
from kvmlab.show.tower import HYPERVISOR, Card, Floor, Tower

WIDTH, HEIGHT = 960, 320
TOP, BOTTOM = 44.0, 280.0
"""Upper and lower edge of the stage."""
LEFT, RIGHT, INSET = 6.0, 386.0, 6.0
"""Edges of level 0's box, and how much smaller the box of each further level is, on either side."""
TALLEST = 76.0
CARD, THIN = 88.0, 24.0
"""Width of a card that lies with its owner, and its height."""
CPU, CPU_TOP, CPU_END = 412.0, 208.0, 676.0
DRAWER_TOP, DRAWER_LOW = 62.0, 190.0
SLOT = CPU_END - 136
"""Left edge of the slot."""
BIG_CARD, THICK = 124.0, 44.0
"""The same of a card in the slot or in level 0's drawer."""
DIAMOND = CPU + 22
WAITS = BOTTOM - 15
"""The place of an interrupt that waits at the CPU."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card lies: the middle of its box, and half of its size."""

    x: float
    y: float
    w: float
    h: float

    @property
    def left(self) -> float:
        """The left edge."""
        return self.x - self.w

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def top(self) -> float:
        """The upper edge."""
        return self.y - self.h

    @property
    def low(self) -> float:
        """The lower edge."""
        return self.y + self.h


def tower_svg(seen: Tower, title: str = "Levels") -> str:
    """Return the picture; its alternative text is the foot."""
    body = (
        text(LEFT, 22, title, big=True, bold=True),
        *stage(seen),
        *foot_svg(seen.foot, HEIGHT - 34, WIDTH),
    )
    return document(WIDTH, HEIGHT, title, seen.foot, "".join(body))


def stage(seen: Tower) -> Iterator[str]:
    """Yield boxes, CPU and drawer, for whoever puts something around them."""
    for floor in seen.floors:
        yield from _box(seen, floor)
    yield from _cpu(seen)
    yield from _drawer(seen)


def pitch(floors: int) -> float:
    """Return how much room a level's own line has."""
    return min(TALLEST, (BOTTOM - TOP - (INSET - 1) * (floors - 1)) / floors)


def y_of(floors: int, level: int) -> float:
    """Return the middle of a level's line."""
    return BOTTOM - pitch(floors) * (level + 0.5)


def note_end(seen: Tower, level: int) -> float:
    """Return the right end of what is said of a level."""
    floor = seen.floors[level]
    return LEFT + INSET * level + 46 + width(floor.who) + width(floor.note, mono=True)


def place(seen: Tower, card: Card) -> Place:
    """Return where a card lies."""
    n = len(seen.floors)
    if card.owner:
        right = RIGHT - INSET * (n - 2) - 10
        by = CARD + 12 if not card.loaded else 0
        return Place(right - CARD / 2 - by, y_of(n, card.owner), CARD / 2, THIN / 2)
    if card.loaded:
        return Place(SLOT + BIG_CARD / 2, (CPU_TOP + BOTTOM) / 2, BIG_CARD / 2, THICK / 2)
    at = [c.guest for c in seen.floors[0].drawer].index(card.guest)
    x, y = CPU + 4 + BIG_CARD / 2 + (BIG_CARD + 8) * (at % 2), DRAWER_TOP + 38 + (THICK + 8) * (at // 2)
    return Place(x, y, BIG_CARD / 2, THICK / 2)


# Boxes.


def _box(seen: Tower, floor: Floor) -> Iterator[str]:
    n, at = len(seen.floors), floor.level
    dim = floor.who == HYPERVISOR and not floor.running  # No KVM: its outline is quiet.
    x, w = LEFT + INSET * at, RIGHT - LEFT - 2 * INSET * at
    top = BOTTOM - n * pitch(n) - (INSET - 1) * (n - 1 - at)
    outline, tone = 4 if floor.running else 1.5, "quiet" if dim else "ink"
    yield rect(x, top, w, BOTTOM - pitch(n) * at - top, role(at), outline=outline, tone=tone, r=4)
    y = y_of(n, at) + 5
    yield text(x + 10, y, floor.name, bold=not dim)
    yield text(x + 36, y, floor.who)
    yield text(x + 46 + width(floor.who), y, floor.note, mono=True)
    if at:
        left = [card for card in floor.drawer if card.wish][:1]  # There is room for one.
        yield from (_thin(seen, card) for card in (*left, floor.slot) if card)


def _thin(seen: Tower, card: Card) -> str:
    """A card that its owner keeps in memory."""
    at = place(seen, card)
    box = rect(at.left, at.top, CARD, THIN, kind="solid" if card.loaded else "dashed", r=3)
    wish = marks.wish(at.right - 13, at.y, kept=card.kept) if card.wish else ""
    return group(box, text(at.left + 8, at.y + 5, card.name, mono=True), wish, title=card.says)


# The CPU and the drawer.


def _cpu(seen: Tower) -> Iterator[str]:
    slot = seen.floors[0].slot
    yield rect(CPU, CPU_TOP, CPU_END - CPU, BOTTOM - CPU_TOP, outline=2, r=6)
    yield text(CPU + 10, CPU_TOP + 18, "CPU", bold=True) + text(CPU + 44, CPU_TOP + 18, "one slot")
    if seen.ipi:
        yield from _ipi(seen)
    yield group(
        rect(SLOT - 6, CPU_TOP + 8, BIG_CARD + 12, BOTTOM - CPU_TOP - 16, "quiet", outline=0), opacity=0.4
    )
    if slot:
        yield _thick(seen, slot)


def _ipi(seen: Tower) -> Iterator[str]:
    """An interrupt for the CPU itself; one that is under way has not reached it."""
    y, state = WAITS, seen.ipi_state
    yield marks.diamond(DIAMOND, y, "taken" if state == "taken" else "pending")
    yield text(DIAMOND + 14, y + 5, seen.ipi, mono=True)
    if state == "under way":
        yield arrow(CPU - 24, y, DIAMOND - 9, y, "dashed")
    else:
        yield text(DIAMOND + 52, y + 5, "taken" if state == "taken" else "", quiet=True)


def _drawer(seen: Tower) -> Iterator[str]:
    yield text(CPU + 4, DRAWER_TOP + 2, "in L0's drawer, unseen by the entry", quiet=True)
    low = DRAWER_LOW + 6
    yield line(CPU - 6, DRAWER_TOP + 10, CPU - 6, low, tone="quiet", thickness=2)
    yield line(CPU - 6, low, CPU_END + 6, low, tone="quiet", thickness=2)
    yield line(CPU_END + 6, DRAWER_TOP + 10, CPU_END + 6, low, tone="quiet", thickness=2)
    yield from (_thick(seen, card) for card in seen.floors[0].drawer)


def _thick(seen: Tower, card: Card) -> str:
    """A card of level 0: its name, what the kernel calls it, and its wish."""
    at = place(seen, card)
    kind: Kind = "solid" if card.loaded else "dashed"
    box = rect(at.left, at.top, BIG_CARD, THICK, outline=2 if card.loaded else 1.5, kind=kind, r=4)
    name = text(at.left + 8, at.top + 17, card.name, mono=True, bold=card.loaded)
    relative = text(at.right - 8, at.top + 17, card.relative, quiet=True, anchor="end")
    return group(box, name, relative, _wish(card, at), title=card.says)


def _wish(card: Card, at: Place) -> str:
    if not card.wish:
        return text(at.left + 8, at.low - 9, "no wish", quiet=True)
    words = "kept" if card.kept else card.wish
    return marks.wish(at.left + 15, at.low - 13, kept=card.kept) + text(
        at.left + 28, at.low - 9, words, bold=True
    )
