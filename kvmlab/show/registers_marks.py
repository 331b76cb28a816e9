"""The mark of a vector in a set: what its register says of it, by shape."""

from kvmlab.show.marks import Guests, square
from kvmlab.show.svg import group, path, rect

LOOKS: dict[str, Guests] = {"posted": "posted", "pending": "pending", "in service": "delivered"}
"""What a set says of a vector -> its square; level-triggered is not a state, and is no square."""


def mark(says: str, x: float, y: float) -> str:
    """Return the mark around (x, y)."""
    return square(x, y, LOOKS[says]) if says in LOOKS else _level(x, y)


def _level(x: float, y: float) -> str:
    """Draw a line that goes up and stays there for a while."""
    return group(path(f"M{x - 6} {y + 4}h3v-8h6v8h3"), title="level-triggered")


def news(x: float, y: float, w: float, h: float) -> str:
    """Return what lies behind something that has just changed: yellow, and a line below it."""
    return rect(x, y, w, h, "changed", outline=0) + rect(x, y + h, w, 2, "ink", outline=0)
