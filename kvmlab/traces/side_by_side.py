"""A comparison as text: two columns, and a rule across where the two runs part."""

from collections.abc import Iterator

from kvmlab.traces.columns import shown
from kvmlab.traces.compare import Comparison, Row, said
from kvmlab.traces.event import Event

WIDTH = 62
"""Characters of one column; longer lines end in "..."."""
CONTEXT = 3
"""Rows shown before and after one that differs; the others are counted."""


def side_by_side(
    found: Comparison, a: str = "A", b: str = "B", *, width: int = WIDTH, context: int | None = CONTEXT
) -> str:
    """Return the comparison as text; `a` and `b` name the runs.

    Between the columns stands | where both have an event of one name, but not the same, and < or > where
    only one has it. With `context` None every row is shown.
    """
    lines = [_line(a, " ", b, width)]
    hidden = 0
    for place, row in enumerate(found.rows):
        if context is not None and not _near(found, place, context):
            hidden += 1
            continue
        lines += _counted(hidden)
        hidden = 0
        if place == found.first:
            lines.append(" first divergence ".center(2 * width + 3, "-"))
        lines.append(_line(_cell(row.a), _mark(row), _cell(row.b), width))
    return "\n".join([*lines, *_counted(hidden), _verdict(found)])
