"""The sentence under a picture: big if it has room on one line, else small on as many as it needs."""

from collections.abc import Iterator

from kvmlab.show.measure import width, wrap
from kvmlab.show.svg import line, text
from kvmlab.show.theme import BIG

EDGE = 6


def foot_svg(sentence: str, top: float, wide: float) -> Iterator[str]:
    """Yield a rule at ``top`` and the sentence below it; two lines need 44 pixels, one needs 32."""
    room = wide - 2 * EDGE
    big = width(sentence, size=BIG) <= room
    yield line(0, top, wide, top, tone="quiet", thickness=0.5)
    for i, row in enumerate([sentence] if big else wrap(sentence, room)):
        yield text(EDGE, top + (21 if big else 17) + 16 * i, row, big=big)
