"""What "Show me" opens in notebook 04: the moment that answers a question."""

from collections.abc import Callable

import ipywidgets as widgets

from kvmlab.show.cards import ENTRY
from kvmlab.show.widgets.cards import Cards
from kvmlab.show.widgets.landing import Landings

SCENES: dict[str, Callable[[], widgets.Widget]] = {
    "04.1": lambda: Cards(("timer0", "ipi"), at=ENTRY),
    "04.2": lambda: Landings(phase=20),
    "04.3": lambda: Cards(("ipi", "timer0"), at=ENTRY),
}
"""Question -> what shows its answer."""
