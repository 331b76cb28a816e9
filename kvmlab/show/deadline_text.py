"""Zero at the deadline in words: who had the alarm, then a line for each parameter, then the foot."""

from collections.abc import Iterator
from textwrap import wrap

from kvmlab.show.alarm_story_text import told
from kvmlab.show.deadline import GUESTS, Cost, DeadlineView, Row, cycles

COLUMNS = 80
"""No line is longer."""


def deadline_text(shown: DeadlineView) -> str:
    """Return the picture in words; its last paragraph is the foot."""
    head = f"Zero at the deadline: the guest {GUESTS[shown.guest]}"
    alarms = [line for row in shown.rows for line in _alarm(row)]
    return "\n".join((head, "", *alarms, *_table(shown), "", *wrap(shown.foot, COLUMNS)))


def _alarm(row: Row) -> Iterator[str]:
    """Yield who ran and who had the alarm up to the deadline; behind it too if something goes wrong."""
    yield f"{row.kernel}, who runs and who has the alarm:"
    yield from told("up to the deadline", row.before)
    if row.broken:
        yield from told("behind it", row.alarm[len(row.before) :])
        yield f"  {row.broken}: {row.why}"


def _table(shown: DeadlineView) -> Iterator[str]:
    measured = [row for row in shown.rows if row.costs]
    if not measured:
        return
    sums = [row.by_parameter() for row in measured]
    known = {cost.parameter: cost for row in measured for cost in row.costs}
    yield ""
    yield _line("cycles from the deadline", [row.kernel for row in measured], measured)
    for parameter in _order(measured):
        numbers = [cycles(each[parameter]) if parameter in each else "-" for each in sums]
        yield _line(_name(known[parameter]), numbers, measured)
    yield _line("  in all", [cycles(row.total) for row in measured], measured)


def _order(rows: list[Row]) -> list[str]:
    """Return the parameters in the order of the way; what only a later row has stands where it has it."""
    order: list[str] = []
    for row in rows:
        at = 0
        for parameter in dict.fromkeys(cost.parameter for cost in row.costs):
            if parameter not in order:
                order.insert(at, parameter)
            at = order.index(parameter) + 1
    return order


def _name(cost: Cost) -> str:
    status = cost.status.value if cost.status else ""
    return f"  {cost.stage:<9}{cost.parameter:<14}{status}"


def _line(head: str, numbers: list[str], rows: list[Row]) -> str:
    """Return a line of the table; a column is as wide as its kernel's name."""
    columns = zip(numbers, rows, strict=True)
    return f"{head:<34}" + "".join(number.rjust(max(10, len(row.kernel) + 2)) for number, row in columns)
