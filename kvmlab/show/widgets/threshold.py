"""The threshold with its two controls: how far L2 would run, and whether L1 injects."""

from typing import Any

import ipywidgets as widgets

from kvmlab.errors import BadInput
from kvmlab.show.methods import METHODS, count, rows, sentence, threshold_text
from kvmlab.show.threshold import threshold_svg
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

COUNTS = (0, 1, 2, 3, 10, 30, 100, 300, 1000, 3000, 10000)
"""What the slider offers: every tick of the ruler, and a place between two decades."""


class Threshold(TwinBox):
    """The picture of :mod:`kvmlab.show.threshold`, redrawn when ``k`` or ``inject`` changes."""

    def __init__(self, k: int = 1000, inject: bool = True, methods: dict[str, str] = METHODS) -> None:
        self._methods = methods
        self._k = widgets.SelectionSlider(
            options=[(count(n), n) for n in COUNTS],
            value=_offered(k),
            description="Next natural exit after",
            style={"description_width": "initial"},
            layout={"width": "540px"},
        )
        self._inject = widgets.Checkbox(
            inject, description="L1 injects 0x31", indent=False, layout={"margin": "2px 0 0 24px"}
        )
        self._picture = widgets.HTML()
        super().__init__([widgets.HBox([self._k, self._inject]), self._picture])
        on_change(self._k, self._draw)
        on_change(self._inject, self._draw)
        self._draw()

    @property
    def k(self) -> int:
        """After how many instructions L2 would leave on its own; one of :data:`COUNTS`."""
        return int(self._k.value)

    @k.setter
    def k(self, instructions: int) -> None:
        self._k.value = _offered(instructions)

    @property
    def inject(self) -> bool:
        """Whether L1 injects 0x31."""
        return bool(self._inject.value)

    @inject.setter
    def inject(self, wanted: bool) -> None:
        self._inject.value = wanted

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return sentence(self._rows)

    def _draw(self, _: Any = None) -> None:
        self._rows = rows(self.k, self.inject, self._methods)
        self._picture.value = threshold_svg(self._rows)

    def __repr__(self) -> str:
        return threshold_text(self._rows)


def _offered(k: int) -> int:
    if k not in COUNTS:
        raise BadInput(f"k={k}: the slider has {', '.join(map(str, COUNTS))}")
    return k
