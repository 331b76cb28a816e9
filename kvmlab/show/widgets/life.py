"""An interrupt's life with its three buttons."""

from collections.abc import Callable

import ipywidgets as widgets

from kvmlab.show.life import VECTOR, Life
from kvmlab.show.life_svg import life_svg
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.twin import TwinBox


class LocalApic(TwinBox):
    """The picture of :mod:`kvmlab.show.life`: raise, toggle IF, EOI."""

    def __init__(self) -> None:
        self.life = Life()
        self._raise = button(f"Raise {VECTOR:#x}", self.raise_vector, "a device raises it", "auto")
        self._toggle = button("", self.toggle_if, "the guest allows interrupts, or forbids them", "auto")
        self._end = button("EOI", self.end, "the guest's handler says that it is done", "auto")
        self._picture = widgets.HTML()
        super().__init__([widgets.HBox([self._raise, self._toggle, self._end]), self._picture])
        self._draw()

    def raise_vector(self) -> None:
        """Press the first button: a device raises the vector."""
        self._do(self.life.raise_vector)

    def toggle_if(self) -> None:
        """Press the second: the guest's IF changes."""
        self._do(self.life.toggle_if)

    def end(self) -> None:
        """Press the third: the guest's handler writes EOI."""
        self._do(self.life.end)

    @property
    def ran(self) -> int:
        """How often the handler has run."""
        return self.life.ran

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self.life.foot

    def _do(self, act: Callable[[], None]) -> None:
        act()
        self._draw()

    def _draw(self) -> None:
        self._toggle.description = f"IF := {int(not self.life.interrupts_on)}"
        self._picture.value = life_svg(self.life)

    def __repr__(self) -> str:
        return repr(self.life)
