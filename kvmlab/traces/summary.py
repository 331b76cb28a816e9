"""A trace in one dictionary, ready for JSON."""

from typing import TypedDict

from kvmlab.traces.event import Event
from kvmlab.traces.ftrace import Reader, Source
from kvmlab.traces.stat import Pairing


class Summary(TypedDict):
    """What `kvmlab trace FILE --json` prints."""

    events: int
    warnings: list[str]
    unit: str
    exits: dict[str, dict[str, int | float]]


def summary(source: Source) -> Summary:
    """Return how many events a trace holds, what is wrong with it, and its exits by reason.

    `source` is a path or the lines. Times are in `unit`: "ns" (also where the trace had microseconds) or
    "ticks". Raises TraceError if it cannot be read or holds no event.
    """
    reader, pairing, events = Reader(source), Pairing(), 0
    for item in reader:
        events += isinstance(item, Event)
        pairing.feed(item)
    return {
        "events": events,
        "warnings": reader.warnings + pairing.warnings,
        "unit": reader.unit,
        "exits": pairing.row(),
    }
