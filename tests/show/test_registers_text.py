"""The registers in words: the line, the foot, the twin; and the grid as data, which twin and picture tell."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kvmlab.processor import priority
from kvmlab.processor.vectors import members
from kvmlab.show.registers import Moment, Registers
from kvmlab.show.registers_foot import foot
from kvmlab.show.registers_grid import bands, lanes, reach
from kvmlab.show.registers_text import line, registers_text
from tests.show.register_values import CROWDED, MOMENTS, SETS, vectors

FEW = settings(max_examples=50)


def flat(twin: str) -> str:
    """Return a twin as one line."""
    return " ".join(twin.split())


# --- the words --------------------------------------------------------------------------------


def test_the_line() -> None:
    """Units apart by a bar, sets in braces, numbers in hexadecimal from 2 on."""
    shown = Registers(
        irr=vectors(0x31, 0x40), isr=0, ppr=0x20, pir=vectors(0x31), on=1, sn=0, nv=0xF2, ndst=0, rvi=0x31
    )
    assert line(Moment(shown)) == (
        "IRR {0x31 0x40} ISR {} PPR 0x20 | PIR {0x31} ON 1 SN 0 NV 0xf2 NDST 0 | RVI 0x31"
    )


@FEW
@given(MOMENTS)
@example(CROWDED)
def test_the_line_can_be_read_back(moment: Moment) -> None:
    """Nothing is left out of it: the words give the values again, and units stay together."""
    read = {}
    for name, value in re.findall(r"(\w+) (\{.*?\}|\S+)", line(moment)):
        is_set = value.startswith("{")
        read[name.lower()] = vectors(*(int(v, 16) for v in value[1:-1].split())) if is_set else int(value, 16)
    assert Registers(**read) == moment.now
    assert line(moment).count("|") == len({reading.register.unit for reading in moment.readings}) - 1


@pytest.mark.parametrize(
    "now, says",
    [
        (Registers(nv=0xF2), "No set of vectors is looked at."),
        (Registers(irr=0), "Nothing is pending."),
        (Registers(pir=0, on=0, virr=0, visr=0), "Nothing is posted, pending or in service."),
        (Registers(pir=vectors(0x31), on=1, irr=0), "0x31 is posted, ON=1; nothing is pending."),
        (Registers(pir=vectors(0x31, 0x32), on=0, sn=1), "0x32 and 0x31 are posted, ON=0, SN=1."),
        (Registers(irr=vectors(0x31), ppr=0x20), "0x31 is pending, above PPR 0x20."),
        (Registers(irr=vectors(0x31), ppr=0x3F), "0x31 is pending, held back by PPR 0x3f."),
        (
            Registers(virr=vectors(0x31, 0x41, 0x22), visr=vectors(0x35), vppr=0x30, rvi=0x41),
            "0x41 and 2 more are pending, 0x41 above VPPR 0x30; 0x35 is in service.",
        ),
        (Registers(pir=0, on=1), "Nothing is posted, but ON=1."),
        (
            Registers(irr=vectors(0x31, 0x41), isr=vectors(0x45), ppr=0x40),
            "0x41 and 0x31 are pending, held back by PPR 0x40; 0x45 is in service.",
        ),
        (Registers(irr=vectors(0x31), rvi=0), "0x31 is pending, but RVI is 0, and RVI decides."),
        (Registers(virr=vectors(0x31), rvi=0), "0x31 is pending, but RVI is 0, and RVI decides."),
        (Registers(virr=0, rvi=0x31), "Nothing is pending, but RVI is 0x31, and RVI decides."),
    ],
)
def test_the_foot(now: Registers, says: str) -> None:
    """What is posted, pending, in service; what holds it back; what does not fit together."""
    assert foot(Moment(now)) == says


@FEW
@given(MOMENTS)
@example(CROWDED)
def test_the_foot_names_the_most_urgent(moment: Moment) -> None:
    """One short sentence; of every state that holds something it names the highest vector."""
    said = foot(moment)
    assert said.endswith(".") and said.count(".") == 1 and len(said) < 200
    for state in ("posted", "pending", "in service"):
        found = [max(members(r.value)) for r in moment.readings if r.register.says == state and r.value]
        named = re.findall(rf"(0x\w+)(?: and (?:\S+|\d+ more) are| is) {state}", said[0].lower() + said[1:])
        assert named == ([f"{max(found):#x}"] if found else [])


@FEW
@given(MOMENTS)
@example(CROWDED)
def test_the_twin_ends_in_the_foot(moment: Moment) -> None:
    """At most 80 columns; the line is in it, the foot last; the grid is in it where it is open."""
    for grid in (False, True):
        twin = registers_text(moment, grid)
        assert max(map(len, twin.splitlines())) <= 80
        assert line(moment) in flat(twin) and flat(twin).endswith(foot(moment))
        assert ("other classes: none" in twin or "none in any class" in twin) == grid


@FEW
@given(MOMENTS)
@example(CROWDED)
def test_the_twin_says_what_has_changed(moment: Moment) -> None:
    """Every changed register with its value before, and no other."""
    news = [f"{r.register.name} {r.before}" for r in moment.readings if r.was is not None]
    said = flat(registers_text(moment)).partition("just changed: ")[2].removesuffix(foot(moment)).strip()
    assert said == ", ".join(news)


# --- the grid ---------------------------------------------------------------------------------


@FEW
@given(MOMENTS)
@example(CROWDED)
def test_every_set_bit_is_in_the_grid_once_and_only_once(moment: Moment) -> None:
    """What the bands hold is what the registers hold, each vector in the band of its class."""
    spots = [(band.number, spot) for band in bands(moment) for spot in band.spots]
    drawn = [(spot.register, spot.vector) for _, spot in spots if spot.is_set]
    held = [(r, vector) for r in SETS for vector in members(moment.now.value(r) or 0)]
    assert sorted(drawn, key=str) == sorted(held, key=str)
    assert all(number == spot.vector // 16 for number, spot in spots)


@FEW
@given(MOMENTS)
@example(CROWDED)
def test_the_twin_of_the_grid_says_every_set_bit_once(moment: Moment) -> None:
    """In words: the vector, what is said of it, the register; the most urgent class first."""
    twin = flat(registers_text(moment, grid=True))
    said = re.findall(r"(0x\w+) (?:just now )?(posted|pending|in service|level-triggered) \((\w+)\)", twin)
    held = [(f"{v:#x}", r.says, r.name) for r in SETS for v in members(moment.now.value(r) or 0)]
    assert sorted(said) == sorted(held)
    classes = [int(number, 16) for number in re.findall(r"class (\w)(?:, held back)?:", twin)]
    assert classes == sorted(set(classes), reverse=True)


@FEW
@given(MOMENTS)
def test_the_grid_marks_what_came_and_what_went(moment: Moment) -> None:
    """A spot is marked exactly if its bit differs from the one before; one that went is still a spot."""
    marked = {
        (spot.register, spot.vector, spot.is_set)
        for band in bands(moment)
        for spot in band.spots
        if spot.changed
    }
    differs = set()
    for reading in moment.readings:
        if reading.register.says and reading.was is not None:
            for vector in members(reading.value ^ reading.was):
                differs.add((reading.register, vector, bool(reading.value >> vector & 1)))
    assert marked == differs


@given(st.integers(0, 255))
def test_the_threshold_holds_back_what_it_holds_back(ppr: int) -> None:
    """Vector by vector: its band is held exactly if the processor would not take it at this priority."""
    moment = Moment(Registers(irr=0, ppr=ppr))
    held = {band.first + low for band in bands(moment) if band.held for low in range(16)}
    assert held == {vector for vector in range(256) if not priority.passes(vector, ppr)}
    assert reach(moment).endswith(f"0x00 to {max(held):#04x}")
    assert not any(band.held for band in bands(Moment(Registers(irr=0))))


def test_an_interrupt_falls_through_the_lanes() -> None:
    """Posted above pending above in service, whatever the registers are called."""
    every = Moment(Registers(irr=0, isr=0, tmr=0, pir=0, virr=0, visr=0, vtmr=0))
    names = [lane.register.name for lane in lanes(every)]
    assert names == ["PIR", "IRR", "VIRR", "ISR", "VISR", "TMR", "VTMR"]
