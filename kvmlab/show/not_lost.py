"""The line of the scheduler game: is a posted interrupt lost, and if it is not, which net still holds it?

Read off one state of a posted-interrupts scenario, first reason first. It is exact: where the line says
LOST, no schedule brings the interrupt to the guest any more (until it leaves on its own), and nowhere else.
"""

from collections.abc import Callable, Sequence

from kvmlab.kvm.mode import EXITING_GUEST_MODE
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.property import broken
from kvmlab.machine.run import Run
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, RESCHEDULE_VECTOR
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.nets import FALLS
from kvmlab.show.post_moment import Moment

NOT_YET = "Not lost yet, because "
WON, HELD = "The scheduler wins.", "The kernel wins."


def _synced(now: Moment) -> bool:
    """Net A: the sync will find ON set, or has found it and not yet copied PIR."""
    comes = now.ahead("SYNC.test") or not (now.in_guest or now.before_entry)
    return now.stands("SYNC.clear") or (comes and now.on) or (now.stands("SYNC.copy") and not now.on)


def _requested(now: Moment) -> bool:
    """Net C: the recheck comes, and the EVENT check does not come first."""
    used_up = now.ahead("CHECK_EVENT") and now.row("CHECK_EVENT") < now.row("RECHK.req")
    wanted = now.cell("vcpu", "requests") & KVM_REQ_EVENT
    return bool(wanted) and now.ahead("RECHK.req") and not used_up


def _kicked(now: Moment) -> bool:
    return now.cell("vcpu", "mode") == EXITING_GUEST_MODE and now.ahead("RECHK.mode")


def _setting(now: Moment) -> bool:
    """Where ON is set already, only a sender that makes a request has more to do than to set it."""
    return now.sends("POST.on") and (not now.on or now.asks("POST.on"))


Rule = Callable[[Moment], bool]

RULES: tuple[tuple[Rule, str], ...] = (
    (_synced, "the sync is still to come (net A)"),
    (lambda now: now.stands("CANCEL."), "this entry is thrown away, and the next lap syncs"),
    (
        lambda now: now.pends(POSTED_INTR_VECTOR) and not now.interrupts_on,
        "the notification waits at the CPU (net B)",
    ),
    (_requested, "KVM_REQ_EVENT throws the entry away (net C)"),
    (_kicked, "the kick's EXITING throws the entry away"),
    (
        lambda now: now.pends(RESCHEDULE_VECTOR) and not now.interrupts_on,
        "the kick's IPI waits at the CPU and will take the guest out",
    ),
    (lambda now: bool(now.state[now.apicv.posting]), "the processor is taking it into the guest"),
    (lambda now: now.pends(POSTED_INTR_VECTOR), "the notification waits at the CPU, though with IF=1"),
    (lambda now: now.pends(RESCHEDULE_VECTOR), "the kick's IPI waits at the CPU, though with IF=1"),
    (_setting, "the sender has not set ON yet"),
    (lambda now: now.sends("POST.request"), "the sender has yet to make KVM_REQ_EVENT"),
    (
        lambda now: now.sends("POST.mode", "POST.notify", "VTD.notify"),
        "the sender still holds the notification",
    ),
    (lambda now: now.sends("KICK.mode", "KICK.ipi"), "the sender is still to kick"),
    (lambda now: now.asks("POST.pir"), "another sender is still to make its request"),
)
"""What holds a post that is in PIR, the first first."""


def not_lost_yet(scenario: Scenario, state: Sequence[int], how: str = "") -> str:
    """Return the line: what still holds what was posted, or that it is lost, and ``how``.

    ``scenario`` is one of posted_interrupts.
    """
    now = Moment(scenario, state)
    over = broken(scenario.properties, state) is not None
    if not over and not (now.on or state[now.apicv.pir]):
        return _empty(now)
    why = "" if over else next((words for rule, words in RULES if rule(now)), "")
    return f"{NOT_YET}{why}." if why else _lost(now, how, over)


def _lost(now: Moment, how: str, over: bool) -> str:
    """Return what is lost: an interrupt, or with PIR empty ON, which then silences the next sender."""
    vectors = ", ".join(now.scenario.system.layout.text(now.apicv.pir, now.state).split())
    label, what = ("LOST", vectors) if now.posted else ("ON_STUCK", "nothing")
    end = f"nobody will come. {WON}" if over else "and no net holds it any more."
    return f"{label}{how and f' ({how})'}: {what} in PIR, ON=1, {end}"


def _empty(now: Moment) -> str:
    """Return the line while nothing is in PIR and ON is not set."""
    if now.scenario.done(now.state):
        return f"Not lost: what was posted is in the guest. {HELD}"
    if all(label in ("POST.pir", "VTD.post") for label in now.senders.values()):
        return "Nothing to lose yet: nobody has posted."
    if now.state[now.apicv.virr] or now.state[now.apicv.posting]:
        return "Not lost: it is in RVI, and the guest takes it from there."
    return "Nothing to lose: nothing is posted."


def explained(scenario: Scenario, past: Run) -> str:
    """Return how what is lost at the end of ``past`` got lost, in words; empty if nothing was in vain."""
    bits, monitor = 0, scenario.monitor
    if monitor is None:
        return ""
    for step in past.steps:
        bits = monitor.update(bits, step.move, step.before, step.after)
    return next((FALLS[name] for name in monitor.explain(bits) if name in FALLS), "")
