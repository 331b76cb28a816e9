"""Tables as plain text: right-aligned columns, as wide as what is in them."""

from collections.abc import Sequence


def columns(head: Sequence[str], rows: Sequence[Sequence[object]], words: int = 1) -> list[str]:
    """Return the lines of a table; its first `words` columns are words and stand at the left."""
    cells = [list(head), *([shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
    return [_line(row, widths, words) for row in cells]


def _line(row: Sequence[str], widths: Sequence[int], words: int) -> str:
    pairs = list(zip(row, widths, strict=True))
    left = [cell.ljust(width) for cell, width in pairs[:words]]
    return "  ".join(left + [cell.rjust(width) for cell, width in pairs[words:]]).rstrip()


def shown(cell: object) -> str:
    """Return a cell's text: means with two digits, nothing as a dash, nothing that moves a cursor."""
    if cell is None:
        return "-"
    text = f"{cell:.2f}" if isinstance(cell, float) else str(cell)
    return "".join(sign if sign.isprintable() else "?" for sign in text)
