"""The door with a button for the next line."""

from collections.abc import Sequence

import ipywidgets as widgets

from kvmlab.show.door import door, door_text
from kvmlab.show.door_svg import door_svg
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.twin import TwinBox
from kvmlab.traces.event import Event


class Door(TwinBox):
    """The picture of :mod:`kvmlab.show.door`; each press reads one line more."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._shown = door(events)
        self._back = button("Back", self.back, "forget the last line", "auto")
        self._on = button("Next line", self.next, "read one line more", "auto")
        self._picture = widgets.HTML()
        super().__init__([widgets.HBox([self._back, self._on]), self._picture])
        self._draw()

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def next(self) -> str:
        """Read the next line, if there is one; return what it says."""
        return self._to(min(self._shown.seen + 1, len(self._shown.events)))

    def back(self) -> str:
        """Go back by a line, if one was read; return what the one before says."""
        return self._to(max(self._shown.seen - 1, 0))

    def _to(self, seen: int) -> str:
        self._shown = door(self._shown.events, seen)
        self._draw()
        return self.foot

    def _draw(self) -> None:
        self._picture.value = door_svg(self._shown)
        self._back.disabled = not self._shown.seen
        self._on.disabled = self._shown.seen == len(self._shown.events)

    def __repr__(self) -> str:
        return door_text(self._shown)
