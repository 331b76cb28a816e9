"""The key to a stepper's marks: one picture, the same for all of them."""

from collections.abc import Callable, Iterator
from functools import partial

from kvmlab.show.marks import Guests, diamond, hatch, next_step, note, numbered, square
from kvmlab.show.measure import width
from kvmlab.show.stepper.frame import LINE, WIDTH
from kvmlab.show.stepper.path import Mark
from kvmlab.show.stepper.path_svg import BARS, SIGNS
from kvmlab.show.svg import document, rect, text

STATES: dict[Guests, str] = {
    "posted": "posted (PIR)",
    "pending": "pending (IRR)",
    "in entry field": "in the entry field",
    "delivered": "delivered (ISR)",
}
DIFFERS: dict[Mark, str] = {
    "added": "added",
    "changed": "changed",
    "moved": "moved, against the other kernel",
}
START, APART, PAD = 170, 34, 14
"""Where marks begin, from the words of one to the next mark, from a mark's centre to its words."""

Draw = Callable[[float, float], str]
"""Draw a mark around a point."""
Entry = tuple[Draw, str]


def key_svg() -> str:
    """Return a row of marks for each part of the picture, with their meaning."""
    rows = tuple(_rows())
    body = "".join(_row(title, entries, i * LINE + 14.0) for i, (title, entries) in enumerate(rows))
    words = "; ".join(f"{title}: {', '.join(meaning for _, meaning in entries)}" for title, entries in rows)
    return document(WIDTH, len(rows) * LINE + 8, "Legend", words, body)


def _rows() -> Iterator[tuple[str, list[Entry]]]:
    differs: list[Entry] = [(partial(_gutter, mark), DIFFERS[mark]) for mark in DIFFERS]
    waits = partial(next_step, waits=True)
    yield "Path", [(next_step, "next step"), (waits, "waits here"), *differs]
    yield "What happened", [(partial(numbered, n=1), "one of the steps that decided the verdict, in order")]
    yield "Interrupt for a guest", [(partial(square, state=s), words) for s, words in STATES.items()]
    yield (
        "Rest of the state",
        [
            (partial(diamond, state="pending"), "interrupt for the CPU"),
            (partial(note, letter="E"), "request, first letter"),
            (_hatch, "host interrupts off"),
            (_changed, "has just changed"),
        ],
    )


def _gutter(mark: Mark, x: float, y: float) -> str:
    bar = rect(x + 4, y - 8, 4, 16, "ink" if mark == "added" else "paper", kind=BARS[mark])
    return text(x - 9, y + 5, SIGNS[mark], bold=True) + bar


def _hatch(x: float, y: float) -> str:
    return hatch(x - 12, y - 3, 24)


def _changed(x: float, y: float) -> str:
    return rect(x - 8, y - 7, 16, 14, "changed", outline=0) + rect(x - 8, y + 7, 16, 2, "ink", outline=0)


def _row(title: str, entries: list[Entry], y: float) -> str:
    x, out = float(START), [text(12, y + 5, title, quiet=True)]
    for draw, words in entries:
        out += [draw(x, y), text(x + PAD, y + 5, words)]
        x += PAD + width(words) + APART
    return "".join(out)
