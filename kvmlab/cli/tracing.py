"""The commands that read traces: one, for its statistics, or two, to see where they part."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any, Protocol

from kvmlab.errors import BadInput
from kvmlab.traces.answers import Answers, format_answers
from kvmlab.traces.compare import compare
from kvmlab.traces.deadlines import Deadlines
from kvmlab.traces.event import Event, Item
from kvmlab.traces.ftrace import Reader
from kvmlab.traces.hv_timer import HvTimers, format_hv_timer
from kvmlab.traces.levels import LevelSums
from kvmlab.traces.per_interrupt import Deliveries, format_per_interrupt
from kvmlab.traces.side_by_side import side_by_side
from kvmlab.traces.stat import Pairing, format_table

DIFF = "diff"
"""The word that compares; a file of that name is ./diff."""


class _Pass(Protocol):
    """A statistic that is fed a trace item by item."""

    def feed(self, item: Item) -> None:
        """Take the next item into account."""


def trace(args: Namespace) -> int:
    """Print the statistics asked for; without a wish, the table that ``perf kvm stat report`` prints."""
    view = next((name for name in _SHOWS if getattr(args, name)), None)
    if args.vector is not None and view != "latency":
        raise BadInput("--vector is the timer's for --latency")
    if args.files[0] == DIFF:
        return _diff(args, view)
    if len(args.files) > 1:
        raise BadInput("one FILE at a time; to compare two: kvmlab trace diff A B")
    return _one(args, _SHOWS[view] if view else _plain)


def _diff(args: Namespace, view: str | None) -> int:
    """Compare two traces; status 1 if they differ."""
    if len(args.files) != 3 or view:
        raise BadInput("diff takes two files and no statistics: kvmlab trace diff A B (a file: ./diff)")
    a, b = (Reader(name) for name in args.files[1:])
    found = compare(a, b)
    if args.json:
        warnings = {"a": a.warnings, "b": b.warnings}
        print(json.dumps({"a": args.files[1], "b": args.files[2], "warnings": warnings, **found.row()}))
    else:
        print(side_by_side(found, *args.files[1:]))
        for reader in (a, b):
            _warn(reader.warnings, f"{reader.source}: ")
    return 0 if found.same else 1


def _one(args: Namespace, show: "_Show") -> int:
    reader = Reader(args.files[0])
    row, text = show(reader, args.vector)
    if args.json:
        print(json.dumps(row))
    else:
        print(text)
        _warn(row["warnings"])
    return 0


def _warn(warnings: list[str], where: str = "") -> None:
    for warning in warnings:
        print(f"warning: {where}{warning}", file=sys.stderr)


def _read(reader: Reader, *passes: _Pass) -> dict[str, Any]:
    """Feed a trace to all passes; return the keys that every view has."""
    events = 0
    for item in reader:
        events += isinstance(item, Event)
        for each in passes:
            each.feed(item)
    return {"events": events, "warnings": reader.warnings, "unit": reader.unit}


def _plain(reader: Reader, vector: int | None, *more: _Pass) -> tuple[dict[str, Any], str]:
    pairing = Pairing()
    row = _read(reader, pairing, *more)
    row["warnings"] += pairing.warnings
    return {**row, "exits": pairing.row()}, format_table(pairing.table, reader.unit)


def _stat(reader: Reader, vector: int | None) -> tuple[dict[str, Any], str]:
    deliveries, answers = Deliveries(), Answers()
    row, text = _plain(reader, vector, deliveries, answers)
    row["per_interrupt"] = [each.row() for each in deliveries.result]
    row["interrupts"] = [each.row() for each in answers.result]
    return row, _paragraphs(text, format_per_interrupt(deliveries.result), format_answers(answers.result))


def _latency(reader: Reader, vector: int | None) -> tuple[dict[str, Any], str]:
    deadlines, timers = Deadlines(vector), HvTimers()
    row = _read(reader, deadlines, timers)
    found = deadlines.result
    row |= {"latency": found.row(reader.unit), "hv_timer": [each.row() for each in timers.result]}
    return row, _paragraphs(found.text(reader.unit), format_hv_timer(timers.result, reader.unit))


def _levels(reader: Reader, vector: int | None) -> tuple[dict[str, Any], str]:
    sums = LevelSums()
    row, found = _read(reader, sums), sums.result
    return {**row, **found.row()}, found.text(reader.unit)


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(texts)


_Show = Callable[[Reader, int | None], tuple[dict[str, Any], str]]
_SHOWS: dict[str, _Show] = {"stat": _stat, "latency": _latency, "levels": _levels}
