"""The picture of the design space: a cell for each order, its verdicts side by side, real kernels framed."""

from collections.abc import Iterator

from kvmlab.show import marks
from kvmlab.show.foot import foot_svg
from kvmlab.show.nets import ROWS
from kvmlab.show.order_map import CORNERS
from kvmlab.show.space import TWO, WHERE, Cell, Group, Space
from kvmlab.show.svg import document, rect, text

WIDTH = 960
FIRST, PITCH = 192, 129
"""Where the first column begins, and from one to the next."""
CHIP, TALL, APART = 58, 22, 60
"""A verdict's width and height, and from software's to VT-d's."""
TOP, ROW, NAMED = 98, 28, 52
"""Where the first group begins; the height of a row, and of one in which a kernel has its name."""


def space_svg(shown: Space) -> str:
    """Return the table; its alternative text is the foot."""
    body, y = [*_heads()], float(TOP)
    for group in shown.groups:
        body += _group(group, y)
        y += 30 + sum(map(_tall, group.rows)) + 8
    body += [text(6, y + 12, TWO, quiet=True), *foot_svg(shown.foot, y + 24, WIDTH)]
    return document(WIDTH, int(y) + 66, "The design space", shown.foot, "".join(body))


def _heads() -> Iterator[str]:
    """Yield the orders, each running down, and under them whose verdicts stand there."""
    yield text(6, 22, "The order", big=True, bold=True)
    yield text(6, 40, "runs down", quiet=True)
    for n, order in enumerate(CORNERS):
        x = FIRST + PITCH * n
        yield from (text(x, 22 + 17 * i, ROWS[step], mono=True, bold=True) for i, step in enumerate(order))
        yield text(x, 80, "software", quiet=True) + text(x + APART, 80, "VT-d", quiet=True)


def _tall(row: tuple[Cell, ...]) -> float:
    return NAMED if any(cell.kernel for cell in row) else ROW


def _group(group: Group, y: float) -> Iterator[str]:
    yield text(6, y + 14, group.title, bold=True)
    y += 28
    for where, row in zip(WHERE, group.rows, strict=True):
        yield text(FIRST - 12, y + 16, where, anchor="end")
        for n, cell in enumerate(row):
            yield from _cell(cell, FIRST + PITCH * n, y)
        y += _tall(row)


def _cell(cell: Cell, x: float, y: float) -> Iterator[str]:
    """Draw both verdicts; a real kernel has a frame and its name."""
    if cell.kernel:
        yield rect(x - 4, y - 3, APART + CHIP + 8, NAMED - 7, outline=3, r=4)
        yield text(x, y + 37, cell.kernel, mono=True, bold=True)
    for i, word in enumerate(cell.words):
        left, good = x + APART * i, word == "ok"
        yield rect(left, y, CHIP, TALL, "paper" if good else "wrong", r=2)
        yield marks.check(left + 10, y + 11) if good else marks.cross(left + 10, y + 11)
        yield text(left + 19, y + 16, word, bold=not good)
