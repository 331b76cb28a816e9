"""Two nets with their controls: the order, the place of the post, the sender; the rest behind "More"."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import ipywidgets as widgets

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import order_of, parse_order
from kvmlab.show.nets import ROWS, SENDERS, NetsView, Sender, nets
from kvmlab.show.nets_svg import nets_svg
from kvmlab.show.nets_text import nets_text
from kvmlab.show.widgets.controls import beside, button
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

Order = str | Sequence[str]
"""A kernel's name, ``irq_off,mode,sync``, or the steps one by one."""

EVENTS = {"before the sync": "check-first", "behind the sync": "sync-first"}


class Nets(TwinBox):
    """The picture of :mod:`kvmlab.show.nets_svg`, redrawn whenever a control is moved.

    ``order`` is a kernel's name or a list of steps; where that does not name the EVENT check, ``event``
    says whether it stands "check-first" or "sync-first", and the recheck is last. ``post`` is the place of
    the post, from 0 (before the first row) to 6 (after VM entry).
    """

    def __init__(
        self,
        order: Order = "v4.10",
        *,
        post: int = 0,
        sender: Sender = "CPU",
        event: str = "check-first",
        barrier: bool = True,
    ) -> None:
        self._shown = nets(whole(order, event), sender, post, barrier=barrier)
        self._settling = False
        self._make_controls()
        super().__init__(self._rows())
        self._show(self._shown)

    # What a notebook calls; each is a control too.

    @property
    def shown(self) -> NetsView:
        """What is on show, as data."""
        return self._shown

    @property
    def order(self) -> tuple[str, ...]:
        """The steps, from above; a kernel's name and ``irq_off,mode,sync`` can be set too."""
        return self._shown.rows[:-1]

    @order.setter
    def order(self, wanted: Order) -> None:
        self._become(order=whole(wanted, self.event))

    @property
    def post(self) -> int:
        """The place of the post: 0 before the first row, 1 between the first and the second, and so on."""
        return self._shown.post

    @post.setter
    def post(self, at: int) -> None:
        self._become(post=at)

    @property
    def sender(self) -> Sender:
        """Who posts: "CPU", "CPU with EVENT" or "VT-d"."""
        return self._shown.sender

    @sender.setter
    def sender(self, who: Sender) -> None:
        self._become(sender=who)

    @property
    def event(self) -> str:
        """Whether the EVENT check stands before the sync ("check-first") or behind it ("sync-first")."""
        return "check-first" if self.order.index("event") < self.order.index("sync") else "sync-first"

    @event.setter
    def event(self, wanted: str) -> None:
        if wanted != self.event:
            self._become(order=whole([step for step in self.order if step != "event"], wanted))

    @property
    def barrier(self) -> bool:
        """Whether the barrier stands behind MODE_IN; without it senders may see the store late (TSO)."""
        return self._shown.barrier

    @barrier.setter
    def barrier(self, on: bool) -> None:
        self._become(barrier=on)

    def up(self, step: str | None = None) -> None:
        """Move a step (the selected one) up by one; it stays selected. At the top nothing happens."""
        self._move(step, -1)

    def down(self, step: str | None = None) -> None:
        """Move a step (the selected one) down by one; it stays selected. At the bottom nothing happens."""
        self._move(step, 1)

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def __repr__(self) -> str:
        return nets_text(self._shown)

    # Controls.

    def _make_controls(self) -> None:
        self._steps = widgets.Select(description="Order", rows=5, layout={"width": "230px"})
        self._up = button("Up", self.up, "move the selected step up")
        self._down = button("Down", self.down, "move the selected step down")
        self._post = widgets.SelectionSlider(
            options=[("", 0)],
            description="Post",
            style={"description_width": "60px"},
            layout={"width": "540px"},
        )
        self._sender = widgets.ToggleButtons(options=SENDERS, style={"button_width": "auto"})
        self._event = widgets.Dropdown(
            options=list(EVENTS.items()), description="EVENT check", style={"description_width": "initial"}
        )
        self._barrier = widgets.Checkbox(
            description="barrier behind MODE_IN", indent=False, layout={"margin": "2px 0 0 24px"}
        )
        self._picture = widgets.HTML()
        for name, control in self._named.items():
            on_change(control, partial(self._moved, name))

    @property
    def _named(self) -> dict[str, widgets.Widget]:
        """The controls that hold a value, by its name."""
        return {"post": self._post, "sender": self._sender, "event": self._event, "barrier": self._barrier}

    def _rows(self) -> list[widgets.Widget]:
        more = widgets.Accordion(
            [widgets.HBox([self._event, self._barrier])], titles=["More"], layout={"width": "560px"}
        )
        left = widgets.HBox([self._steps, widgets.VBox([self._up, self._down])])
        right = widgets.VBox([self._post, beside("Sender", self._sender), more])
        return [widgets.HBox([left, right]), self._picture]

    # What happens.

    def _move(self, step: str | None, by: int) -> None:
        """Swap a step with its neighbour."""
        order = list(self.order)
        chosen = self._steps.value if step is None else step
        if chosen not in order:
            raise unknown("step", str(chosen), order)
        self._steps.value = chosen
        at = order.index(chosen)
        if 0 <= at + by < len(order):
            order[at], order[at + by] = order[at + by], chosen
            self._become(order=tuple(order))

    def _moved(self, name: str, value: Any) -> None:
        """Follow a control, unless it follows us."""
        if not self._settling and value != getattr(self, name):
            setattr(self, name, value)

    def _become(self, **new: Any) -> None:
        """Show another order, post, sender or barrier; raise BadInput and change nothing if there is none."""
        is_: dict[str, Any] = {
            "order": self.order,
            "sender": self.sender,
            "post": self.post,
            "barrier": self.barrier,
        }
        self._show(nets(**is_ | new))

    def _show(self, shown: NetsView) -> None:
        """Bring picture and controls in line with what is on show."""
        self._shown = shown
        self._settling = True  # options that change take the value with them
        step, order = self._steps.value, self.order
        self._steps.options = [(ROWS[name], name) for name in order]
        self._steps.value = step or order[0]
        self._post.options = [(_brief(shown.rows, at), at) for at in range(len(shown.rows) + 1)]
        for name, control in self._named.items():
            control.value = getattr(self, name)
        self._settling = False
        self._picture.value = nets_svg(shown)


def _brief(rows: Sequence[str], at: int) -> str:
    """Return a place in as few words as a slider has room for."""
    return f"behind {ROWS[rows[at - 1]]}" if at else f"before {ROWS[rows[0]]}"


def whole(order: Order, event: str = "check-first") -> tuple[str, ...]:
    """Return the whole order that is meant, its EVENT check and its recheck included.

    Raises BadInput for a kernel nobody knows or steps that make no order.
    """
    if event not in EVENTS.values():
        raise BadInput(f"event {event}: one of {', '.join(EVENTS.values())}")
    if isinstance(order, str) and "," not in order:
        return order_of(kernel(order))
    return parse_order(order if isinstance(order, str) else ",".join(order), event)
