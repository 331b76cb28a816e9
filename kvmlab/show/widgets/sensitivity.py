"""What a headline rests on, with a button for each headline."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from kvmlab.errors import unknown
from kvmlab.show.sensitivity import Rests, rests
from kvmlab.show.sensitivity_svg import sensitivity_svg
from kvmlab.show.sensitivity_text import sensitivity_text
from kvmlab.show.widgets.controls import beside
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

HEADLINES = ("busy gain %", "cyclictest %", "halting gain", "busy")
"""What is offered unless others are asked for."""


class RestsOn(TwinBox):
    """The picture of :mod:`kvmlab.show.sensitivity_svg`; ``headline`` is one of those offered."""

    def __init__(self, headline: str = HEADLINES[0], offered: Sequence[str] = HEADLINES) -> None:
        self._offered = tuple(offered)
        self._headline = widgets.ToggleButtons(
            options=self._offered, value=self._known(headline), style={"button_width": "auto"}
        )
        self._picture = widgets.HTML()
        super().__init__([beside("Figure", self._headline), self._picture])
        on_change(self._headline, self._draw)
        self._draw()

    @property
    def headline(self) -> str:
        """The headline on show."""
        return str(self._headline.value)

    @headline.setter
    def headline(self, name: str) -> None:
        self._headline.value = self._known(name)

    @property
    def shown(self) -> Rests:
        """What is on show, as data."""
        return self._shown

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def _known(self, name: str) -> str:
        if name not in self._offered:
            raise unknown("headline", name, self._offered)
        return name

    def _draw(self, _: Any = None) -> None:
        self._shown = rests(self.headline)
        self._picture.value = sensitivity_svg(self._shown)

    def __repr__(self) -> str:
        return sensitivity_text(self._shown)
