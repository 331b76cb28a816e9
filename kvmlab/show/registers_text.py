"""The registers as text: one line, and the text twin, with the grid in words where it is open."""

from collections.abc import Iterator
from textwrap import wrap

from kvmlab.show.registers import Moment
from kvmlab.show.registers_foot import foot
from kvmlab.show.registers_grid import Band, bands, reach

COLUMNS = 80
TITLE = "Interrupt registers"


def line(moment: Moment) -> str:
    """Return the registers on one line: ``IRR {0x31} ISR {} PPR 0x20 | PIR {0x31} ON 1 | RVI 0x31``."""
    return " | ".join(
        " ".join(f"{reading.register.name} {reading.text}" for reading in unit) for unit in moment.units
    )


def registers_text(moment: Moment, grid: bool = False) -> str:
    """Return the text twin, which ends in the foot."""
    end = _lines(foot(moment), "")
    return "\n".join((TITLE, *_lines(line(moment)), *_changes(moment), *_grid(moment, grid), "", *end))


def _lines(text: str, indent: str = "  ") -> list[str]:
    return wrap(text, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _changes(moment: Moment) -> list[str]:
    news = [f"{r.register.name} {r.before}" for r in moment.readings if r.was is not None]
    return _lines(f"just changed: {', '.join(news)}") if news else []


def _grid(moment: Moment, grid: bool) -> Iterator[str]:
    """Yield a paragraph per class that has something in it, the most urgent first."""
    if not grid:
        return
    yield ""
    busy = [band for band in bands(moment) if band.spots]
    for band in busy:
        yield from _lines(_class(band))
    yield "the other classes: none" if busy else "none in any class"
    if words := reach(moment):
        yield words


def _class(band: Band) -> str:
    held = ", held back" if band.held else ""
    return f"class {band.number:x}{held}: {', '.join(spot.phrase for spot in band.spots)}"
