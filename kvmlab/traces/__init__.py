"""Traces: one event schema for simulated and real runs, ftrace text in and out, statistics.

Knows nothing of the model; the standard library is enough.
"""

from kvmlab.traces.dialect import Dialect
from kvmlab.traces.errors import TraceError
from kvmlab.traces.event import Broken, Comment, Event, Item, Lost
from kvmlab.traces.ftrace import Reader, events, write
from kvmlab.traces.library import facts, load, names
from kvmlab.traces.line import Clock
from kvmlab.traces.stat import format_table, statistics
from kvmlab.traces.summary import summary

__all__ = [
    "Broken",
    "Clock",
    "Comment",
    "Dialect",
    "Event",
    "Item",
    "Lost",
    "Reader",
    "TraceError",
    "events",
    "facts",
    "format_table",
    "load",
    "names",
    "statistics",
    "summary",
    "write",
]
