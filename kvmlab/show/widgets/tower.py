"""The level view: a picture of one state, or one that follows a stepper."""

from collections.abc import Mapping

import ipywidgets as widgets

from kvmlab.show.tower import Tower, tower
from kvmlab.show.tower_svg import tower_svg
from kvmlab.show.tower_text import tower_text
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.twin import TwinBox


class LevelView(TwinBox):
    """The picture of :mod:`kvmlab.show.tower_svg`; :attr:`seen` can be set."""

    def __init__(self, seen: Tower, title: str = "Levels") -> None:
        self._seen, self._title = seen, title
        self._picture = widgets.HTML()
        super().__init__([self._picture])
        self.seen = seen

    @property
    def seen(self) -> Tower:
        """What is on show."""
        return self._seen

    @seen.setter
    def seen(self, wanted: Tower) -> None:
        self._seen = wanted
        self._picture.value = tower_svg(wanted, self._title)

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._seen.foot

    def __repr__(self) -> str:
        return tower_text(self._seen, self._title)


def following(stepper: Stepper, notes: Mapping[int, str] | None = None) -> LevelView:
    """Return the levels of the stepper's scenario as they are at its cursor.

    Raises BadInput for a scenario without a KVM.
    """
    desk = stepper.desk
    shown = LevelView(tower(desk.scenario, desk.session.state, notes))

    def follow(_: Stepper) -> None:
        shown.seen = tower(desk.scenario, desk.session.state, notes)

    stepper.on_draw(follow)
    return shown
