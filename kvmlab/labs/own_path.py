"""Build your own entry path: the judge. Any order of four steps, tried against every kind of sender."""

from collections.abc import Mapping, Sequence
from functools import partial

from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import parse_order, reordered
from kvmlab.labs.judgement import Judgement
from kvmlab.labs.lost import why_lost
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.show.verdicts import Build, Verdict, verdict_table

BASE = kernel("v4.10+no-event")
"""Where the steps come from: senders make no request."""

SAYS: Mapping[str, str] = {
    "sync": "sync: ON set? clear it, PIR into IRR",
    "mode": "vcpu->mode := IN_GUEST_MODE",
    "irq_off": "interrupts off: host IF := 0",
    "recheck": "recheck: kicked? a request? then no entry",
}
"""The steps to be put in order, as v4.10 has them."""

SENDERS: Mapping[str, Build] = {
    "One CPU": posted_interrupts,
    "VT-d": partial(posted_interrupts, sender="vtd"),
    "Two CPUs": partial(posted_interrupts, senders=2),
}
"""Against whom the path must hold."""


def judge(order: Sequence[str]) -> Judgement:
    """Put the entry path in this ``order``, try every schedule of every sender, and say what is lost.

    Raises BadInput unless sync, mode and irq_off are named once each, and recheck at most once.
    """
    whole = parse_order(",".join(order))
    answer = ", ".join(whole)
    cells = [*verdict_table([reordered(BASE, whole, answer)], SENDERS).cells.values()]
    told = " ".join(map(_told, cells))
    worst = next((cell for cell in cells if not cell.holds), None)
    if worst is None:
        return Judgement(answer, cells[0].scenario, f"{told} Every schedule was tried.")
    return _broken(answer, told, worst)


def _broken(answer: str, told: str, worst: Verdict) -> Judgement:
    assert worst.schedule is not None and worst.exploration.shortest is not None
    why = why_lost(worst.scenario, worst.schedule)
    return Judgement(
        answer, worst.scenario, f"{told} {why}", worst.exploration.shortest.property.label, worst.schedule
    )


def _told(cell: Verdict) -> str:
    """Return the verdict on one kind of sender."""
    found = cell.exploration
    if found.shortest is None:
        return f"{cell.column}: ok, {found.states} states."
    return f"{cell.column}: {found.shortest.property.label} after {len(found.shortest.labels) - 1} steps."
