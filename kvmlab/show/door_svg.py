"""The picture of the door: the lines on top, two storeys with an arrow for each crossing, the form below."""

from collections.abc import Iterator
from dataclasses import replace

from kvmlab.show.door import Door, written
from kvmlab.show.measure import width
from kvmlab.show.svg import arrow, document, line, num, path, rect, text

WIDTH, HEIGHT = 960, 330
LEFT, SCALE = 130.0, 0.2
"""x of the first line's time, and pixels for each tick."""
FLOOR, ROOT, GUEST = 226.0, 26.0, 78.0
"""y of the floor, and the heights of KVM's and the guest's bars."""
OPEN = 90.0
"""How far a bar goes whose end is not known yet."""


def door_svg(shown: Door) -> str:
    """Return the lines, the two storeys and the form; its alternative text is the foot."""
    body = (*_listed(shown), *_names(), *_bars(shown), *_crossings(shown), *_form(shown), *_foot(shown.foot))
    return document(WIDTH, HEIGHT, "The door", shown.foot, "".join(body))


def _listed(shown: Door) -> Iterator[str]:
    """Yield the lines, cut at the right edge; the newest on the ground of what has just changed."""
    for n, words in enumerate(shown.lines()):
        y = 22 + 22 * n
        newest = n == shown.seen - 1
        yield rect(0, y - 16, WIDTH, 21, "changed", outline=0) if newest else ""
        yield text(8, y, " ".join(words.split()), mono=True, bold=newest, room=WIDTH - 16)


def _names() -> Iterator[str]:
    yield text(8, FLOOR - GUEST + 24, "L1, the guest", bold=True)
    yield text(8, FLOOR - 8, "L0, KVM", bold=True)


def _x(shown: Door, n: int) -> float:
    return LEFT + SCALE * shown.time(n)


def _bars(shown: Door) -> Iterator[str]:
    """Yield whose code ran when; the last bar is open at its right end."""
    turns = [n for n in (0, 1, 3) if n < shown.seen]
    ends = [_x(shown, n) for n in turns]
    newest = _x(shown, shown.seen - 1) if shown.seen else LEFT - 30
    starts = [LEFT - 30, *ends]
    stops = [*ends, newest + OPEN]
    for i, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        height, role = (GUEST, "l1") if i % 2 else (ROOT, "paper")
        yield rect(start, FLOOR - height, stop - start, height, role, outline=0)
        closed = f"V{num(FLOOR)}" if i < len(ends) else ""
        yield path(f"M{num(start)} {num(FLOOR)}v{num(-height)}H{num(stop)}{closed}")
        words = f"{shown.time(turns[i]) - shown.time(turns[i - 1])} ticks" if i and closed else ""
        yield text(start + 12, FLOOR - 8, words or ("" if closed else "…"))
    yield line(LEFT - 30, FLOOR, WIDTH - 8, FLOOR)


def _crossings(shown: Door) -> Iterator[str]:
    """Yield an arrow for each line: up into the guest, down out of it; what KVM does is a tick."""
    for n in range(shown.seen):
        x, event = _x(shown, n), shown.events[n]
        top = FLOOR - GUEST - 10
        if event.name == "kvm_entry":
            yield arrow(x, FLOOR, x, top, thickness=2.5) + text(x + 6, top + 2, event.name, mono=True)
        elif event.name == "kvm_exit":
            why = f"{event.name} {shown.form.reason if shown.form else ''}"
            yield arrow(x, top, x, FLOOR, thickness=2.5) + text(x + 6, top + 2, why, mono=True)
        else:
            yield line(x, FLOOR - ROOT, x, FLOOR + 6)
            yield text(x + 5, FLOOR - 8, event.name, mono=True)


def _form(shown: Door) -> Iterator[str]:
    """Yield the form with what stands on it."""
    y, form, was = FLOOR + 16, shown.form, replace(shown, seen=max(shown.seen - 1, 0)).form
    yield text(8, y + 21, "the form", bold=True)
    yield rect(LEFT - 30, y, 560, 32)
    rip, reason = written(form)
    before = written(was)
    yield from _entered(LEFT - 16, y, "go on at rip", rip, rip != before[0])
    yield from _entered(LEFT + 220, y, "left because", reason, reason != before[1])


def _entered(x: float, y: float, name: str, value: str, new: bool) -> Iterator[str]:
    """Yield one entry of the form; a new value stands on the ground of what has just changed."""
    start = x + width(name) + 12
    yield text(x, y + 21, name)
    if new:
        wide = width(value, mono=True)
        yield rect(start - 3, y + 7, wide + 6, 18, "changed", outline=0)
        yield line(start - 3, y + 25, start + wide + 3, y + 25, thickness=2)
    yield text(start, y + 21, value, mono=True, bold=new)


def _foot(sentence: str) -> Iterator[str]:
    yield line(0, HEIGHT - 34, WIDTH, HEIGHT - 34, tone="quiet", thickness=1)
    yield text(8, HEIGHT - 12, sentence, big=True)
