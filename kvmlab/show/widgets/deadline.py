"""Zero at the deadline with its controls: what the guest does, and the kernel."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from kvmlab.errors import unknown
from kvmlab.show.deadline import DeadlineView
from kvmlab.show.deadline_rows import rows
from kvmlab.show.deadline_svg import deadline_svg
from kvmlab.show.deadline_text import deadline_text
from kvmlab.show.widgets.controls import beside
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

GUESTS = ("busy", "halt")

KERNELS: Mapping[str, str] = {
    "64672c9": "64672c9 (2016): the patch",
    "64672c9 - pre_block()": "64672c9 - pre_block(): no switch before the wait",
    "64672c9 - SW.cancel_hv": "64672c9 - SW.cancel_hv: nothing is given up",
    "b95234c": "b95234c (2017): no KVM_REQ_EVENT, notebook 03",
}
"""What the picture offers for its lower row, and what it says of each."""


class DeadlinePicture(TwinBox):
    """The picture alone, for one kernel or two: what a lesson shows before it hands over the controls."""

    def __init__(self, guest: str, *kernels: str) -> None:
        self.shown = rows(guest, *kernels)
        super().__init__([widgets.HTML(deadline_svg(self.shown))])

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self.shown.foot

    def __repr__(self) -> str:
        return deadline_text(self.shown)


class ZeroAtDeadline(TwinBox):
    """The picture of :mod:`kvmlab.show.deadline_svg`, redrawn when the guest or the kernel changes.

    ``before`` is the upper row; ``kernel`` the lower one, a name of ``kernels``.
    """

    def __init__(
        self,
        guest: str = "busy",
        kernel: str = "64672c9",
        *,
        before: str = "v4.7",
        kernels: Mapping[str, str] = KERNELS,
    ) -> None:
        self._before, self._kernels = before, kernels
        self._guest = widgets.ToggleButtons(
            options=GUESTS, value=_known("guest", guest, GUESTS), style={"button_width": "80px"}
        )
        self._kernel = widgets.Dropdown(
            options=[(says, name) for name, says in kernels.items()],
            value=_known("kernel", kernel, kernels),
            description="Kernel",
            style={"description_width": "60px"},
            layout={"width": "440px"},
        )
        self._picture = widgets.HTML()
        super().__init__([widgets.HBox([beside("Guest", self._guest), self._kernel]), self._picture])
        on_change(self._guest, self._draw)
        on_change(self._kernel, self._draw)
        self._draw()

    @property
    def guest(self) -> str:
        """What the guest does until the deadline: "busy" or "halt"."""
        return str(self._guest.value)

    @guest.setter
    def guest(self, what: str) -> None:
        self._guest.value = _known("guest", what, GUESTS)

    @property
    def kernel(self) -> str:
        """The kernel of the lower row."""
        return str(self._kernel.value)

    @kernel.setter
    def kernel(self, name: str) -> None:
        self._kernel.value = _known("kernel", name, self._kernels)

    @property
    def shown(self) -> DeadlineView:
        """What is on show, as data."""
        return self._shown

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self._shown.foot

    def _draw(self, _: Any = None) -> None:
        self._shown = rows(self.guest, self._before, self.kernel)
        self._picture.value = deadline_svg(self._shown)

    def __repr__(self) -> str:
        return deadline_text(self._shown)


def _known(kind: str, name: str, known: Mapping[str, str] | tuple[str, ...]) -> str:
    if name not in known:
        raise unknown(kind, name, known)
    return name
