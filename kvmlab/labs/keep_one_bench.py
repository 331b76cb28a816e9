"""The bench of Keep one alarm: six steps and a divider, Up and Down, and a button Check."""

from collections.abc import Sequence

import ipywidgets as widgets

from kvmlab.labs.alarm_grid import alarm_story
from kvmlab.labs.alarm_pieces import HALT, SAYS
from kvmlab.labs.checked import Checked
from kvmlab.labs.computing import computing
from kvmlab.labs.judgement import Judgement
from kvmlab.labs.keep_one import WATCH, judge
from kvmlab.schedulers.replay import replay
from kvmlab.show.alarm_story_svg import alarm_story_svg
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.order_list import OrderList
from kvmlab.show.widgets.twin import TwinBox

FIRST = ("cancel", "done", HALT, "start", "give up", "recheck", "set")
"""An order to begin with: nowhere near one that holds, nor its mirror."""


def check_switch(before: str, after: str) -> Checked:
    """Try every schedule of a switch: the steps before the halt and those behind it, like ``give up, start``.

    Raises BadInput unless each of the six steps is named once.
    """
    return Checked(judge((*_names(before), HALT, *_names(after))), WATCH)


def _names(order: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in order.split(",") if name.strip())


class KeepOneBench(TwinBox):
    """The steps of the switch in an order of one's own; what breaks shows its alarm line and its schedule."""

    def __init__(self, order: Sequence[str] = FIRST) -> None:
        self._list = OrderList("Switch", SAYS, order)
        self._said, self._result = widgets.HTML(), widgets.VBox()
        self._last: Checked | None = None
        check = button("Check", self._check, "try every schedule")
        super().__init__([self._list, widgets.HBox([check, self._said]), self._result])
        self._list.on_change(self._forget)

    @property
    def order(self) -> tuple[str, ...]:
        """The steps by their short names, and the divider."""
        return self._list.order

    @order.setter
    def order(self, names: Sequence[str]) -> None:
        self._list.order = tuple(names)

    def move(self, name: str, by: int) -> None:
        """Move a step down so many places, up if negative; raise BadInput for a step that is none."""
        self._list.move(name, by)

    def check(self) -> Checked:
        """Press Check; return what was found."""
        self._check()
        assert self._last is not None
        return self._last

    def _check(self) -> None:
        with computing(self._said, self._result):
            self._last = Checked(judge(self.order), WATCH)
            found = self._last.found
            line = () if found.passed else (widgets.HTML(alarm_line(found)),)
            self._result.children = (*line, self._last)

    def _forget(self) -> None:
        """An old verdict under a new order would be a lie."""
        self._last, self._result.children = None, ()

    def __repr__(self) -> str:
        lines = [f"  {n}. {name}: {SAYS[name]}" for n, name in enumerate(self.order, 1)]
        return "\n".join(["Keep one alarm", *lines, *([repr(self._last)] if self._last else [])])


def alarm_line(found: Judgement) -> str:
    """Return the picture of who has the alarm in the schedule that breaks an answer."""
    run = replay(found.scenario.system, found.schedule)
    return alarm_story_svg(alarm_story(found.scenario, run))
