"""Swim lanes in words: a line for each step, first where the interrupt is lost, then where it is not."""

from collections.abc import Iterator
from textwrap import wrap

from kvmlab.show.lanes import Lanes, Side
from kvmlab.show.nets import FALLS

COLUMNS = 80
"""No line is longer."""


def lanes_text(shown: Lanes) -> str:
    """Return the picture in words; its last paragraph is the foot."""
    head = f"Swim lanes: {shown.name} ({FALLS[shown.mechanism]})"
    left, right = _side(shown, shown.left), _side(shown, shown.right)
    same = f"the same schedule on {shown.right.kernel}; from step {shown.common + 1} on its own way"
    foot = wrap(shown.foot, COLUMNS)
    return "\n".join([head, "", shown.left.kernel, *left, "", *wrap(same, COLUMNS), *right, "", *foot])


def _side(shown: Lanes, side: Side) -> Iterator[str]:
    for beat in side.beats:
        number = f"  ({beat.number})" if beat.number else ""
        yield f"{beat.n:3} {shown.names[beat.letter]:16} {beat.step:18} {beat.does}{number}".rstrip()
    yield f"    {side.end}"
