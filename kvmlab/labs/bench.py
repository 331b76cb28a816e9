"""The bench of the exercise Build the deferral: choose pieces, press Check, see what breaks."""

from html import escape

import ipywidgets as widgets

from kvmlab.errors import BadInput
from kvmlab.labs.checked import Checked
from kvmlab.labs.deferral import judge
from kvmlab.labs.pieces import PIECES, RERAISE, WAYS
from kvmlab.labs.prose import paragraph
from kvmlab.show.widgets.turns import on_press
from kvmlab.show.widgets.twin import TwinBox


def check_deferral(*pieces: str) -> Checked:
    """Build a deferral from ``pieces`` and try every schedule, with a thread that may call entries off.

    Raises BadInput for pieces that make no deferral.
    """
    return Checked(judge(*pieces))


class DeferralBench(TwinBox):
    """Radio buttons for the way L2 is left, a check box for the other piece, and a button Check."""

    def __init__(self) -> None:
        self._way = widgets.RadioButtons(
            options=[(f"{name}: {PIECES[name].says}", name) for name in WAYS],
            value=None,
            description="Leave L2 by:",
            layout={"width": "max-content", "max_width": "100%"},
        )
        self._reraise = widgets.Checkbox(
            description=f"{RERAISE}: {PIECES[RERAISE].says}", indent=False, layout={"width": "100%"}
        )
        self._check = widgets.Button(description="Check")
        self._result = widgets.VBox()
        self._last: Checked | None = None
        super().__init__([self._way, self._reraise, self._check, self._result])
        on_press(self._check, self._pressed)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The pieces chosen now."""
        way = (self._way.value,) if self._way.value else ()
        return (*way, RERAISE) if self._reraise.value else way

    def choose(self, *pieces: str) -> None:
        """Choose these pieces and no others; raise BadInput if there is no such piece or two ways."""
        ways = [name for name in pieces if name in WAYS]
        if len(ways) > 1 or set(pieces) - PIECES.keys():
            judge(*pieces)
        self._way.value = ways[0] if ways else None
        self._reraise.value = RERAISE in pieces

    def check(self) -> Checked | None:
        """Press Check; return what was found, ``None`` if the pieces make no deferral yet."""
        self._check.click()
        return self._last

    def _pressed(self) -> None:
        try:
            self._last = check_deferral(*self.pieces)
            self._result.children = (self._last,)
        except BadInput as why:
            self._last = None
            self._result.children = (widgets.HTML(paragraph(escape(str(why)), role="status")),)

    def __repr__(self) -> str:
        chosen = self.pieces
        marks = {True: "x", False: " "}
        lines = [f"  ({marks[name in chosen]}) {name}: {PIECES[name].says}" for name in WAYS]
        lines += [f"  [{marks[RERAISE in chosen]}] {RERAISE}: {PIECES[RERAISE].says}"]
        return "\n".join(["Build the deferral", *lines, *([repr(self._last)] if self._last else [])])
