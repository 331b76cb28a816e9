"""The picture of two nets: the path runs down, a bar per net, the gap with its name, and one post.

Rows stand at their places in the kernel's order; a post stands between two of them and goes right, into
the first net that has it, or out through the gap.
"""

from collections.abc import Iterator

from kvmlab.show import marks
from kvmlab.show.foot import foot_svg
from kvmlab.show.marks import Guests
from kvmlab.show.measure import wrap
from kvmlab.show.nets import ROWS, SEVERAL, VECTOR, Net, NetsView
from kvmlab.show.svg import arrow, document, group, line, num, path, rect, text

WIDTH, HEIGHT = 960, 420
TOP, PITCH = 88, 44
"""y of place 0, and from one place to the next; a row's box stands in the middle between two."""
ROW, TALL = 272, 27
"""Width and height of a row's box."""
LEFT = 6
COLUMN, FIRST = 126, 300
"""Width of a net's column, and where the first one begins."""
BAR, MESH = 55, 11
GAP, END = 686, WIDTH - 6
"""Where the last column begins and ends."""
POST = 290
"""x of the post: right of the rows, before the nets."""

COLUMNS = {
    "A": ("A: the sync", "reads ON"),
    "B": ("B: notification", "reaches the guest"),
    "C": ("C: request", "cancels the entry"),
}
"""What stands over a net."""
LANDS: dict[str, Guests] = {"A": "pending", "B": "delivered", "C": "posted"}
"""What the post is where it has landed."""
SAYS = {
    "event": "is KVM_REQ_EVENT set?",
    "sync": "is ON set? then copy PIR",
    "mode": "senders may notify",
    "irq_off": "IF := 0 on this CPU",
    "recheck": "any request? no entry",
    "entry": "the guest runs",
}


def nets_svg(shown: NetsView) -> str:
    """Return the picture; its alternative text is the foot."""
    bars = (part for net in shown.nets for part in _net(shown, net))
    ground = (*_heads(shown), *_gaps(shown), *_rows(shown))
    body = (*ground, *bars, _tail(shown), *_post(shown), *foot_svg(shown.foot, HEIGHT - 32, WIDTH))
    return document(WIDTH, HEIGHT, "Two nets", shown.foot, "".join(body))


def y_of(place: float) -> float:
    """Return the level of a place; half a place further is the middle of a row."""
    return TOP + PITCH * place


def _x(letter: str) -> float:
    """Return the middle of a net's column."""
    return FIRST + COLUMN * ("ABC".index(letter) + 0.5)


def _heads(shown: NetsView) -> Iterator[str]:
    yield text(LEFT, 22, f"The entry path, {shown.title}", big=True, bold=True)
    yield text(END, 22, shown.post_by, anchor="end")
    here = {net.letter for net in shown.nets}
    for letter, (name, says) in COLUMNS.items():
        yield text(_x(letter), 50, name, bold=letter in here, quiet=letter not in here, anchor="middle")
        yield text(_x(letter), 66, says if letter in here else "nobody makes it", quiet=True, anchor="middle")
    yield text(GAP + 8, 50, "Under no net" if shown.gaps else "No gap", bold=True)


def _rows(shown: NetsView) -> Iterator[str]:
    for i, row in enumerate(shown.rows):
        y = y_of(i + 0.5)
        off = row == "event" and shown.sender != "CPU with EVENT"
        yield rect(LEFT, y - TALL / 2, ROW, TALL, tone="quiet" if off else "ink", r=3)
        yield text(LEFT + 8, y + 5, ROWS[row], mono=True, bold=not off, quiet=off)
        yield text(LEFT + ROW - 8, y + 5, SAYS[row], quiet=True, anchor="end")


def _net(shown: NetsView, net: Net) -> Iterator[str]:
    """Yield a bar, and hairlines from the rows at which it begins and ends."""
    x, n = _x(net.letter), len(shown.rows)
    top = y_of(net.first - 0.5) if net.first else y_of(-0.25)
    bottom = y_of(net.last + 0.5) if net.last < n else y_of(n + 0.25)
    ends = [y for y, row in ((top, net.first > 0), (bottom, net.last < n)) if row]
    yield from (line(LEFT + ROW, y, x, y, thickness=0.5, tone="quiet") for y in ends)
    yield mesh(x - BAR / 2, top, BAR, bottom - top)


def mesh(x: float, y: float, w: float, h: float) -> str:
    """Return a net: a bar of meshes."""
    across = "".join(f"M{num(x)} {num(y + i)}h{num(w)}" for i in range(MESH, int(h), MESH))
    down = "".join(f"M{num(x + i)} {num(y)}v{num(h)}" for i in range(MESH, int(w), MESH))
    meshes = path(across + down, thickness=0.5, tone="quiet")
    return rect(x, y, w, h, outline=0) + meshes + path(f"M{num(x)} {num(y)}h{w}v{num(h)}h-{w}Z", thickness=2)


def _tail(shown: NetsView) -> str:
    """Draw MODE_IN on its way to the eyes of senders: dashed, down to where they see it at the latest."""
    row, x = shown.rows.index("mode"), _x("B")
    if shown.barrier or shown.sender == "VT-d":
        return ""
    start, end = y_of(row + 0.5), y_of(shown.seen + 0.5)
    way = path(f"M{LEFT + ROW} {num(start)}H{num(x)}V{num(end)}", kind="dashed")
    return way + text(x + 8, start + 15, "store waits")


def _gaps(shown: NetsView) -> Iterator[str]:
    for gap in shown.gaps:
        top, tall = y_of(gap.first - 0.5), PITCH * (gap.last - gap.first + 1)
        yield group(rect(FIRST, top, GAP - FIRST, tall, "wrong", outline=0), opacity=0.4)
        yield rect(GAP, top, END - GAP, tall, "wrong")
        for place in range(gap.first, gap.last + 1):
            yield from (marks.cross(GAP + 16 + 16 * i, y_of(place)) for i in range(3))
        first = y_of(gap.first) + 5 - 8 * (len(gap.names) - 1)
        yield from (text(GAP + 62, first + 17 * i, name, bold=True) for i, name in enumerate(gap.names))
    if not shown.gaps:
        yield marks.check(GAP + 14, y_of(0)) + text(GAP + 28, y_of(0) + 5, "every place is under a net")
        notes = wrap(SEVERAL, END - GAP - 8) if shown.several else []
        yield from (text(GAP + 8, y_of(1) + 17 * i, words) for i, words in enumerate(notes))


def _post(shown: NetsView) -> Iterator[str]:
    y = y_of(shown.post)
    yield marks.square(POST, y, "posted")
    yield text(POST - 10, y + 5, VECTOR, mono=True, anchor="end")
    net = shown.caught
    end = _x(net.letter) if net else GAP + 16
    yield arrow(POST + 9, y, end - 10, y, "dashed")
    yield marks.square(end, y, LANDS[net.letter] if net else "lost")
