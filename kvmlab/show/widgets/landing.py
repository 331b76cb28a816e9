"""One instead of zero, with its knob: the phase of the TSC at the entry."""

from typing import Any

import ipywidgets as widgets

from kvmlab.errors import BadInput
from kvmlab.show.landing import PERIOD, foot, landing_svg, landing_text
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox


class Landings(TwinBox):
    """The picture of :mod:`kvmlab.show.landing`, redrawn when the phase changes."""

    def __init__(self, phase: int = 0) -> None:
        self._phase = widgets.IntSlider(
            value=_possible(phase),
            min=0,
            max=PERIOD - 1,
            description=f"TSC mod {PERIOD} at the entry",
            style={"description_width": "initial"},
            layout={"width": "540px"},
        )
        self._picture = widgets.HTML()
        super().__init__([self._phase, self._picture])
        on_change(self._phase, self._draw)
        self._draw()

    @property
    def phase(self) -> int:
        """The low bits of the TSC at the entry."""
        return int(self._phase.value)

    @phase.setter
    def phase(self, wanted: int) -> None:
        self._phase.value = _possible(wanted)

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return foot(self.phase)

    def _draw(self, _: Any = None) -> None:
        self._picture.value = landing_svg(self.phase)

    def __repr__(self) -> str:
        return landing_text(self.phase)


def _possible(phase: int) -> int:
    if not 0 <= phase < PERIOD:
        raise BadInput(f"phase={phase}: 0 to {PERIOD - 1}")
    return phase
