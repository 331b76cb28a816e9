"""A comparison as text: two columns, and a rule across where the two runs part."""

from collections.abc import Iterator

from kvmlab.traces.columns import shown
from kvmlab.traces.compare import Comparison, Row, said
from kvmlab.traces.event import Event

WIDTH = 60
"""Characters of one column; longer lines end in "..."."""
CONTEXT = 3
"""Rows shown before and behind one that differs; the others are counted."""


def side_by_side(
    found: Comparison, a: str = "A", b: str = "B", *, width: int = WIDTH, context: int | None = CONTEXT
) -> str:
    """Return the comparison as text; `a` and `b` name the runs.

    Between the columns stands | where each has an event of that name, but not the same, and < or > where
    only one has it. With `context` None every row is shown.
    """
    head = _line(shown(a), " ", shown(b), width)
    return "\n".join([head, *_body(found, width, context), _verdict(found)])


def _body(found: Comparison, width: int, context: int | None) -> Iterator[str]:
    hidden = 0
    for place, (row, near) in enumerate(zip(found.rows, _near(found, context), strict=True)):
        if not near:
            hidden += 1
            continue
        yield from _counted(hidden)
        hidden = 0
        if place == found.first:
            yield " first divergence ".center(2 * width + 3, "-")
        yield _line(_cell(row.a), _mark(row), _cell(row.b), width)
    yield from _counted(hidden)


def _near(found: Comparison, context: int | None) -> list[bool]:
    """Tell for each row whether one that differs is at most `context` rows away."""
    if context is None:
        return [True] * len(found.rows)
    near = [False] * len(found.rows)
    for rows in (range(len(near)), range(len(near) - 1, -1, -1)):
        left = -1
        for place in rows:
            left = left - 1 if found.rows[place].same else context
            near[place] = near[place] or left >= 0
    return near


def _counted(hidden: int) -> list[str]:
    return [f"  ... {hidden} the same"] if hidden else []


def _mark(row: Row) -> str:
    return " " if row.same else "<" if row.b is None else ">" if row.a is None else "|"


def _cell(event: Event | None) -> str:
    return shown(said(event) or "")


def _line(a: str, mark: str, b: str, width: int) -> str:
    return f"{_cut(a, width):<{width}} {mark} {_cut(b, width)}".rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _verdict(found: Comparison) -> str:
    rows = f"{found.shared} of {len(found.rows)} rows are the same"
    return f"no divergence: {rows}" if found.same else rows
