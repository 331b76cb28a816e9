"""Two runs side by side, rows aligned by event, the first divergence ruled across.

A sequence runs down; left and right are the two runs. Where they differ the words are bold with ``≠``
between them, and what only one run has faces a dotted line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from kvmlab.errors import BadInput
from kvmlab.show import marks
from kvmlab.show.measure import wrap as wrap_pixels
from kvmlab.show.svg import document, group, line, rect, text
from kvmlab.show.timeline_marks import printable
from kvmlab.traces.compare import Comparison, Row
from kvmlab.traces.event import Event
from kvmlab.traces.template import Value

BEFORE, AFTER = 5, 9
"""Rows shown around the first divergence unless others are asked for."""
MOST = 300
"""A picture has no more rows than this."""
COLUMNS = 80


@dataclass(frozen=True, slots=True)
class Side:
    """What one run has in a row: the number of its event among those compared, from 1, and it in short."""

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """A row ready to be drawn."""

    a: Side | None
    b: Side | None
    same: bool


@dataclass(frozen=True, slots=True)
class Alignment:
    """Rows ``start`` to ``end`` (not included) of two runs; ``first`` is the first that differs.

    ``notes`` are the rows that decide, in order, and what each shows.
    """

    names: tuple[str, str]
    steps: tuple[Step, ...]
    first: int | None
    start: int
    end: int
    notes: tuple[tuple[int, str], ...] = ()

    @property
    def noted(self) -> list[tuple[int, int, str]]:
        """Number, row and words of the notes on rows in view."""
        numbered = [(n, row, says) for n, (row, says) in enumerate(self.notes, 1)]
        return [note for note in numbered if self.start <= note[1] < self.end]

    @property
    def foot(self) -> str:
        """The sentence under the picture, its alternative text, and the last one of the twin."""
        if self.first is None:
            return f"Both runs have the same {_plural(len(self.steps), 'event')} in the same order."
        step, (a, b) = self.steps[self.first], self.names
        agreed = {0: "They differ at once", 1: "The first event agrees"}
        has = f"{a} has {_words(step.a)}, {b} has {_words(step.b)}"
        differ = sum(not step.same for step in self.steps)
        until = agreed.get(self.first, f"The first {self.first} events agree")
        return f"{until}; then {has}. {differ} of {_plural(len(self.steps), 'row')} differ."


def alignment(
    comparison: Comparison,
    names: tuple[str, str] = ("A", "B"),
    rows: tuple[int, int] | None = None,
    notes: Mapping[int, str] | None = None,
) -> Alignment:
    """Return two runs ready to be drawn: the rows around the first divergence, or ``rows`` (from, to).

    ``notes`` say of single rows, counted from 0, what they show. Raises BadInput if there is nothing to
    show, or not those rows.
    """
    steps = tuple(_steps(comparison.rows))
    if not steps:
        raise BadInput("two empty runs cannot be compared")
    first = comparison.first
    middle = first or 0
    start, end = rows or (max(0, middle - BEFORE), min(len(steps), middle + 1 + AFTER))
    if not 0 <= start < end <= len(steps):
        raise BadInput(f"rows {start} to {end}: there are rows 0 to {len(steps)}")
    a, b = (printable(name) for name in names)
    said = tuple(sorted((notes or {}).items()))
    if any(not 0 <= row < len(steps) for row, _ in said):
        raise BadInput(f"notes: there are rows 0 to {len(steps) - 1}")
    return Alignment((a, b), steps, first, start, min(end, start + MOST), said)


def _steps(rows: Sequence[Row]) -> Iterator[Step]:
    a = b = 0
    for row in rows:
        a, b = a + (row.a is not None), b + (row.b is not None)
        yield Step(_side(row.a, a), _side(row.b, b), row.same)


def _side(event: Event | None, number: int) -> Side | None:
    return None if event is None else Side(number, brief(event))


def brief(event: Event) -> str:
    """Return an event in the words that a comparison needs: name, reason, place."""
    fields = event.fields
    if "exit_reason" in fields:
        words = f"{event.name} {fields['exit_reason']}{_hex('rip', fields.get('guest_rip'))}"
    elif event.name == "kvm_entry" and fields:
        forced = " [immediate exit]" if fields.get("immediate_exit") else ""
        words = f"kvm_entry{_hex('rip', fields.get('rip'))}{forced}"
    elif event.name == "kvm_nested_vmenter" and fields:
        injected = _hex("event_inj", fields["event_inj"] or None)
        words = f"{event.name}{_hex('nested_rip', fields['nested_rip'])}{injected}"
    else:
        words = f"{event.name} {event.text}".rstrip()
    return printable(words)


def _hex(name: str, value: Value | None) -> str:
    """Return `` rip 0x400000``, or nothing where a dialect does not print it."""
    return f" {name} 0x{value:x}" if isinstance(value, int) else ""


def _words(side: Side | None) -> str:
    return side.words if side else "nothing"


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def alignment_text(seen: Alignment) -> str:
    """Return the rows in words, at most 80 columns wide, the foot last."""
    a, b = seen.names
    told = wrap(f"{a} | {b}", COLUMNS) + [_range(seen), ""]
    for i in range(seen.start, seen.end):
        step = seen.steps[i]
        told += [" first divergence ".center(COLUMNS, "-")] if i == seen.first else []
        told.append(f"{_cell(step.a)} {' ' if step.same else '!'} {_cell(step.b)}".rstrip())
    notes = [f"({n}) {_number(seen.steps[row])}: {says}" for n, row, says in seen.noted]
    told += [""] if notes else []
    told += [line for note in notes for line in wrap(note, COLUMNS, subsequent_indent="    ")]
    return "\n".join([*told, "", *wrap(seen.foot, COLUMNS, break_on_hyphens=False)])


def _number(step: Step) -> str:
    """Return the numbers by which a row is found."""
    numbers = {side.number for side in (step.a, step.b) if side is not None}
    return " and ".join(map(str, sorted(numbers)))


def _range(seen: Alignment) -> str:
    return f"rows {seen.start + 1} to {seen.end} of {len(seen.steps)}"


def _cell(side: Side | None) -> str:
    """Return one side of a row, 38 columns wide; short, so that reason and place have room."""
    short = side.words.removeprefix("kvm_").replace(" rip 0x", " 0x") if side else "-"
    words = f"{side.number if side else '':>3} {short}"
    return (words if len(words) <= 38 else words[:35] + "...").ljust(38)


# --- the picture ------------------------------------------------------------------------------

WIDTH = 960
PITCH = 20
TOP, FOOT = 70, 44
LEFT, RIGHT, SIGN = 8.0, 492.0, 480.0
"""x of the two sides, and of the sign between them."""
NUMBER, ROOM = 40, 404
"""Width of an event's number, and of its words."""
RULE = 22
"""Height of the rule at the first divergence."""
NOTE = 464.0
"""x of the number of a decisive row, between the words on the left and the sign."""


