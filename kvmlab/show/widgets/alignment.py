"""Two runs side by side, with the rows to look at."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from kvmlab.show.alignment import alignment, alignment_svg, alignment_text
from kvmlab.show.widgets.turns import on_change, on_press
from kvmlab.show.widgets.twin import TwinBox
from kvmlab.traces.compare import Comparison


class Compare(TwinBox):
    """The picture of :mod:`kvmlab.show.alignment`: first the rows around the first divergence.

    ``notes`` say of single rows, counted from 0, what they show.
    """

    def __init__(
        self,
        comparison: Comparison,
        names: tuple[str, str] = ("A", "B"),
        notes: Mapping[int, str] | None = None,
    ) -> None:
        self._comparison, self._names, self._notes = comparison, names, notes
        seen = alignment(comparison, names)
        self._around = (seen.start, seen.end)
        self._rows = widgets.IntRangeSlider(
            value=(seen.start + 1, seen.end),
            min=1,
            max=len(seen.steps),
            description="Rows",
            style={"description_width": "initial"},
            layout={"width": "480px"},
        )
        self._all = widgets.Button(description="Show all")
        self._first = widgets.Button(description="Around the first divergence", layout={"width": "auto"})
        self._picture = widgets.HTML()
        super().__init__([widgets.HBox([self._rows, self._first, self._all]), self._picture])
        on_change(self._rows, self._draw)
        on_press(self._all, self.show_all)
        on_press(self._first, self.show_first)
        self._draw()

    @property
    def rows(self) -> tuple[int, int]:
        """The rows in view, counted from 0, the last one not included."""
        first, last = self._rows.value
        return first - 1, last

    @rows.setter
    def rows(self, wanted: tuple[int, int]) -> None:
        seen = alignment(self._comparison, self._names, wanted, self._notes)
        self._rows.value = (seen.start + 1, seen.end)

    def show_all(self) -> None:
        """Show every row, or as many as a picture may have."""
        self.rows = (0, self._rows.max)

    def show_first(self) -> None:
        """Show the rows around the first divergence."""
        self.rows = self._around

    def _draw(self, _: Any = None) -> None:
        self._seen = alignment(self._comparison, self._names, self.rows, self._notes)
        self._picture.value = alignment_svg(self._seen)

    def __repr__(self) -> str:
        return alignment_text(self._seen)
