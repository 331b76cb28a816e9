"""A list that a learner reorders: select a step, press Up or Down."""

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as widgets

from kvmlab.errors import BadInput
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.turns import on_change


class OrderList(widgets.HBox):
    """Names from top to bottom, the first one first; ``says`` is what the list shows for each name."""

    def __init__(self, title: str, says: Mapping[str, str], order: Sequence[str] = ()) -> None:
        self._says = says
        self._followers: list[Callable[[], object]] = []
        self._list = widgets.Select(
            description=title,
            rows=len(says),
            style={"description_width": "72px"},
            layout={"width": "480px", "max_width": "80%"},
        )
        self._up = button("Up", lambda: self.move(self.selected, -1), "the selected step goes one place up")
        self._down = button("Down", lambda: self.move(self.selected, 1), "and one place down")
        super().__init__([self._list, widgets.VBox([self._up, self._down])])
        on_change(self._list, lambda _: self._draw_buttons())
        self._show(tuple(order or says), 0)

    @property
    def order(self) -> tuple[str, ...]:
        """The names as they stand."""
        return tuple(name for _, name in self._list.options)

    @order.setter
    def order(self, names: Sequence[str]) -> None:
        if sorted(names) != sorted(self._says):
            raise BadInput(f"an order names each of {', '.join(self._says)} once; not {', '.join(names)}")
        self._change(tuple(names), names.index(self.selected))

    @property
    def selected(self) -> str:
        """The name that Up and Down move."""
        return str(self._list.value)

    def move(self, name: str, by: int) -> None:
        """Select ``name`` and move it so many places down (up if negative), not beyond either end."""
        if name not in self._says:
            raise BadInput(f"no step {name}; there are {', '.join(self._says)}")
        names = [other for other in self.order if other != name]
        at = min(max(self.order.index(name) + by, 0), len(names))
        self._change((*names[:at], name, *names[at:]), at)

    def on_change(self, follow: Callable[[], object]) -> None:
        """Call ``follow`` whenever the order has changed."""
        self._followers.append(follow)

    def _change(self, names: tuple[str, ...], selected: int) -> None:
        changed = names != self.order
        self._show(names, selected)
        for follow in self._followers if changed else ():
            follow()

    def _show(self, names: tuple[str, ...], selected: int) -> None:
        # New options select the first one; the browser need not see that.
        with self._list.hold_sync():
            self._list.options = [(f"{n}. {self._says[name]}", name) for n, name in enumerate(names, 1)]
            self._list.index = selected
        self._draw_buttons()

    def _draw_buttons(self) -> None:
        at = self._list.index or 0
        self._up.disabled, self._down.disabled = at == 0, at == len(self._says) - 1
