"""Two runs side by side: what they share, and where they part for the first time.

Events are the same by `keys.py`. Up to the first divergence every event stands beside its twin, one by one;
behind it as many as possible do (`align.py`), and of what is left, events of one name stand side by side.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kvmlab.traces.align import align
from kvmlab.traces.event import Event, Item
from kvmlab.traces.keys import NOISE, keys


class Row(NamedTuple):
    """An event of each run, or of one; `same` if they are the same event."""

    a: Event | None
    b: Event | None
    same: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every compared event of both runs, in order; `first` is the place of the first row that differs."""

    rows: tuple[Row, ...]
    first: int | None

    @property
    def same(self) -> bool:
        """Whether the two runs are the same, event by event."""
        return self.first is None

    @property
    def shared(self) -> int:
        """How many rows are the same."""
        return sum(row.same for row in self.rows)

    def row(self) -> dict[str, object]:
        """Return everything by name, for JSON: a row is the two events as text, or null, and `same`."""
        rows = [{"a": said(row.a), "b": said(row.b), "same": row.same} for row in self.rows]
        return {"same": self.same, "shared": self.shared, "first": self.first, "rows": rows}


def said(event: Event | None) -> str | None:
    """Return what an event says in one run or the other: its name and its text."""
    return f"{event.name}: {event.text}" if event else None


def compare(
    a_events: Iterable[Item], b_events: Iterable[Item], names: Iterable[str] | None = None
) -> Comparison:
    """Return two runs aligned, with the first divergence.

    Compared are the events of `names`, or if nothing is said, all but the host's own (`keys.NOISE`). Both
    runs are held in memory; the time grows with their length, however different they are.
    """
    wanted = None if names is None else frozenset(names)
    a, b = _chosen(a_events, wanted), _chosen(b_events, wanted)
    registers = all(any(event.name == "kvm_msr" for event in run) for run in (a, b))
    rows = tuple(_rows(_Run(a, keys(a, registers)), _Run(b, keys(b, registers))))
    return Comparison(rows, next((place for place, row in enumerate(rows) if not row.same), None))


def _chosen(items: Iterable[Item], wanted: frozenset[str] | None) -> list[Event]:
    events = (item for item in items if isinstance(item, Event))
    if wanted is None:
        return [event for event in events if event.name not in NOISE]
    return [event for event in events if event.name in wanted]


class _Run(NamedTuple):
    """The compared events of a run, and what each must share with its twin."""

    events: Sequence[Event]
    keys: Sequence[Hashable]

    def part(self, places: Sequence[int]) -> "_Run":
        """Return some of the events."""
        return _Run([self.events[place] for place in places], [self.keys[place] for place in places])


def _rows(a: _Run, b: _Run) -> Iterator[Row]:
    """Yield twins, and between them what is left over of both runs."""
    left: tuple[list[int], list[int]] = ([], [])
    for at_a, at_b in align(a.keys, b.keys):
        if at_a is not None and at_b is not None:
            yield from _leftover(a.part(left[0]), b.part(left[1]))
            left = ([], [])
            yield Row(a.events[at_a], b.events[at_b], True)
        elif at_a is not None:
            left[0].append(at_a)
        elif at_b is not None:
            left[1].append(at_b)
    yield from _leftover(a.part(left[0]), b.part(left[1]))


def _leftover(a: _Run, b: _Run) -> Iterator[Row]:
    """Yield events without a twin, those of one name side by side."""
    for at_a, at_b in align([event.name for event in a.events], [event.name for event in b.events]):
        if at_a is not None and at_b is not None:
            yield Row(a.events[at_a], b.events[at_b], a.keys[at_a] == b.keys[at_b])
        else:
            yield Row(
                None if at_a is None else a.events[at_a], None if at_b is None else b.events[at_b], False
            )
