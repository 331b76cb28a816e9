"""The countdown in words: the arithmetic line by line, then the foot."""

from collections.abc import Iterator
from textwrap import wrap

from kvmlab.show.countdown import Countdown, mhz

COLUMNS = 80


def countdown_text(shown: Countdown) -> str:
    """Return the arithmetic; its last paragraph is the foot."""
    lines = (f"  {name:<34}{value:>20}" for name, value in _lines(shown))
    return "\n".join(("The countdown", *lines, "", *wrap(shown.foot, COLUMNS)))


def _lines(shown: Countdown) -> Iterator[tuple[str, int | str]]:
    yield "one tick (2^X cycles)", shown.tick
    yield "the most that fits 32 bits", shown.largest
    yield f"... in seconds at {mhz(shown.host_khz)}", shown.seconds
    yield "armed at TSC", shown.armed
    yield "deadline in so many guest cycles", shown.ahead
    if shown.deadline is None:
        return
    yield "... in so many host cycles", shown.deadline - shown.armed
    yield "deadline, host TSC", shown.deadline
    yield "ticks written into the field", shown.ticks
    yield "guest entered at TSC", shown.entry
    yield "fires at TSC", shown.fires
