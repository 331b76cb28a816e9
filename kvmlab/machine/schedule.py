"""A schedule is one line of text: whose step is next, and which choice where there are several.

``vvhg1v`` reads: v, v, h, g (its choice 1), v. Blanks are ignored. ``12v`` is not repetition; a
learner can count letters.
"""

import re

from kvmlab.errors import BadInput

_TOKEN = re.compile(r"[^\W\d_][0-9]*")


def parse(text: str) -> tuple[str, ...]:
    """Return the tokens of a schedule; raise BadInput naming the first character that is none."""
    packed = "".join(text.split())
    tokens = tuple(_TOKEN.findall(packed))
    if "".join(tokens) != packed:
        bad = _TOKEN.sub("", packed)[0]
        raise BadInput(f"schedule: {bad!r} is no actor; write letters with an optional choice, like vvhg1v")
    return tuple(token[0] + str(int(token[1:])) if int(token[1:] or 0) else token[0] for token in tokens)


def text(tokens: tuple[str, ...]) -> str:
    """Return a schedule as one line of text."""
    return "".join(tokens)
