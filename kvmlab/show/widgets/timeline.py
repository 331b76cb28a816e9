"""The timeline with its controls: a window to move, an event to step through, a reason to jump to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

import ipywidgets as widgets

from kvmlab.errors import unknown
from kvmlab.show.theme import MONO
from kvmlab.show.timeline import timeline_svg
from kvmlab.show.timeline_record import record
from kvmlab.show.timeline_text import timeline_text
from kvmlab.show.timeline_view import reason, trace_line, view
from kvmlab.show.widgets.turns import on_change, on_press
from kvmlab.show.widgets.twin import TwinBox
from kvmlab.traces.event import Event

STEPS = 200
"""An arrow key moves a handle by about this part of the window."""
CLOSEST = 100
"""No zoom shows less time than this."""
NOWHERE = "an exit reason"


class Timeline(TwinBox):
    """The picture of :mod:`kvmlab.show.timeline`, redrawn when the window or the event looked at changes.

    ``unit`` is that of the events' times ("ticks" or "ns"), ``note`` what must be said beside them.
    """

    def __init__(self, events: Iterable[Event], unit: str = "ticks", title: str = "", note: str = "") -> None:
        self.run = record(events, unit, title, note)
        self._index: int | None = None
        self._build()
        super().__init__(
            [
                widgets.HBox([self._window, self._in, self._out]),
                widgets.HBox([self._back, self._on, self._jump, self._again]),
                self._line,
                self._picture,
            ]
        )
        self._draw()

    def _build(self) -> None:
        """Make the controls; each has a name that says what it does."""
        run = self.run
        self._window = widgets.IntRangeSlider(
            value=(0, run.length),
            max=run.length,
            step=grid(run.length),
            description=f"Window ({run.unit})",
            style={"description_width": "initial"},
            layout={"width": "560px"},
        )
        self._in, self._out = _button("Zoom in"), _button("Zoom out")
        self._back, self._on = _button("Previous event"), _button("Next event")
        self._jump = widgets.Dropdown(
            options=[(NOWHERE, ""), *_counted(run.events)],
            description="Jump to",
            style={"description_width": "initial"},
            layout={"width": "300px"},
        )
        self._again = _button("Next such exit")
        self._line, self._picture = widgets.HTML(), widgets.HTML()
        self._connect()

    def _connect(self) -> None:
        on_change(self._window, self._draw)
        on_change(self._jump, self._chosen)
        on_press(self._in, lambda: self.zoom(0.5))
        on_press(self._out, lambda: self.zoom(2))
        on_press(self._back, self.previous)
        on_press(self._on, self.next)
        on_press(self._again, lambda: self.jump(self._jump.value) if self._jump.value else self.next())

    @property
    def window(self) -> tuple[int, int]:
        """What is in view, in the run's unit, counted from its first event."""
        start, end = self._window.value  # The two handles of a slider can be in the same place.
        start = min(start, self.run.length - 1)
        return start, max(end, start + 1)

    @window.setter
    def window(self, wanted: tuple[int, int]) -> None:
        start, end = view(self.run, wanted).window
        edges = [edge for edge in (start, end) if edge != self.run.length]
        with self._window.hold_sync():  # The browser moves a value that is between two steps.
            self._window.step = grid(end - start, *edges)
            self._window.value = (start, end)

    @property
    def current(self) -> Event | None:
        """The event looked at."""
        return None if self._index is None else self.run.events[self._index]

    @property
    def index(self) -> int | None:
        """Its number, from 0."""
        return self._index

    def next(self) -> Event:
        """Look at the next event, at first the first one in the window; return it."""
        last = len(self.run.events) - 1
        return self.look(self._first() if self._index is None else min(self._index + 1, last))

    def previous(self) -> Event:
        """Look at the event before; return it."""
        return self.look(self._first() if self._index is None else max(self._index - 1, 0))

    def jump(self, why: str) -> Event:
        """Look at the next exit with reason ``why``, after the last one at the first again; return it.

        Raises BadInput with the nearest reason if there is no such exit.
        """
        found = [i for i, event in enumerate(self.run.events) if _is_exit(event, why)]
        if not found:
            raise unknown("exit reason", why, {name for _, name in _counted(self.run.events)})
        after = -1 if self._index is None else self._index
        event = self.look(next((i for i in found if i > after), found[0]))
        self._jump.value = why
        return event

    def _chosen(self, why: str) -> None:
        """Follow the dropdown, unless it follows us."""
        if why and not (self.current and _is_exit(self.current, why)):
            self.jump(why)

    def look(self, index: int) -> Event:
        """Look at event ``index`` (from 0), bringing it into the window; return it."""
        self._index = view(self.run, current=index).current
        time, (start, end) = self.run.time(index), self.window
        if start <= time <= end:
            self._draw()
        else:
            self._show(time - (end - start) // 2, end - start)
        return self.run.events[index]

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as much time, around the event looked at if it is in view."""
        start, end = self.window
        seen = view(self.run, self.window, self._index)
        centre = (start + end) // 2
        if self._index is not None and seen.in_view:
            centre = self.run.time(self._index)
        wide = max(min(CLOSEST, self.run.length), int((end - start) * factor))
        self._show(centre - wide // 2, wide)

    def _show(self, start: int, wide: int) -> None:
        """Move the window, as near as the run's ends allow; a change of it draws."""
        step = grid(wide)
        start = max(0, min(start, self.run.length - wide)) // step * step
        wanted = start, min(-(-(start + wide) // step) * step, self.run.length)
        if self.window == wanted:
            self._draw()
        else:
            self.window = wanted

    def _first(self) -> int:
        """Return the first event of the window, or if it has none the next one."""
        return min(view(self.run, self.window).events().start, len(self.run.events) - 1)

    def _draw(self, _: Any = None) -> None:
        self._view = view(self.run, self.window, self._index)
        self._picture.value = timeline_svg(self._view)
        self._line.value = _shown(trace_line(self.run, self._index) if self._index is not None else "")
        self._back.disabled = self._index == 0
        self._on.disabled = self._index == len(self.run.events) - 1
        self._again.disabled = not self._jump.value

    def __repr__(self) -> str:
        return timeline_text(self._view)


def grid(wide: int, *through: int) -> int:
    """Return the slider's step for a window: 1, 2 or 5 times a power of ten that divides ``through``."""
    steps: Iterator[int] = (n * 10**power for power in range(len(str(wide)), -1, -1) for n in (5, 2, 1))
    return next(s for s in steps if s == 1 or s * STEPS <= wide and all(edge % s == 0 for edge in through))


def _button(name: str) -> widgets.Button:
    return widgets.Button(description=name, layout={"width": "auto"})


def _is_exit(event: Event, why: str) -> bool:
    return event.name == "kvm_exit" and reason(event) == why


def _counted(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Return the exit reasons as a dropdown shows them: with their number, the most frequent first."""
    times = Counter(reason(event) for event in events if event.name == "kvm_exit")
    ranked = sorted(times.items(), key=lambda item: (-item[1], item[0]))
    return [(f"{name} ({n})", name) for name, n in ranked]


def _shown(line: str) -> str:
    """Return a trace line as HTML: what it says is text, whatever it is."""
    words = escape(line) if line else "No event is looked at: press Next event, or choose where to jump."
    look = f"font-family:{escape(MONO)};white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.4"
    return f'<div role="status" style="{look};min-height:2.8em">{words}</div>'
