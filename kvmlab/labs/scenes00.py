"""What "Show me" opens in notebook 00: the moment that answers a question."""

from collections.abc import Callable

import ipywidgets as widgets

from kvmlab.labs import day
from kvmlab.labs.questions00 import OUTSIDE
from kvmlab.labs.watch00 import WATCH
from kvmlab.show.widgets.life import LocalApic
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.timeline import Timeline


def _asleep() -> Timeline:
    shown = day.timeline()
    for _ in range(2):  # The second HLT is the one of this round.
        shown.jump("HLT")
    shown.window = day.ROUND
    return shown


def _raised_twice() -> LocalApic:
    shown = LocalApic()
    shown.raise_vector()
    shown.raise_vector()
    shown.toggle_if()
    return shown


def _outside() -> Stepper:
    return Stepper(OUTSIDE.scenarios(), OUTSIDE.schedule, "Who sees the request?", watch=WATCH)


SCENES: dict[str, Callable[[], widgets.Widget]] = {
    "00.1": _asleep,
    "00.2": _raised_twice,
    "00.3": _outside,
}
"""Question -> what shows its answer."""