def alignment_svg(seen: Alignment) -> str:
    """Return the picture, as high as it has rows; its alternative text is the foot."""
    ruled = seen.first is not None and seen.start <= seen.first < seen.end
    bottom = TOP + PITCH * (seen.end - seen.start) + (RULE if ruled else 0)
    low = bottom + (PITCH * len(seen.noted) + 8 if seen.noted else 0)
    height = low + FOOT
    body = group(*_heads(seen), *_rows(seen), *_notes(seen, bottom + 4), *_foot(seen.foot, low + 6))
    return document(WIDTH, height, f"{seen.names[0]} and {seen.names[1]}", seen.foot, body)


def _heads(seen: Alignment) -> Iterator[str]:
    for x, name in zip((LEFT, RIGHT), seen.names, strict=True):
        yield text(x, 20, name, big=True, bold=True, room=ROOM + NUMBER)
    yield text(LEFT, 42, _range(seen), quiet=True)
    yield line(0, 50, WIDTH, 50, tone="quiet", thickness=1)


def _rows(seen: Alignment) -> Iterator[str]:
    y, decisive = float(TOP), {row: n for n, row, _ in seen.noted}
    for i in range(seen.start, seen.end):
        if i == seen.first:
            yield _rule(y - 8)
            y += RULE
        yield _row(seen.steps[i], y, i == seen.first)
        if i in decisive:
            yield marks.numbered(NOTE, y - 4, decisive[i])
        y += PITCH


def _notes(seen: Alignment, y: float) -> Iterator[str]:
    """Yield what the decisive rows show."""
    for n, (number, _, says) in enumerate(seen.noted):
        yield marks.numbered(LEFT + 10, y + PITCH * n, number)
        yield text(LEFT + NUMBER, y + PITCH * n + 4, says, room=WIDTH - 64)


def _rule(y: float) -> str:
    """Return the line across at the first divergence."""
    words = text(WIDTH - 8, y + 4, "first divergence", bold=True, anchor="end")
    return line(0, y, WIDTH - 136, y, thickness=2) + words


def _row(step: Step, y: float, first: bool) -> str:
    ground = rect(0, y - 14, WIDTH, PITCH, "changed", outline=0) if first else ""
    sign = "" if step.same else text(SIGN, y + 1, "≠", bold=True, anchor="middle")
    sides = (_cell_svg(side, x, y, step.same) for x, side in ((LEFT, step.a), (RIGHT, step.b)))
    return group(ground, *sides, sign)


def _cell_svg(side: Side | None, x: float, y: float, same: bool) -> str:
    if side is None:
        return line(x + NUMBER, y - 4, x + NUMBER + ROOM - 20, y - 4, "dotted")
    number = text(x + NUMBER - 8, y, str(side.number), quiet=same, anchor="end")
    return number + text(x + NUMBER, y, side.words, mono=True, bold=not same, room=ROOM)


def _foot(sentence: str, top: float) -> Iterator[str]:
    yield line(0, top, WIDTH, top, tone="quiet", thickness=1)
    for i, row in enumerate(wrap_pixels(sentence, WIDTH - 16)):
        yield text(8, top + 15 + 15 * i, row, room=WIDTH - 16)
