"""What "Show me" opens in notebook 02: the moment that answers a question."""

from collections.abc import Callable

import ipywidgets as widgets

from kvmlab.labs.timer_traces import WITH, WITHOUT, name_of, one_round
from kvmlab.show.widgets.alignment import Compare
from kvmlab.show.widgets.countdown import Calculator
from kvmlab.show.widgets.timeline import Timeline
from kvmlab.traces import load
from kvmlab.traces.compare import compare

TITLE = "A guest that arms its timer and halts, preemption_timer=1"
NOTE = "recorded, Linux 6.1 on an emulated CPU: 1 tick = 1 instruction, no real time"
ROUND = (195_000, 260_000)
"""The end of the first round's sleep, and the second round up to where it sleeps."""


def both_rounds() -> Compare:
    """Return one round of the busy guest, without the preemption timer and with it, line by line."""
    shown = Compare(compare(one_round(WITHOUT), one_round(WITH)), (WITHOUT, WITH))
    shown.show_all()
    return shown


def halting() -> Timeline:
    """Return the halting guest's timeline, a round of it."""
    shown = Timeline(load(name_of("halt", WITH)), "ticks", TITLE, NOTE)
    shown.window = ROUND
    return shown


SCENES: dict[str, Callable[[], widgets.Widget]] = {
    "02.1": both_rounds,
    "02.2": halting,
    "02.3": Calculator,
}
"""Question -> what shows its answer."""
