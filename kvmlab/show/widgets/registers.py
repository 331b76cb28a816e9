"""The registers with one button: a line, and the grid of all vectors behind it. It can follow a stepper."""

from typing import Any

import ipywidgets as widgets

from kvmlab.show.registers import Moment, Registers
from kvmlab.show.registers_foot import foot
from kvmlab.show.registers_source import after, of_scenario
from kvmlab.show.registers_svg import registers_svg
from kvmlab.show.registers_text import registers_text
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox


class RegisterView(TwinBox):
    """The picture of :mod:`kvmlab.show.registers_svg`; the button opens and closes the grid."""

    def __init__(self, now: Registers, was: Registers | None = None, grid: bool = False) -> None:
        self._moment = Moment(now, was)
        self._grid = widgets.ToggleButton(
            value=grid, description="Grid", tooltip="all 256 vectors, by class", layout={"width": "80px"}
        )
        self._picture = widgets.HTML()
        super().__init__([self._grid, self._picture])
        on_change(self._grid, self._draw)
        self._draw()

    @property
    def grid(self) -> bool:
        """Whether the grid is open."""
        return bool(self._grid.value)

    @grid.setter
    def grid(self, wanted: bool) -> None:
        self._grid.value = wanted

    @property
    def moment(self) -> Moment:
        """What is on show."""
        return self._moment

    @moment.setter
    def moment(self, wanted: Moment) -> None:
        self._moment = wanted
        self._draw()

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return foot(self._moment)

    def _draw(self, _: Any = None) -> None:
        self._picture.value = registers_svg(self._moment, self.grid)

    def __repr__(self) -> str:
        return registers_text(self._moment, self.grid)


def following(stepper: Stepper, who: str = "vcpu", grid: bool = False) -> RegisterView:
    """Return a view of ``who``, a record of the stepper's scenario, that follows the stepper's cursor.

    Raises BadInput for a record that is not there or has no interrupt registers.
    """
    desk = stepper.desk
    shown = RegisterView(of_scenario(desk.scenario, desk.session.state, who), grid=grid)

    def follow(_: Stepper) -> None:
        shown.moment = after(desk.scenario, desk.session.past, who)

    stepper.on_draw(follow)
    return shown
