"""The map of orders with a button for each corner."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from kvmlab.show.order_map import CORNERS, corner, order_map, order_map_text
from kvmlab.show.order_map_svg import order_map_svg
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

Follow = Callable[[tuple[str, ...]], object]
"""What is called with the order that was chosen: sync, mode and irq_off, from above."""


class OrderMap(TwinBox):
    """The picture of :mod:`kvmlab.show.order_map_svg`; ``order`` is the corner that is looked at."""

    def __init__(self, order: str | Sequence[str] = CORNERS[0]) -> None:
        self._followers: list[Follow] = []
        self._corners = widgets.ToggleButtons(
            options=[(", ".join(order), n) for n, order in enumerate(CORNERS)],
            value=corner(order),
            style={"button_width": "auto"},
            tooltips=["clockwise from the bottom"] * len(CORNERS),
        )
        self._picture = widgets.HTML()
        super().__init__([self._corners, self._picture])
        on_change(self._corners, self._draw)
        self._draw()

    @property
    def order(self) -> tuple[str, ...]:
        """The order of the chosen corner; ``sync,mode,irq_off`` can be set too."""
        return CORNERS[self._corners.value]

    @order.setter
    def order(self, wanted: str | Sequence[str]) -> None:
        self._corners.value = corner(wanted)

    def on_choose(self, follow: Follow) -> None:
        """Call ``follow`` with the order now, and whenever another corner is chosen."""
        self._followers.append(follow)
        follow(self.order)

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def _draw(self, _: Any = None) -> None:
        self._shown = order_map(self.order)
        self._picture.value = order_map_svg(self._shown)
        for follow in self._followers:
            follow(self.order)

    def __repr__(self) -> str:
        return order_map_text(self._shown)
