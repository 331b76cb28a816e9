"""The calculator of the timer's arithmetic: change a number, and the countdown follows."""

from functools import partial
from typing import Any

import ipywidgets as widgets

from kvmlab.show.countdown import RATES, Countdown
from kvmlab.show.countdown_svg import countdown_svg
from kvmlab.show.countdown_text import countdown_text
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

ARMED = 1000
"""The host's TSC when KVM arms the timer."""
ENTRIES = 1064 - ARMED
"""So late the entry may be: two ticks of the usual 32 cycles."""
FARTHEST = 1 << 48

STYLE = {"description_width": "initial"}


class Calculator(TwinBox):
    """The picture of :mod:`kvmlab.show.countdown_svg` with the numbers that it is made of.

    ``rate`` is X, ``ahead`` the deadline in guest cycles from the arming at TSC 1000, ``entry`` the TSC at
    which the guest is entered; ``host_mhz`` and ``guest_mhz`` are how fast the two TSCs count.
    """

    def __init__(self, **given: int) -> None:
        self._shown = _countdown(**given)
        self._settling = False
        self._make_controls()
        more = widgets.Accordion(
            [widgets.HBox([self._host, self._guest])], titles=["More"], layout={"width": "560px"}
        )
        super().__init__([widgets.HBox([self._ahead, self._entry, self._rate]), more, self._picture])
        self._show(self._shown)

    @property
    def shown(self) -> Countdown:
        """What is on show, as data."""
        return self._shown

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def set(self, **new: int) -> None:
        """Change numbers by name; raise BadInput, and change nothing, for what cannot be."""
        self._show(_countdown(**self._numbers | new))

    @property
    def _numbers(self) -> dict[str, int]:
        now = self._shown
        mhz = {"host_mhz": now.host_khz // 1000, "guest_mhz": now.guest_khz // 1000}
        return {"rate": now.rate, "ahead": now.ahead, "entry": now.entry, **mhz}

    def _make_controls(self) -> None:
        self._ahead = _number("Deadline in", 0, FARTHEST, "240px")
        self._entry = widgets.IntSlider(
            min=ARMED,
            max=ARMED + ENTRIES,
            description="VM entry at TSC",
            style=STYLE,
            layout={"width": "420px"},
        )
        self._rate = _number("X", RATES[0], RATES[-1], "110px")
        self._host = _number("Host's TSC, MHz", 1, 10_000, "220px")
        self._guest = _number("Guest's TSC, MHz", 1, 10_000, "220px")
        self._picture = widgets.HTML()
        for name, control in self._named.items():
            on_change(control, partial(self._moved, name))

    @property
    def _named(self) -> dict[str, widgets.Widget]:
        """The controls by the name of their number."""
        more = {"host_mhz": self._host, "guest_mhz": self._guest}
        return {"ahead": self._ahead, "entry": self._entry, "rate": self._rate, **more}

    def _moved(self, name: str, value: Any) -> None:
        """Follow a control, unless it follows us."""
        if not self._settling:
            self.set(**{name: value})

    def _show(self, shown: Countdown) -> None:
        self._shown = shown
        self._settling = True
        for name, control in self._named.items():
            control.value = self._numbers[name]
        self._settling = False
        self._picture.value = countdown_svg(shown)

    def __repr__(self) -> str:
        return countdown_text(self._shown)


def _countdown(
    rate: int = 5, ahead: int = 100, entry: int = 1010, host_mhz: int = 2400, guest_mhz: int = 2400
) -> Countdown:
    khz = {"host_khz": host_mhz * 1000, "guest_khz": guest_mhz * 1000}
    return Countdown(rate=rate, armed=ARMED, ahead=ahead, entry=entry, **khz)


def _number(name: str, low: int, high: int, wide: str) -> widgets.BoundedIntText:
    return widgets.BoundedIntText(
        min=low, max=high, value=low, description=name, style=STYLE, layout={"width": wide}
    )
