"""The trailer with its one switch."""

from typing import Any

import ipywidgets as widgets

from kvmlab.show.trailer import take, trailer_svg, trailer_text
from kvmlab.show.widgets.controls import beside
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox


class Trailer(TwinBox):
    """The picture of :mod:`kvmlab.show.trailer`, redrawn when the switch is turned."""

    def __init__(self, fixed: bool = False) -> None:
        self._switch = widgets.ToggleButtons(
            options=[("off", False), ("on", True)], value=fixed, style={"button_width": "80px"}
        )
        self._picture = widgets.HTML()
        super().__init__([beside("The fix", self._switch), self._picture])
        on_change(self._switch, self._draw)
        self._draw()

    @property
    def fixed(self) -> bool:
        """Whether the fix is on."""
        return bool(self._switch.value)

    @fixed.setter
    def fixed(self, wanted: bool) -> None:
        self._switch.value = wanted

    @property
    def counter(self) -> int:
        """What the guest's counter reads in the end."""
        return self._shown.counter

    def _draw(self, _: Any = None) -> None:
        self._shown = take(self.fixed)
        self._picture.value = trailer_svg(self._shown)

    def __repr__(self) -> str:
        return trailer_text(self._shown)
