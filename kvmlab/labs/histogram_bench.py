"""The bench of the histograms: the guest, the host's knobs, and the kernels."""

from functools import lru_cache, partial
from typing import Any

import ipywidgets as widgets

from kvmlab.errors import unknown
from kvmlab.labs import plots
from kvmlab.labs.computing import computing
from kvmlab.labs.draws import KEPT, Setting
from kvmlab.labs.histogram import Histogram, histogram, histogram_text
from kvmlab.labs.prose import paragraph
from kvmlab.show.widgets.controls import beside
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

PAIRS = {" → ".join(pair): pair for pair in (("v4.7", "64672c9"), ("v6.1+preemption-timer=0", "v6.1"))}
"""What is compared, by the kernels' names."""
WINDOWS = (0, 50, 100, 200, 300, 400)
C_STATES = (0, 1, 2, 5, 10)
ADVANCES = (0, 250, 500, 1000, 2000)
STYLE, GAP = {"description_width": "initial"}, "2px 0 0 20px"


class LatencyHistogram(TwinBox):
    """Two histograms, drawn again when a knob is turned; every knob can be set by its name."""

    def __init__(self, pair: str = "v4.7 → 64672c9", **setting: Any) -> None:
        self._settling = False
        self._make_controls()
        top = widgets.HBox([beside("Guest", self._guest), self._pair])
        more = widgets.VBox([self._c_state, self._isolated])
        closed = widgets.Accordion([more], titles=["More"], layout={"width": "760px"})
        self._picture, self._foot = widgets.HTML(), widgets.HTML()
        super().__init__([top, self._window, self._advance, closed, self._picture, self._foot])
        self._show(_known(pair), Setting(**setting))

    @property
    def shown(self) -> Histogram:
        """What is on show, as data."""
        return self._shown

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def set(self, *, pair: str = "", **new: Any) -> None:
        """Turn knobs by name: guest, window, c_state, isolated, advance; or compare another pair of kernels.

        Raises BadInput, and changes nothing, for what cannot be.
        """
        values = {name: control.value for name, control in self._knobs.items()}
        self._show(_known(pair or self._pair.value), Setting(**values | new))

    def _make_controls(self) -> None:
        self._guest = widgets.ToggleButtons(options=["idle-poll", "halt"], style={"button_width": "80px"})
        self._window = _slider("Polling window, µs", WINDOWS)
        self._advance = _slider("Advance, ns", ADVANCES)
        self._c_state = _slider("C-state exit, µs", C_STATES)
        self._isolated = widgets.Checkbox(
            description="isolated host CPU", indent=False, layout={"margin": GAP}
        )
        self._pair = widgets.Dropdown(
            options=list(PAIRS), description="Kernels", style=STYLE, layout={"width": "320px", "margin": GAP}
        )
        for name, control in (*self._knobs.items(), ("pair", self._pair)):
            on_change(control, partial(self._turned, name))

    @property
    def _knobs(self) -> dict[str, widgets.Widget]:
        return {
            "guest": self._guest,
            "window": self._window,
            "advance": self._advance,
            "c_state": self._c_state,
            "isolated": self._isolated,
        }

    def _turned(self, name: str, value: Any) -> None:
        """Follow a control; while others wait for their turn, one that is settled may hold an older value."""
        if not self._settling:
            self.set(**{name: value})

    def _show(self, pair: str, setting: Setting) -> None:
        with computing(self._foot, self._picture):
            self._shown = histogram(PAIRS[pair], setting)
            self._settle(pair, setting)
            self._picture.value = _picture(self._shown)
            self._foot.value = paragraph(self.foot, role="status")

    def _settle(self, pair: str, setting: Setting) -> None:
        """Let the controls show what is on show."""
        self._settling = True
        for name, control in self._knobs.items():
            _put(control, getattr(setting, name))
        self._pair.value = pair
        self._settling = False

    def __repr__(self) -> str:
        return histogram_text(self._shown)


@lru_cache(KEPT)
def _picture(shown: Histogram) -> str:
    draw = plots.histogram(shown.before, shown.after, shown.kernels, shown.bins())
    return plots.plot_html(draw, shown.foot)


def _slider(name: str, values: tuple[int, ...]) -> widgets.SelectionSlider:
    options = [(str(value), value) for value in values]
    style = {"description_width": "140px"}
    # A drag is one change: drawn for every value on the way, it would lag behind the hand.
    return widgets.SelectionSlider(
        options=options,
        description=name,
        continuous_update=False,
        style=style,
        layout={"width": "480px"},
    )


def _put(control: widgets.Widget, value: Any) -> None:
    """Show a value; a slider that does not offer it gets it as one more."""
    if isinstance(control, widgets.SelectionSlider) and value not in dict(control.options).values():
        control.options = sorted([*control.options, (str(value), value)], key=lambda option: option[1])
    control.value = value


def _known(pair: str) -> str:
    if pair not in PAIRS:
        raise unknown("pair", pair, PAIRS)
    return pair
