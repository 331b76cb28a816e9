"""The picture of a race: on the left the kernel that loses, on the right the same schedule where it holds.

Time runs down, a lane per actor. Where the right side takes another step than the left one its boxes are
dotted: that is what the other kernel would do.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby

from kvmlab.show import marks
from kvmlab.show.foot import foot_svg
from kvmlab.show.lanes import Beat, Lanes, Side
from kvmlab.show.measure import width
from kvmlab.show.nets import FALLS
from kvmlab.show.svg import document, line, rect, text

WIDTH = 960
HALF = 486
"""Where the right side begins."""
TOP, LINE = 64, 19
"""Upper edge of the first step, and the height of one."""
LANES = (30, 192, 318)
"""Where a side's lanes begin: the vCPU's, the sender's, and the one of whoever else there is."""
WIDE = (152, 116, 116)
"""How wide their boxes are, and the names above them."""
PAD = 5

Mark = Callable[[float, float], str]

MARKS: dict[str, Mark] = {
    "POST.pir": partial(marks.square, state="posted"),
    "VTD.post": partial(marks.square, state="posted"),
    "POST.notify": partial(marks.diamond, state="pending"),
    "VTD.notify": partial(marks.diamond, state="pending"),
    "IRQ.posted": partial(marks.diamond, state="eaten"),
    "POSTED.notify": partial(marks.diamond, state="taken"),
}
"""Step -> what it makes of the interrupt."""


def lanes_svg(shown: Lanes) -> str:
    """Return the picture; its alternative text is the foot."""
    rows = max(len(shown.left.beats), len(shown.right.beats))
    low = TOP + rows * LINE
    body = (
        *_side(shown, shown.left, 0),
        line(HALF - 8, 8, HALF - 8, low + 30, tone="quiet", thickness=0.5),
        *_side(shown, shown.right, HALF),
        *foot_svg(shown.foot, low + 40, WIDTH),
    )
    return document(WIDTH, low + 84, f"Swim lanes: {shown.name}", shown.foot, "".join(body))


def _lane(letter: str) -> int:
    """Return which lane an actor has: the guest the vCPU's, for they share a CPU."""
    return 0 if letter in "vg" else 1 if letter == "a" else 2


def _side(shown: Lanes, side: Side, x: float) -> Iterator[str]:
    """Yield one kernel's lanes, boxes and end."""
    yield text(x + 6, 22, side.kernel, big=True, bold=True)
    aside = FALLS[shown.mechanism] if side is shown.left else "the same turns"
    yield text(x + 474 - 6, 22, aside, quiet=True, anchor="end")
    for letter, name in shown.names.items():
        at = _lane(letter)
        if letter != "g":
            left, above = x + LANES[at], TOP - 8
            yield text(left, above, "vCPU thread, guest" if letter == "v" else name, bold=True)
            yield line(left, above + 5, left + WIDE[at], above + 5, thickness=2)
    y = float(TOP)
    for _, stretch in groupby(side.beats, lambda beat: beat.letter):
        beats = list(stretch)
        yield from _box(shown, side, beats, x, y)
        y += len(beats) * LINE
    yield from _end(side, x, y + 18)


def _box(shown: Lanes, side: Side, beats: Sequence[Beat], x: float, y: float) -> Iterator[str]:
    """Draw one box for a stretch of steps by one actor, and beside it what each of them did."""
    at = _lane(beats[0].letter)
    left, wide, tall = x + LANES[at], WIDE[at], len(beats) * LINE - 2
    other = side is shown.right and beats[-1].n > shown.common
    yield rect(left, y + 1, wide, tall, beats[0].role, r=3, kind="dotted" if other else "solid")
    for i, beat in enumerate(beats):
        base = y + i * LINE + 14
        quiet = side.lost and beat.role == "paper" and not beat.number
        yield text(left + PAD, base, beat.step, mono=True, bold=shown.tells(beat), quiet=quiet)
        yield MARKS.get(beat.step, _no_mark)(left + wide - 12, base - 4.5)
        yield _does(beat.does, left - 6 if at == 2 else left + wide + 6, base, at == 2, quiet)
        if beat.number:
            yield marks.numbered(x + 14, base - 4.5, beat.number)


def _does(words: str, x: float, y: float, before: bool, quiet: bool) -> str:
    """Write what a step did behind its box, or before it in the last lane."""
    return text(x, y, words, quiet=quiet, anchor="end" if before else "start")


def _no_mark(x: float, y: float) -> str:
    return ""


def _end(side: Side, x: float, y: float) -> Iterator[str]:
    """Say how it ended, with the interrupt's mark."""
    yield marks.square(x + 14, y, "lost" if side.lost else "delivered")
    yield text(x + 30, y + 5, side.end, bold=True)
    if side.lost:
        after = x + 30 + width(side.end + " ", bold=True)
        yield text(after, y + 5, "in PIR, ON=1: nobody will come")
