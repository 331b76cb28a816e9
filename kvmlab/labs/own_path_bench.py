"""The bench of Build your own entry path: a list with Up and Down, judged at once."""

from collections.abc import Sequence

import ipywidgets as widgets

from kvmlab.labs.checked import Checked
from kvmlab.labs.own_path import SAYS, judge
from kvmlab.show.widgets.order_list import OrderList
from kvmlab.show.widgets.twin import TwinBox

FIRST = ("sync", "mode", "irq_off", "recheck")
"""v4.10's order."""


def check_path(order: str) -> Checked:
    """Try every schedule of every sender on the entry path in an order like ``irq_off, mode, sync, recheck``.

    Raises BadInput unless sync, mode and irq_off are named once each, and recheck at most once.
    """
    return Checked(judge(order.split(",")))


class OwnPathBench(TwinBox):
    """The steps of the entry path in an order of one's own; every change is judged at once."""

    def __init__(self, order: Sequence[str] = FIRST) -> None:
        self._list = OrderList("Entry path", SAYS, order)
        self._result = widgets.VBox()
        super().__init__([self._list, self._result])
        self._list.on_change(self._judge)
        self._judge()

    @property
    def order(self) -> tuple[str, ...]:
        """The steps by their short names, the first one first."""
        return self._list.order

    @order.setter
    def order(self, names: Sequence[str]) -> None:
        self._list.order = tuple(names)

    @property
    def result(self) -> Checked:
        """What was found about the order on show."""
        return self._found

    def move(self, name: str, by: int) -> None:
        """Move a step down so many places, up if negative; raise BadInput for a step that is none."""
        self._list.move(name, by)

    def _judge(self) -> None:
        self._found = Checked(judge(self.order))
        self._result.children = (self._found,)

    def __repr__(self) -> str:
        lines = [f"  {n}. {SAYS[name]}" for n, name in enumerate(self.order, 1)]
        return "\n".join(["Build your own entry path", *lines, repr(self._found)])
