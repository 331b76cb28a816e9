"""The marks: an interrupt for a guest, an interrupt for a CPU, a request, a wish, "IF=0", a numbered step.

Shape alone says what it is; colour supports. A mark is :data:`SIDE` pixels wide around its centre
(x, y), and the text that belongs to it (a vector, say) stands beside it, never inside.
"""

from typing import Literal, get_args

from kvmlab.show.svg import Kind, circle, group, line, num, path, polygon, rect, text

SIDE = 12.0
_R = SIDE / 2

Guests = Literal["posted", "pending", "in entry field", "delivered", "lost"]
"""What can be said of an interrupt for a guest."""

Cpus = Literal["pending", "taken", "eaten"]
"""What can be said of an interrupt for a CPU: an IPI, a notification, a tick."""

GUESTS: tuple[Guests, ...] = get_args(Guests)
CPUS: tuple[Cpus, ...] = get_args(Cpus)


def square(x: float, y: float, state: Guests) -> str:
    """An interrupt for a guest: dashed = posted (PIR), hollow = pending (IRR), half, filled, or crossed."""
    left, top = x - _R, y - _R
    kind: Kind = "dashed" if state == "posted" else "solid"
    full = "solid-interrupt" if state == "delivered" else "paper"
    box = rect(left, top, SIDE, SIDE, full, kind=kind)
    if state == "in entry field":
        box += rect(left, top + _R, SIDE, _R, "solid-interrupt")
    return group(box + (cross(x, y) if state == "lost" else ""), title=f"interrupt for a guest: {state}")


def diamond(x: float, y: float, state: Cpus) -> str:
    """An interrupt for a CPU: hollow = pending, filled = taken, slashed = eaten by the host."""
    r = _R + 1
    role = "solid-interrupt" if state == "taken" else "paper"
    shape = polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], role)
    slash = line(x - r, y + r, x + r, y - r) if state == "eaten" else ""
    return group(shape, slash, title=f"interrupt for a CPU: {state}")


def note(x: float, y: float, letter: str) -> str:
    """A request: a note with its first letter and a folded corner."""
    w, fold = SIDE + 4, 5.0
    left, top, right, low = x - w / 2, y - w / 2, x + w / 2, y + w / 2
    corner = [(left, top), (right - fold, top), (right, top + fold), (right, low), (left, low)]
    return group(
        polygon(corner, "paper"),
        text(x, y + 5, letter[:1], bold=True, anchor="middle"),
        title=f"request {letter}",
    )


def wish(x: float, y: float, *, kept: bool = False) -> str:
    """A wish that a guest leaves: filled, or hollow once it has been kept."""
    corners = [(x, y - _R), (x + _R, y + _R), (x - _R, y + _R)]
    return group(
        polygon(corners, "paper" if kept else "ink"), title="wish to leave, kept" if kept else "wish to leave"
    )


def flag(x: float, top: float, bottom: float) -> str:
    """A deadline: a flag on a vertical line."""
    cloth = polygon([(x, top), (x + SIDE, top + 4), (x, top + 8)], "ink")
    return group(line(x, top, x, bottom), cloth, title="deadline")


def bell(x: float, y: float) -> str:
    """An alarm rings: a bell, with room around it, for it stands on a line."""
    room = rect(x - _R - 4, y - _R - 2, SIDE + 8, SIDE + 4, "paper", outline=0)
    left, right = (f"{num(x + side)} {num(y + down)}" for side, down in ((-_R, 4), (_R, 4)))
    dome = f"M{left}Q{num(x - 4)} {num(y + 2)} {num(x - 4)} {num(y - 2)}"
    dome += f"A4 4 0 0 1 {num(x + 4)} {num(y - 2)}Q{num(x + 4)} {num(y + 2)} {right}Z"
    clapper = rect(x - 1.5, y + 5, 3, 2.5, "ink", outline=0)
    return group(room, path(dome, "ink", thickness=0), clapper, title="the alarm rings")


def cross(x: float, y: float, *, thickness: float = 2.5) -> str:
    """Wrong: always beside a word that says what."""
    r = _R - 1
    falling = line(x - r, y - r, x + r, y + r, thickness=thickness)
    return falling + line(x + r, y - r, x - r, y + r, thickness=thickness)


def check(x: float, y: float, *, thickness: float = 2.5) -> str:
    """Right: always beside a word that says what."""
    r = _R - 1
    return line(x - r, y, x - 1, y + r, thickness=thickness) + line(
        x - 1, y + r, x + r, y - r, thickness=thickness
    )


def dash(x: float, y: float, *, thickness: float = 2.5) -> str:
    """Neither right nor wrong: always beside a word that says what."""
    r = _R - 1
    return line(x - r, y, x + r, y, thickness=thickness)


def hatch(x: float, y: float, w: float, h: float = 5) -> str:
    """Host interrupts off: diagonal hatch, used for nothing else; the caller writes "IF=0" at its left."""
    steps = range(0, int(w - h) + 1, 5)
    strokes = "".join(f"M{num(x + i)} {num(y + h)}L{num(x + i + h)} {num(y)}" for i in steps)
    return group(path(strokes, thickness=1), title="host interrupts off")


def numbered(x: float, y: float, n: int) -> str:
    """A decisive step: its number in a circle."""
    return group(circle(x, y, _R + 2), text(x, y + 4.5, str(n), bold=True, anchor="middle"))


def next_step(x: float, y: float, *, waits: bool = False) -> str:
    """Where an actor stands: filled = its step may be next, hollow = it waits."""
    return polygon([(x - 4, y - 5), (x + 5, y), (x - 4, y + 5)], "paper" if waits else "ink")
