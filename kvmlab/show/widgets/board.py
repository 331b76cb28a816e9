"""The board with its switches."""

from functools import partial

import ipywidgets as widgets

from kvmlab.errors import unknown
from kvmlab.show.board import SWITCHES, Board, board_svg, board_text
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox


class Switches(TwinBox):
    """The picture of :mod:`kvmlab.show.board`; each patch can be turned off and on, by its hash."""

    def __init__(self) -> None:
        self._shown = Board()
        self._buttons = [_button(switch.commit) for switch in SWITCHES]
        self._picture = widgets.HTML()
        super().__init__([widgets.HBox(self._buttons), self._picture])
        for n, made in enumerate(self._buttons):
            on_change(made, partial(self._turned, n))
        self._draw()

    @property
    def on(self) -> tuple[str, ...]:
        """The patches that are on."""
        return tuple(s.commit for s, on in zip(SWITCHES, self._shown.on, strict=True) if on)

    def turn(self, commit: str, on: bool = True) -> None:
        """Turn a patch on or off; raise BadInput, with the nearest hash, if it is not on the board."""
        names = [switch.commit for switch in SWITCHES]
        if commit not in names:
            raise unknown("switch", commit, names)
        self._buttons[names.index(commit)].value = on

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def _turned(self, n: int, on: bool) -> None:
        self._shown = self._shown.turn(n, on)
        self._draw()

    def _draw(self) -> None:
        self._picture.value = board_svg(self._shown)

    def __repr__(self) -> str:
        return board_text(self._shown)


def _button(commit: str) -> widgets.ToggleButton:
    return widgets.ToggleButton(
        description=commit, tooltip=f"turn {commit} on or off", layout={"width": "120px"}
    )
