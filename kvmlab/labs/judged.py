"""What a judge found about a learner's answer, and what refutes it, as cards at the exit."""

from html import escape
from textwrap import fill
from typing import Protocol

import ipywidgets as widgets

from kvmlab.labs.prose import paragraph
from kvmlab.show.widgets.cards import Cards
from kvmlab.show.widgets.twin import TwinBox


class Found(Protocol):
    """What was found: its ``repr`` says it, a verdict in front of a colon."""

    @property
    def passed(self) -> bool:
        """Whether nothing refutes the answer."""


class Judged(TwinBox):
    """The verdict in words, and ``cards`` below it if there is anything to show."""

    def __init__(self, found: Found, cards: Cards | None) -> None:
        self.found, self.cards = found, cards
        verdict, _, words = repr(found).partition(":")
        mark = "" if found.passed else "✕ "
        said = paragraph(f"<b>{mark}{escape(verdict)}.</b>{escape(words)}", role="status")
        super().__init__([widgets.HTML(said), *([cards] if cards else [])])

    @property
    def passed(self) -> bool:
        """Whether every schedule agrees with the answer."""
        return self.found.passed

    def __repr__(self) -> str:
        shown = [] if self.cards is None else ["", repr(self.cards)]
        return "\n".join([fill(repr(self.found), 80), *shown])
