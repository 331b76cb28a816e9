"""inject_pending_event as it is since 2018: what is injected, what L1 is told, in which order.

What has to be injected again goes first, and does not hide from L1 what it has to hear of: that is asked
for in the same lap (v4.16). Before, it was hidden, and so it was behind a new exception. Source: v4.10, v4.18
and v5.10 x86.c inject_pending_event, kvm_vcpu_running, kvm_queue_exception.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kvm import events, nested
from kvmlab.kvm.check_nested_events import (
    EVENTS,
    anything_for_l1,
    check_nested_events,
    nested_exit,
    queued_exception,
)
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.kvm.run_loop import REQUESTS
from kvmlab.machine.step import STAY, Guard, Row, Step, prioritised
from kvmlab.processor import intr_info
from kvmlab.processor.timer_events import DEBUG_VECTOR

X86, X86_4_10 = "v4.18 x86.c ", "v4.10 x86.c "


def queue_debug_exception(s: list[int], me: Vcpu) -> None:
    """A #DB for the guest that runs, to be injected at the next entry."""
    assert me.exception is not None
    s[me.exception] = intr_info.event(DEBUG_VECTOR, intr_info.HARDWARE_EXCEPTION)
    s[me.requests] |= KVM_REQ_EVENT


def _wish(s: list[int], me: Vcpu, for_l1: Guard) -> str | None:
    """What is injected now needs the entry; what L1 has to hear of needs it to be short."""
    if not for_l1(s, me):
        return None
    s[me.immediate] = 1
    return "event"


def _reinject(for_l1: Guard) -> Step:
    def run(s: list[int], me: Vcpu) -> str | None:
        nested.REINJECT.fn(s, me)
        return _wish(s, me, for_l1)

    says = "inject again what was not delivered; if L1 has to hear of something: req_immediate_exit := 1"
    return replace(nested.REINJECT, fn=run, says=says, source=X86 + "inject_pending_event", leaves=("event",))


def _exception(for_l1: Guard) -> Step:
    def run(s: list[int], me: Vcpu) -> str | None:
        assert me.exception is not None
        s[me.queued] = s[nested.current(s, me).vmcs.intr_info] = s[me.exception]
        s[me.exception] = 0
        return _wish(s, me, for_l1)

    return Step(
        "INJECT.exception",
        run,
        queued_exception,
        "the pending #DB moves into the entry field; if L1 has to hear of something: req_immediate_exit := 1",
        X86 + "inject_pending_event",
        leaves=("event",),
        emits=events.kvm_inj_exception,
    )


def _busy(for_l1: Guard, source: str) -> Step:
    def run(s: list[int], me: Vcpu) -> str:
        s[me.immediate] = 1
        return "event"

    return Step(
        "NESTED.busy",
        run,
        lambda s, me: s[me.nested_run_pending] and for_l1(s, me),
        "L1 has to hear of something, but L2 must run first: -EBUSY, req_immediate_exit := 1",
        source,
        leaves=("event",),
    )


def injection(order: Sequence[str], source: str) -> Row:
    """Return inject_pending_event with check_nested_events in this order."""
    for_l1 = anything_for_l1(order)
    return prioritised(
        "INJECT",
        _reinject(for_l1),
        _busy(for_l1, source),
        *check_nested_events(order, source),
        _exception(for_l1),
        nested.INJECT_IRQ,
        nested.INJECT_NONE,
    )


def injection_4_11(order: Sequence[str], source: str) -> Row:
    """Return inject_pending_event as it was: what is to be injected goes first, and L1 is not asked for then.

    L1 is told of an exception that it intercepts as it is injected.
    """

    def nobody(s: Sequence[int], me: Vcpu) -> bool:
        return False

    says = "the pending #DB moves into the entry field; nobody asks what L1 has to hear of"
    return prioritised(
        "INJECT",
        nested_exit(EVENTS["exception"], "v4.10 vmx.c vmx_queue_exception"),
        replace(_exception(nobody), says=says, source=X86_4_10 + "inject_pending_event", leaves=()),
        replace(nested.REINJECT, source=X86_4_10 + "inject_pending_event"),
        _busy(anything_for_l1(order), source),
        *check_nested_events(order, source),
        nested.INJECT_IRQ,
        nested.INJECT_NONE,
    )


def _before_the_lap(step: Step, asked: Guard | None) -> Step:
    """Return an exit to L1 as the top of a lap makes it."""

    def run(s: list[int], me: Vcpu) -> str:
        step.fn(s, me)
        return STAY

    def when(s: Sequence[int], me: Vcpu) -> int:
        return int((asked is None or asked(s, me)) and (step.when is None or step.when(s, me)))

    return replace(step, label=step.label.replace("NESTED", "RUNNING"), fn=run, when=when)


def asleep(s: Sequence[int], me: Vcpu) -> bool:
    """The thread of a halted L2 is blocked."""
    return me.nested is not None and me.nested.halted is not None and bool(s[me.nested.halted])


def running(order: Sequence[str], source: str, asked: Guard | None = None) -> Row:
    """Return the top of a lap: check_nested_events is ``asked`` there too, and -EBUSY ignored.

    Up to v5.10 kvm_vcpu_running asked at every lap; v6.1's vcpu_block asks only for a halted L2 that wakes.
    """
    exits = (_before_the_lap(step, asked) for step in check_nested_events(order, source))
    return prioritised(REQUESTS.label, *exits, replace(REQUESTS, when=lambda s, me: not asleep(s, me)))
