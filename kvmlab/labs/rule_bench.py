"""What was found about a learner's rule, and the smallest mix that differs, as cards."""

from kvmlab.labs.judged import Judged
from kvmlab.labs.rule import Rule, judge
from kvmlab.show.cards import EXIT
from kvmlab.show.widgets.cards import Cards


def check_rule(rule: Rule) -> Judged:
    """Ask ``rule(methods, a1)`` every mix to depth four, with and without A1; see :func:`judge`."""
    found = judge(rule)
    case = found.differs
    return Judged(found, None if case is None else Cards(case.methods, at=EXIT, a1=case.a1))
