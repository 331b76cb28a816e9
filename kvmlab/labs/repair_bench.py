"""What was found about a learner's repair, and the stack that is late in spite of it, as cards."""

from html import escape
from textwrap import fill

import ipywidgets as widgets

from kvmlab.labs.prose import paragraph
from kvmlab.labs.repair import Repair, judge
from kvmlab.show.cards import EXIT
from kvmlab.show.widgets.cards import Cards
from kvmlab.show.widgets.twin import TwinBox


class RepairChecked(TwinBox):
    """The verdict on a repair; a stack that is late is shown as cards, at the exit."""

    def __init__(self, repair: Repair) -> None:
        self.found = judge(repair)
        mix = self.found.breaks
        self.cards = None if mix is None else Cards(mix.methods, at=EXIT, looks=mix.looks, apicv=mix.apicv)
        verdict, _, words = repr(self.found).partition(":")
        mark = "" if self.passed else "✕ "
        said = paragraph(f"<b>{mark}{verdict}.</b>{escape(words)}", role="status")
        super().__init__([widgets.HTML(said), *([self.cards] if self.cards else [])])

    @property
    def passed(self) -> bool:
        """Whether it holds, and nothing can be left out."""
        return self.found.passed

    def __repr__(self) -> str:
        shown = [] if self.cards is None else ["", repr(self.cards)]
        return "\n".join([fill(repr(self.found), 80), *shown])


def check_repair(repair: Repair) -> RepairChecked:
    """Try ``{"L0": "window"}``, level -> what it looks for, in every schedule; see :func:`judge`."""
    return RepairChecked(repair)
