"""The bench of The lost wake-up: two lists with Up and Down, and a button Check."""

from collections.abc import Sequence

import ipywidgets as widgets

from kvmlab.labs.checked import Checked
from kvmlab.labs.transfer import WATCH, judge
from kvmlab.scenarios.wakeup import WAITER, WAKER
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.order_list import OrderList
from kvmlab.show.widgets.twin import TwinBox

WAITER_SAYS = {name: f"{name}: {step.says}" for name, step in WAITER.items()}
WAKER_SAYS = {name: f"{name}: {step.says}" for name, step in WAKER.items()}

NAIVE = ("test", "publish", "sleep", "barrier"), ("read", "wake", "set", "barrier")
"""An order to begin with."""


def check_wakeup(waiter: str, waker: str) -> Checked:
    """Try every schedule of the two sides, each an order like ``test, publish, barrier, sleep``.

    Raises BadInput unless each side names each of its four steps once.
    """
    return Checked(judge(_names(waiter), _names(waker)), WATCH)


def _names(order: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in order.split(","))


class WakeupBench(TwinBox):
    """The steps of both sides, each in an order of one's own."""

    def __init__(self) -> None:
        self._waiter = OrderList("Waiter", WAITER_SAYS, NAIVE[0])
        self._waker = OrderList("Waker", WAKER_SAYS, NAIVE[1])
        self._result = widgets.VBox()
        self._last: Checked | None = None
        check = button("Check", self._check, "try every schedule")
        super().__init__([self._waiter, self._waker, check, self._result])
        for side in (self._waiter, self._waker):
            side.on_change(self._forget)

    def order(self, waiter: Sequence[str], waker: Sequence[str]) -> None:
        """Put both sides in order; raise BadInput unless each step is named once."""
        self._waiter.order, self._waker.order = tuple(waiter), tuple(waker)

    def check(self) -> Checked:
        """Press Check; return what was found."""
        self._check()
        assert self._last is not None
        return self._last

    def _check(self) -> None:
        self._last = Checked(judge(self._waiter.order, self._waker.order), WATCH)
        self._result.children = (self._last,)

    def _forget(self) -> None:
        """An old verdict under a new order would be a lie."""
        self._last, self._result.children = None, ()

    def __repr__(self) -> str:
        lines = ["The lost wake-up"]
        for title, side in (("waiter", self._waiter), ("waker", self._waker)):
            lines.append(f"  {title}: {', '.join(side.order)}")
        return "\n".join([*lines, *([repr(self._last)] if self._last else [])])
