"""Traces: one event schema for simulated and real runs, ftrace text in and out, statistics, comparison.

Knows nothing of the model; the standard library is enough.
"""

from kvmlab.traces.answers import Answer, answers, format_answers
from kvmlab.traces.compare import Comparison, Row, compare
from kvmlab.traces.deadlines import latency
from kvmlab.traces.dialect import Dialect
from kvmlab.traces.errors import TraceError
from kvmlab.traces.event import Broken, Comment, Event, Item, Lost
from kvmlab.traces.ftrace import Reader, events, write
from kvmlab.traces.hv_timer import HvTimer, format_hv_timer, hv_timer
from kvmlab.traces.latency import Latency, Way
from kvmlab.traces.levels import Level, Levels, levels
from kvmlab.traces.library import facts, load, names
from kvmlab.traces.line import Clock
from kvmlab.traces.per_interrupt import PerInterrupt, format_per_interrupt, per_interrupt
from kvmlab.traces.side_by_side import side_by_side
from kvmlab.traces.spread import Spread
from kvmlab.traces.stat import format_table, statistics
from kvmlab.traces.stretches import Stretch, stretches
from kvmlab.traces.summary import summary
from kvmlab.traces.vcpus import Who

__all__ = [
    "Answer",
    "Broken",
    "Clock",
    "Comment",
    "Comparison",
    "Dialect",
    "Event",
    "HvTimer",
    "Item",
    "Latency",
    "Level",
    "Levels",
    "Lost",
    "PerInterrupt",
    "Reader",
    "Row",
    "Spread",
    "Stretch",
    "TraceError",
    "Way",
    "Who",
    "answers",
    "compare",
    "events",
    "facts",
    "format_answers",
    "format_hv_timer",
    "format_per_interrupt",
    "format_table",
    "hv_timer",
    "latency",
    "levels",
    "load",
    "names",
    "per_interrupt",
    "side_by_side",
    "statistics",
    "stretches",
    "summary",
    "write",
]
