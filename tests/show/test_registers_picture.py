"""The picture of the registers, read as a learner reads it: by rows, columns and marks."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from pictures import SVG, Words, alternative, overlaps, size, words

from kvmlab.processor import priority
from kvmlab.processor.vectors import members
from kvmlab.show.registers import Moment, Registers
from kvmlab.show.registers_foot import foot
from kvmlab.show.registers_grid import bands
from kvmlab.show.registers_svg import registers_svg
from kvmlab.show.registers_text import registers_text
from tests.show.register_values import CROWDED, MOMENTS, SETS, vectors

FEW = settings(max_examples=15)

STATES = {"posted": "posted", "pending": "pending", "delivered": "in service"}
"""What a square's title says -> what a register says."""

CROSSING = Moment(Registers(**{register.field: vectors(0x22, 0x31, 0xEF) for register in SETS}))
"""The same three vectors in every set."""


BUSY = Moment(
    Registers(virr=vectors(0x22, 0x31), visr=vectors(0x25), vtmr=vectors(0x22), vppr=0x20, pir=0, on=0),
    Registers(virr=vectors(0x22, 0x25), visr=0, vtmr=0, vppr=0, pir=vectors(0x31), on=1),
)
"""All of it has just changed: bits came, went and stayed, the threshold rose."""


class Grid:
    """A picture as a learner reads it: the digits above, the first vectors at the left, the marks."""

    def __init__(self, svg: str) -> None:
        self.root = ElementTree.fromstring(svg)
        said = words(svg)
        heads = [y for y, n in Counter(w.y for w in said if _digit(w)).items() if n >= 32]
        self.low = [w for w in said if _digit(w) and w.y == min(heads)]
        below = (w for w in said if w.y > min(heads) and re.fullmatch("0x[0-9a-f]0", w.says))
        self.bands = [w for w in below if round(w.right) in (42, 502)]

    def vector(self, x: float, y: float) -> int:
        """Return the vector of a place: the first vector nearest at its left, the digit nearest above."""
        column = max(w.right for w in self.bands if w.right < x)
        band = min((w for w in self.bands if w.right == column), key=lambda w: abs(w.y - 4.5 - y))
        digit = min(self.low, key=lambda w: abs((w.left + w.right) / 2 - x))
        return int(band.says, 16) + int(digit.says, 16)

    def spots(self) -> Iterator[tuple[str, ElementTree.Element]]:
        """Yield what stands in the cells, with its title."""
        for node in self.root.iter(f"{SVG}g"):
            title = node.findtext(f"{SVG}title", "")
            if title.startswith("0x"):
                yield title, node


def _digit(word: Words) -> bool:
    return len(word.says) == 1 and word.says in "0123456789abcdef"


def squares(node: ElementTree.Element) -> list[tuple[str, float, float]]:
    """Return the squares in a group: what each says, and its centre."""
    found = []
    for inner in node.iter(f"{SVG}g"):
        kind, box = inner.findtext(f"{SVG}title", "").partition("guest: ")[2], inner.find(f"{SVG}rect")
        if kind and box is not None:
            x, y, side = (float(box.get(key, "")) for key in ("x", "y", "width"))
            found.append((STATES[kind], x + side / 2, y + side / 2))
    return found


def veils(node: ElementTree.Element) -> Iterator[tuple[float, float, float]]:
    """Yield left edge, upper edge and height of what is grey in the grid."""
    for group in node.iter(f"{SVG}g"):
        for rect in group.findall(f"{SVG}rect") if group.get("opacity") else ():
            if float(rect.get("width", "")) > 100:
                yield float(rect.get("x", "")), float(rect.get("y", "")), float(rect.get("height", ""))


def yellow(node: ElementTree.Element) -> int:
    """Return how much in a group is marked as changed."""
    return sum(rect.get("class") == "kvmlab-changed" for rect in node.iter(f"{SVG}rect"))


@FEW
@given(MOMENTS)
@example(BUSY)
@example(CROSSING)
def test_every_set_bit_is_drawn_once_where_a_learner_looks_for_it(moment: Moment) -> None:
    """Read off rows and columns, the marks are the bits of the registers: no more, no fewer."""
    grid, drawn = Grid(registers_svg(moment, grid=True)), []
    for _, node in grid.spots():
        drawn += [(grid.vector(x, y), says) for says, x, y in squares(node)]
    sets = [register for register in SETS if register.says != "level-triggered"]
    held = [(v, r.says) for r in sets for v in members(moment.now.value(r) or 0)]
    assert Counter(drawn) == Counter(held)
    assert len(grid.low) == 32 and len(grid.bands) == 16


@FEW
@given(MOMENTS)
@example(CROSSING)
@example(CROWDED)
def test_a_set_on_the_line_counts_what_it_leaves_out(moment: Moment) -> None:
    """The most urgent vectors, each behind its mark, then the number of the lower ones."""
    shown = {
        node[0].text: node
        for node in ElementTree.fromstring(registers_svg(moment)).iter(f"{SVG}g")
        if len(node)
    }
    for register in (reading.register for reading in moment.readings if reading.register.says):
        said = [word.text or "" for word in shown[register.name].findall(f"{SVG}text")]
        left_out = sum(int(word.split()[0]) for word in said if word.endswith(" lower"))
        held = [f"{vector:#x}" for vector in members(moment.now.value(register) or 0)]
        assert [word for word in said if word.startswith("0x")] == held[left_out:]
        marks = {says for says, _, _ in squares(shown[register.name])}
        assert marks == ({register.says} if held and register.says in STATES.values() else set())


