"""The swim lanes of a race, with a button for each race."""

from typing import Any

import ipywidgets as widgets

from kvmlab.errors import unknown
from kvmlab.show.lanes import lanes
from kvmlab.show.lanes_svg import lanes_svg
from kvmlab.show.lanes_text import lanes_text
from kvmlab.show.races import RACES, Told
from kvmlab.show.races import race as found
from kvmlab.show.widgets.controls import beside
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox


class SwimLanes(TwinBox):
    """The picture of :mod:`kvmlab.show.lanes_svg`; ``race`` is one of :data:`kvmlab.show.races.RACES`."""

    def __init__(self, race: str = "race 2") -> None:
        self._race = widgets.ToggleButtons(
            options=list(RACES), value=_known(race), style={"button_width": "auto"}
        )
        self._picture = widgets.HTML()
        super().__init__([beside("Race", self._race), self._picture])
        on_change(self._race, self._draw)
        self._draw()

    @property
    def race(self) -> str:
        """The race on show."""
        return str(self._race.value)

    @race.setter
    def race(self, wanted: str) -> None:
        self._race.value = _known(wanted)

    @property
    def told(self) -> Told:
        """Its scenarios, runs and schedule: what a stepper needs."""
        return found(self.race)

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def _draw(self, _: Any = None) -> None:
        self._shown = lanes(self.told)
        self._picture.value = lanes_svg(self._shown)

    def __repr__(self) -> str:
        return lanes_text(self._shown)


def _known(race: str) -> str:
    if race not in RACES:
        raise unknown("race", race, RACES)
    return race
