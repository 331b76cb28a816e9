"""Handlers of controls: one at a time, whatever thread a control's message comes in on.

A kernel may serve the controls of one picture in several threads: ipykernel 7.4 takes a message to the
thread in which that control spoke last. Without turns, a slow answer to one control would be drawn over
the answer to the next.
"""

from collections.abc import Callable
from threading import RLock
from typing import Any

import ipywidgets as widgets

TURN = RLock()
"""One for all, since pictures follow one another; re-entrant, since a handler may set a control."""


def on_change(control: widgets.Widget, act: Callable[[Any], object]) -> None:
    """Call ``act`` with the new value whenever the control's value changes."""

    def changed(change: Any) -> None:
        with TURN:
            act(change["new"])

    control.observe(changed, "value")


def on_press(button: widgets.Button, act: Callable[[], object]) -> None:
    """Call ``act`` whenever the button is pressed."""

    def pressed(_: widgets.Button) -> None:
        with TURN:
            act()

    button.on_click(pressed)
