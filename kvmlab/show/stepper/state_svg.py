"""The right panel: the nine places of the state, each always at its spot; what just changed stands out."""

from collections.abc import Iterator

from kvmlab.show.marks import SIDE, Guests, diamond, hatch, note, square
from kvmlab.show.measure import width
from kvmlab.show.places import Shown, spoken
from kvmlab.show.stepper.frame import FIRST, Panel
from kvmlab.show.stepper.view import StepperView
from kvmlab.show.svg import line, rect, text

PITCH = 40
GAP = 4
"""Between groups of three."""
PAD = 4

STATES: dict[str, Guests] = {
    "pir": "posted",
    "irr": "pending",
    "virr": "pending",
    "intr_info": "in entry field",
    "isr": "delivered",
    "visr": "delivered",
}
"""Cell -> what is said of an interrupt for a guest that is in it."""


def state_svg(view: StepperView, panel: Panel) -> str:
    """Return the places in three groups of three; a place that the scenario lacks stays free."""
    out = []
    for i, shown in enumerate(view.places):
        y = FIRST + i * PITCH + i // 3 * GAP
        if i and i % 3 == 0:
            out.append(line(panel.x + 8, y - 1.5, panel.right - 8, y - 1.5, tone="quiet", thickness=0.5))
        if shown:
            out.append(_place(shown, panel, y))
    return "".join(out)


def _place(shown: Shown, panel: Panel, y: float) -> str:
    """Draw title and value; if it has just changed, "was ..." and an underlined value on yellow."""
    x, right = panel.x + 8, panel.right - 8
    value, end = _value(shown, x, y + 17, right - x)
    title = text(x, y + 14, shown.title, quiet=True)
    beside_title, beside_value = right - x - width(shown.title) - 8, right - end - 8
    for words in _was(shown):
        if width(words) <= beside_title:
            return title + value + text(right, y + 14, words, anchor="end")
        if width(words) <= beside_value:
            return title + value + text(right, y + 31, words, anchor="end")
    return title + value


def _was(shown: Shown) -> Iterator[str]:
    """Yield ways to say what a changed place held before, the fullest first."""
    if shown.was is not None:
        was, now = (value.replace(",", "").split() for value in (shown.was, shown.value))
        gone = [word for word in was if word not in now]
        yield f"was {'IF=' if shown.place.look == 'IF' else ''}{spoken(shown.was)}"
        yield f"was also {' '.join(gone)}" if gone else "was less"
        yield "has changed"


def _value(shown: Shown, x: float, y: float, room: float) -> tuple[str, float]:
    """Draw a value, word by word with its marks, and its change; return it and its right edge."""
    words = list(_words(shown))
    wide = sum(SIDE + 2 * PAD + width(word + " ", mono=True) for word in words) > room + 2 * PAD
    drawn, at = [], x + PAD
    for n, word in enumerate(words):
        mark = _mark(shown, word, words[:n].count("/"), at + SIDE / 2, y + 9.5)
        drawn.append(mark)
        at += SIDE + 2 * PAD if mark else 0
        if not (wide and shown.place.look == "requests"):  # Notes alone, where names have no room.
            drawn.append(_word(shown, word, at, y, x + room - at))
            at += width(word + " ", mono=True)
    end = min(at, x + room)
    return _ground(shown, x, y, end) + "".join(drawn), end


def _word(shown: Shown, word: str, x: float, y: float, room: float) -> str:
    changed = shown.was is not None
    return text(x, y + 14, word, mono=True, bold=changed, quiet=shown.empty and not changed, room=room)


def _ground(shown: Shown, x: float, y: float, end: float) -> str:
    """Draw what says that a value has just changed, and that the host's interrupts are off."""
    off = hatch(end, y + 7, 60) if shown.place.look == "IF" and shown.value == "0" else ""
    if shown.was is None:
        return off
    return rect(x, y, end - x, 19, "changed", outline=0) + line(x, y + 19, end, y + 19, thickness=2) + off


def _words(shown: Shown) -> Iterator[str]:
    """Yield what gets a mark of its own, else the whole value."""
    if shown.place.look == "IF":
        yield f"IF={shown.value}"
    elif shown.empty or shown.place.look == "plain":
        yield spoken(shown.value)
    else:
        yield from map(spoken, shown.value.split())


def _mark(shown: Shown, word: str, nth: int, x: float, y: float) -> str:
    """Return the mark before ``word``, which is of the place's ``nth`` cell: a note, or an interrupt's."""
    look, cells = shown.place.look, shown.place.cells
    if look == "requests" and not shown.empty:
        return note(x, y, word)
    if not word.startswith("0x") or look == "plain":
        return ""
    if look == "for a CPU":
        return diamond(x, y, "pending")
    state = STATES.get(cells[min(nth, len(cells) - 1)].split(".")[-1])
    return square(x, y, state) if state else ""