@FEW
@given(MOMENTS)
@example(BUSY)
def test_the_picture_says_what_the_twin_says(moment: Moment) -> None:
    """The same phrases in both, and the same sentence at the end; closed, the picture has no spots."""
    open_, twin = registers_svg(moment, grid=True), " ".join(registers_text(moment, grid=True).split())
    phrases = [title for title, _ in Grid(open_).spots()]
    assert len(phrases) == len(set(phrases)) and all(f" {phrase}" in twin for phrase in phrases)
    assert len(re.findall(r"0x\w+ (?:just now |no longer )?[a-z -]+ \(V?[A-Z]+\)", twin)) == len(phrases)
    closed = ElementTree.fromstring(registers_svg(moment))
    assert not any(n.findtext(f"{SVG}title", "").startswith("0x") for n in closed.iter(f"{SVG}g"))


@FEW
@given(MOMENTS)
@example(CROSSING)
def test_no_word_is_over_the_edge_or_over_another(moment: Moment) -> None:
    """In the widest font, open and closed; the alternative text is the foot, and the foot is drawn."""
    for grid in (False, True):
        svg = registers_svg(moment, grid)
        wide, high = size(svg)
        assert overlaps(svg) == []
        assert all(0 <= w.left and w.right <= wide and w.y <= high - 6 for w in words(svg))
        assert alternative(svg) == foot(moment)
        last = [w.says for w in words(svg)]
        assert any(" ".join(last[-n:]) == foot(moment) for n in (1, 2))


def test_even_the_fullest_has_no_word_over_another() -> None:
    """All bits of all registers, all of them changed."""
    svg = registers_svg(CROWDED)
    assert overlaps(svg) == [] and max(w.right for w in words(svg)) <= size(svg)[0]


@FEW
@given(MOMENTS)
@example(BUSY)
def test_what_has_just_changed_is_marked(moment: Moment) -> None:
    """On the line each changed register once, with what it was; in the grid each bit that came or went."""
    changed = [reading for reading in moment.readings if reading.was is not None]
    line = ElementTree.fromstring(registers_svg(moment))
    assert yellow(line) == len(changed)
    assert sum(w.says.startswith("was ") for w in words(registers_svg(moment))) == len(changed)
    grid = Grid(registers_svg(moment, grid=True))
    spots = [spot for band in bands(moment) for spot in band.spots if spot.changed]
    again = moment.threshold is not None and moment.threshold.was is not None
    assert yellow(grid.root) == len(changed) + len(spots) + again + len(["in the legend"])
    for title, node in grid.spots():
        assert yellow(node) == ("just now" in title or "no longer" in title)
        assert bool(squares(node)) == ("no longer" not in title and "level" not in title)


@pytest.mark.parametrize("ppr", range(0, 256, 16))
@pytest.mark.parametrize("name", ["ppr", "vppr"])
def test_what_is_held_back_lies_below_the_line(ppr: int, name: str) -> None:
    """Band by band: grey and below the thick line exactly if the processor would not take its vectors."""
    svg = registers_svg(Moment(Registers(irr=0, **{name: ppr})), grid=True)
    grid = Grid(svg)
    water = [p.get("d", "") for p in grid.root.iter(f"{SVG}path") if p.get("stroke-width") == "3"]
    left, half, right = map(float, re.fullmatch(r"M8 (\S+)H(\S+)V(\S+)H\S+", *water).groups())  # type: ignore
    grey = {grid.vector(x + 10, y + high / 2) for x, y, high in veils(grid.root)}
    for band in grid.bands:
        assert (int(band.says, 16) in grey) == (not priority.passes(int(band.says, 16), ppr))
        low = (left if band.right < half else right) < band.y - 4.5
        assert low == (not priority.passes(int(band.says, 16), ppr))
    assert [w.says for w in words(svg)].count(name.upper()) == 2


@FEW
@given(MOMENTS)
def test_a_register_stays_where_it_is(one: Moment) -> None:
    """Where a name stands depends on what is looked at, not on what is in it (but for a long NDST)."""
    if one.was is None or one.now.ndst:
        return
    names = {reading.register.name for reading in one.readings}
    first, second = (
        [(w.says, w.left, w.y) for w in words(registers_svg(Moment(now))) if w.says in names]
        for now in (one.now, replace(one.was, ndst=one.now.ndst))
    )
    assert first == second


def test_the_legend_explains_what_is_there() -> None:
    """Every set by its name and meaning, the change, the threshold; none that is not looked at."""
    said = [w.says for w in words(registers_svg(Moment(Registers(irr=0, pir=0, ppr=0x20)), grid=True))]
    for entry in ("posted (PIR)", "pending (IRR)", "held back by PPR 0x20: 0x00 to 0x2f"):
        assert entry in said
    assert not any("ISR" in words or "TMR" in words for words in said)
