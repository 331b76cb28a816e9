"""What was found about a learner's rule, and the smallest mix that differs, as cards."""

from html import escape
from textwrap import fill

import ipywidgets as widgets

from kvmlab.labs.prose import paragraph
from kvmlab.labs.rule import Rule, judge
from kvmlab.show.cards import EXIT
from kvmlab.show.widgets.cards import Cards
from kvmlab.show.widgets.twin import TwinBox


class RuleChecked(TwinBox):
    """The verdict on a rule; a mix in which it differs is shown at the exit."""

    def __init__(self, rule: Rule) -> None:
        self.found = judge(rule)
        case = self.found.differs
        self.cards = None if case is None else Cards(case.methods, at=EXIT, a1=case.a1)
        verdict = "holds" if self.found.passed else "✕ differs"
        said = paragraph(f"<b>{verdict}.</b> {escape(self.found.sentence)}", role="status")
        super().__init__([widgets.HTML(said), *([self.cards] if self.cards else [])])

    @property
    def passed(self) -> bool:
        """Whether the rule says what every schedule says, in every case."""
        return self.found.passed

    def __repr__(self) -> str:
        shown = [] if self.cards is None else ["", repr(self.cards)]
        return "\n".join([fill(repr(self.found), 80), *shown])


def check_rule(rule: Rule) -> RuleChecked:
    """Ask ``rule(methods, a1)`` every mix to depth four, with and without A1; see :func:`judge`."""
    return RuleChecked(rule)
