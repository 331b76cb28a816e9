"""Two nets in words: a line for each place, who catches a post there, and what becomes of the one on show."""

from collections.abc import Iterator
from textwrap import wrap

from kvmlab.show.nets import ROWS, SEVERAL, NetsView, place

COLUMNS = 80
"""No line is longer."""


def nets_text(shown: NetsView) -> str:
    """Return the picture in words; its last paragraph is the foot."""
    return "\n".join((*_head(shown), "", *_places(shown), *_notes(shown), "", *wrap(shown.foot, COLUMNS)))


def _head(shown: NetsView) -> Iterator[str]:
    yield f"Two nets: the entry path {shown.title}"
    yield shown.post_by
    yield from wrap("path: " + ", ".join(ROWS[row] for row in shown.rows), COLUMNS, subsequent_indent="  ")
    yield from (f"net {net.letter}: {net.says}" for net in shown.nets)


def _places(shown: NetsView) -> Iterator[str]:
    """Yield what holds a post at each place."""
    for at in range(len(shown.rows) + 1):
        holds = ", ".join(net.letter for net in shown.nets if net.holds(at))
        falls = ", or ".join(name for gap in shown.gaps if gap.first <= at <= gap.last for name in gap.names)
        mark = ">" if at == shown.post else " "
        line = f"{mark} {place(shown.rows, at)}: {f'net {holds}' if holds else f'no net, {falls}'}"
        yield from wrap(line, COLUMNS, subsequent_indent="    ")


def _notes(shown: NetsView) -> Iterator[str]:
    if shown.several and not shown.gaps:
        yield from wrap(SEVERAL, COLUMNS)
