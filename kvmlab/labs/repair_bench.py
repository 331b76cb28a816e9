"""What was found about a learner's repair, and the stack that is late in spite of it, as cards."""

from kvmlab.labs.judged import Judged
from kvmlab.labs.repair import Repair, judge
from kvmlab.show.cards import EXIT
from kvmlab.show.widgets.cards import Cards


def check_repair(repair: Repair) -> Judged:
    """Try ``{"L0": "window"}``, level -> what it looks for, in every schedule; see :func:`judge`."""
    found = judge(repair)
    mix = found.breaks
    cards = None if mix is None else Cards(mix.methods, at=EXIT, looks=mix.looks, apicv=mix.apicv)
    return Judged(found, cards)
