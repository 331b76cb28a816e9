"""The design space, shown: there is nothing to choose."""

import ipywidgets as widgets

from kvmlab.show.space import space, space_text
from kvmlab.show.space_svg import space_svg
from kvmlab.show.widgets.twin import TwinBox


class DesignSpace(TwinBox):
    """The picture of :mod:`kvmlab.show.space_svg`; making the first one explores every order."""

    def __init__(self) -> None:
        self._shown = space()
        super().__init__([widgets.HTML(space_svg(self._shown))])

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def __repr__(self) -> str:
        return space_text(self._shown)
