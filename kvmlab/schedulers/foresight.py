"""The way that follows from a state, as far as it can be told without the time and whatever else is unknown.

It is gone once, with values of which the effects only learn the names. What comes of it is a piece of Python
that goes all of it at once, or finds that it would lead elsewhere now; it looks like this, s[0] being the
time::

    def stride(s, me):
        t = s[0]
        x0 = s[39] + 460004
        x1 = x0 - (t + 270)
        if (x1 < 0): return 'else'
        s[44], s[39], s[77], = s[40], x0, 72,
        s[0] = t + 360
        return None
"""

from collections.abc import Callable, Iterator, Set
from typing import Any

from kvmlab.machine.state import Cell
from kvmlab.machine.step import Effect
from kvmlab.machine.system import Move
from kvmlab.machine.unknown import Notes, Unknown, name_of, value_of
from kvmlab.machine.watch import Recorder

ELSE = "else"
"""What the effect returns when the way leads elsewhere; it has done nothing then."""


class Foresight:
    """A way that begins in ``r`` at time ``start``.

    ``apart`` are the cells of the time (``now``, if there is one) and of deadlines: they are unknown, and so
    are ``restless`` ones. Guards look at ``r``, which goes along with the values for now, effects at a copy
    with what is unknown. ``looked`` are the places whose first values decide on the way, ``notes`` say what
    does of the unknown; ``left`` is what it leaves behind.
    """

    def __init__(
        self, r: Recorder, start: int, now: Cell | None, apart: Set[Cell], restless: Set[Cell]
    ) -> None:
        self.r, self.start, self.now, self.apart, self.unknown = r, start, now, apart, apart | restless
        self.looked, self.left, self.notes = r.looked.keys() - apart, dict[Cell, Any](), Notes()
        self._work: Any = Recorder(list.copy(r))
        for cell in self.unknown:
            self._put(cell, f"s[{cell}]", list.__getitem__(r, cell))
        self._first = list.copy(self._work)

    def _put(self, cell: Cell, name: str, value: int) -> None:
        list.__setitem__(self._work, cell, Unknown(name, value, self.notes))

    def carry_out(self, move: Move, late: int) -> bool:
        """Carry out ``move``, ``late`` cycles behind the start; return whether what it does can be told."""
        work = self._work
        work.looked, work.writes = {}, set()
        if self.now is not None:
            self._put(self.now, f"(t + {late})", self.start + late)
        try:
            move.carry_out(work)
        except Exception:  # what fails without names, too, will fail when it is carried out as ever
            return False
        self.looked |= work.looked.keys() - self.left.keys() - self.unknown
        for cell in work.writes:
            self.left[cell] = list.__getitem__(work, cell)
            list.__setitem__(self.r, cell, value_of(self.left[cell]))
        return True

    def alters(self) -> bool:
        """Return whether a deadline is another one now; that one that was written is not is a condition."""
        return any(not self._first[cell] == self.left[cell] for cell in self.apart & self.left.keys())

    def following(self, possible: Callable[[Recorder], list[Move]]) -> Move | None:
        """Return the only move that is possible; none if that is so on account of something unknown.

        A guard may look at the time and at deadlines, which are to be as they are for now.
        """
        self.r.looked = {}
        moves, looked = possible(self.r), self.r.looked.keys() - self.apart
        if len(moves) != 1 or any(isinstance(list.__getitem__(self._work, cell), Unknown) for cell in looked):
            return None
        self.looked |= looked - self.left.keys()
        return moves[0]

    def effect(self, late: int, end: Effect | None) -> Effect:
        """Return the way as one effect, ``end`` of it still to be carried out, ``late`` cycles behind."""
        names: dict[str, Any] = {"end": end}
        exec("\n    ".join(("def stride(s, me):", *self._lines(late, end))), names)
        stride: Effect = names["stride"]
        return stride

    def _lines(self, late: int, end: Effect | None) -> Iterator[str]:
        if self.now is not None:
            yield f"t = s[{self.now}]"
        for what, noted in self.notes.items():
            if isinstance(noted, str):
                yield f"{noted} = {what}"
            else:
                yield f"if {'not ' if noted else ''}({what}): return {ELSE!r}"
        if left := [(f"s[{cell}]", name_of(x)) for cell, x in self.left.items() if self._changed(cell, x)]:
            cells, values = zip(*left, strict=True)
            yield f"{', '.join(cells)}, = {', '.join(values)},"
        if self.now is not None and late:
            yield f"s[{self.now}] = t + {late}"
        yield "return end(s, me)" if end else "return None"

    def _changed(self, cell: Cell, value: Any) -> bool:
        """Return whether ``value`` may be another than there was at first."""
        first = self._first[cell]
        if isinstance(value, Unknown):
            return value is not first
        return cell not in self.looked or value != value_of(first)
