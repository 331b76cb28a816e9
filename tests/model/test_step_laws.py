"""What each step leaves behind, asked of every reachable transition: one small law for a step's label."""

from collections.abc import Callable

import pytest
from walks import Case, nested, transitions

from kvmlab.kernels.names import kernel
from kvmlab.kvm.mode import EXITING_GUEST_MODE, IN_GUEST_MODE, OUTSIDE_GUEST_MODE
from kvmlab.kvm.requests import KVM_REQ_IMMEDIATE_EXIT
from kvmlab.machine.state import State
from kvmlab.machine.system import Move
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING, MONITOR_TRAP_FLAG
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import is_valid, vector
from kvmlab.processor.records import ROOT, handler
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, RESCHEDULE_VECTOR, TOP_VECTOR, bit, highest
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.kick import kick
from kvmlab.scenarios.posted_interrupts import posted_interrupts

Law = Callable[[State, Move, State, Case], None]


def vm_exit(before: State, move: Move, after: State, case: Case) -> None:
    """Every exit leaves IF=0, no MTF pending, a spent entry field; only two kinds say more."""
    fields, label = case.guest(before).vmcs, move.step.label
    assert (after[case.core.frame], after[case.host.irq], after[case.core.mtf]) == (ROOT, 0, 0)
    assert not is_valid(after[fields.intr_info])
    assert label == "EXIT.EXTERNAL_INTERRUPT" or after[fields.exit_intr] == 0
    assert label == "VMENTRY.fault" or after[fields.idt_vectoring] == 0


def vm_entry(before: State, move: Move, after: State, case: Case) -> None:
    """Every entry comes with IF=0 from a mode that senders see, and delivers what stood in the field."""
    guest = case.guest(before)
    assert before[case.host.irq] == 0 and before[case.vcpu.mode] != OUTSIDE_GUEST_MODE
    assert after[guest.insns] == 0
    if is_valid(before[guest.vmcs.intr_info]):
        delivered = (after[guest.cpu.irq], after[guest.delivered])
        assert delivered == (0, before[guest.delivered] + 1)
        assert after[guest.rip] == handler(vector(before[guest.vmcs.intr_info]))


def external_interrupt(before: State, move: Move, after: State, case: Case) -> None:
    """With acknowledge-on-exit the highest vector goes into service and is told; else it stays pending."""
    told = after[case.guest(before).vmcs.exit_intr]
    if not case.acks:
        assert (after[case.host.irr], after[case.host.isr], told) == (before[case.host.irr], 0, 0)
        return
    top = highest(before[case.host.irr])
    assert is_valid(told) and vector(told) == top
    assert after[case.host.isr] == bit(top)
    assert after[case.host.irr] == before[case.host.irr] & ~bit(top)


def taken_by_the_host(expected: int) -> Law:
    """A handler takes its own vector, the highest one pending, in root mode with IF=1."""

    def law(before: State, move: Move, after: State, case: Case) -> None:
        assert before[case.host.irq] == 1 and before[case.core.frame] == ROOT
        assert highest(before[case.host.irr]) == expected
        assert after[case.host.irr] == before[case.host.irr] & ~bit(expected)

    return law


def interrupts_on(before: State, move: Move, after: State, case: Case) -> None:
    """IF is 1 and nothing stays in service; the handler that is called is the acknowledged vector's."""
    assert (after[case.host.irq], after[case.host.isr]) == (1, 0)
    assert after[case.host.irr] == before[case.host.irr]
    emits = move.step.emits
    fired = [name for name, _ in emits(before, after, move.me)] if emits else []
    called = case.acks and before[case.host.isr] == bit(RESCHEDULE_VECTOR)
    assert fired == (["reschedule_entry"] if called else [])


def faulting_entry(before: State, move: Move, after: State, case: Case) -> None:
    """A faulting delivery is an exit that tells the event; it delivers nothing and costs one fault."""
    vm_exit(before, move, after, case)
    guest = case.guest(before)
    assert after[guest.faults] == before[guest.faults] - 1
    assert is_valid(after[guest.vmcs.idt_vectoring])
    assert after[guest.delivered] == before[guest.delivered]


def cancel_event(before: State, move: Move, after: State, case: Case) -> None:
    """8081ad0: KVM_REQ_EVENT is raised if an immediate exit had been decided, and not otherwise."""
    assert case.event(after) == (case.event(before) or bool(before[case.vcpu.immediate]))


def cancel_inject(before: State, move: Move, after: State, case: Case) -> None:
    """An injection is queued again with KVM_REQ_EVENT; in 2011 L2's is left alone; no other request is."""
    field = case.guest(before).vmcs.intr_info
    taken_back = case.queues or not before[case.vcpu.current]
    back = taken_back and is_valid(before[field])
    if taken_back:
        assert not is_valid(after[field])
        assert after[case.vcpu.queued] == (before[field] if back else before[case.vcpu.queued])
    else:
        assert after[field] == before[field]
    assert case.event(after) == (case.event(before) or back)


def nested_vmexit(before: State, move: Move, after: State, case: Case) -> None:
    """L1 is told EXTERNAL_INTERRUPT and starts with IF=0; nothing is left to inject; 2013 tells the queue."""
    form = case.vcpu.vmcs12
    assert form is not None
    assert (after[case.vcpu.guests[0].cpu.irq], after[case.vcpu.current]) == (0, 0)
    assert (after[form.intr_info], after[case.vcpu.queued]) == (0, 0)
    assert after[form.reason] == Exit.EXTERNAL_INTERRUPT
    assert not case.queues or after[form.idt_vectoring] == before[case.vcpu.queued]


def reflect(before: State, move: Move, after: State, case: Case) -> None:
    """L2's own VMCALL is told to L1, which starts with IF=0."""
    form = case.vcpu.vmcs12
    assert form is not None and after[form.reason] == Exit.VMCALL
    assert (after[case.vcpu.guests[0].cpu.irq], after[case.vcpu.current]) == (0, 0)


def vmresume(before: State, move: Move, after: State, case: Case) -> None:
    """vmcs02 is loaded with L1's injection in it, and its entry is owed."""
    form = case.vcpu.vmcs12
    assert form is not None
    assert (after[case.vcpu.current], after[case.vcpu.nested_run_pending]) == (1, 1)
    assert after[case.vcpu.guests[1].vmcs.intr_info] == before[form.intr_info]


def run_pending(before: State, move: Move, after: State, case: Case) -> None:
    """An owed entry that has happened raises KVM_REQ_EVENT up to 4.11; before 4.10 a new VMRESUME sets it."""
    raises = case.scenario.kernel.name.split("+")[0] not in ("v4.18", "d264ee0", "v4.19", "v6.1")
    owed = bool(before[case.vcpu.nested_run_pending])
    assert case.event(after) == (case.event(before) or (owed and raises))
    resumed = before[case.guest(before).vmcs.reason] == Exit.VMRESUME and not before[case.vcpu.current]
    ends_at_the_exit = case.base in ("v4.10", "b95234c", "v6.1")
    assert after[case.vcpu.nested_run_pending] == int(resumed and not ends_at_the_exit)


def after_the_exit(before: State, move: Move, after: State, case: Case) -> None:
    """2013: a half-delivered event is queued with KVM_REQ_EVENT; else the queue is empty, no request made."""
    if case.queues:
        half = before[case.guest(before).vmcs.idt_vectoring]
        assert after[case.vcpu.queued] == half
        assert case.event(after) == (case.event(before) or is_valid(half))


def mtf_off(before: State, move: Move, after: State, case: Case) -> None:
    """The monitor trap flag is off after its exit was handled."""
    assert not after[case.guest(before).vmcs.proc] & MONITOR_TRAP_FLAG


def window_closed(before: State, move: Move, after: State, case: Case) -> None:
    """An open window ends the wish for it and raises KVM_REQ_EVENT."""
    assert not after[case.guest(before).vmcs.proc] & INTERRUPT_WINDOW_EXITING
    assert case.event(after)


def wish_to_leave(before: State, move: Move, after: State, case: Case) -> None:
    """In 2011 the wish is a request bit, from 2013 on the return value."""
    if case.queues:
        assert after[case.vcpu.immediate] == 1
    elif case.base == "d6185f2":
        assert after[case.vcpu.requests] & KVM_REQ_IMMEDIATE_EXIT


def force_the_exit(before: State, move: Move, after: State, case: Case) -> None:
    """If wished, the means of this kernel and no other; KVM_REQ_EVENT with it from c43203c on."""
    wished = bool(before[case.vcpu.immediate])
    by_mtf = "mtf" in case.name
    means = 0 if by_mtf else bit(TOP_VECTOR if "ack-top-vector" in case.name else RESCHEDULE_VECTOR)
    assert after[case.host.irr] == before[case.host.irr] | (means if wished else 0)
    assert bool(after[case.guest(before).vmcs.proc] & MONITOR_TRAP_FLAG) == (by_mtf and wished)
    assert case.event(after) == (case.event(before) or (case.raises and wished))


def arrival(before: State, move: Move, after: State, case: Case) -> None:
    """0x40 arrives only while L0 handles L1's VMRESUME with vmcs01 loaded; into L1's IRR, with a request."""
    l1 = case.vcpu.guests[0]
    assert (before[case.vcpu.current], before[l1.vmcs.reason]) == (0, Exit.VMRESUME)
    assert (before[case.core.frame], before[case.vcpu.mode]) == (ROOT, OUTSIDE_GUEST_MODE)
    assert after[l1.cpu.irr] == before[l1.cpu.irr] | bit(0x40) and case.event(after)


def kick_mode(before: State, move: Move, after: State, case: Case) -> None:
    """Only IN_GUEST_MODE becomes EXITING and is followed by an IPI."""
    inside = before[case.vcpu.mode] == IN_GUEST_MODE
    assert (after[move.pc] == before[move.pc] + 1) == inside
    assert after[case.vcpu.mode] == (EXITING_GUEST_MODE if inside else before[case.vcpu.mode])


def post_mode(before: State, move: Move, after: State, case: Case) -> None:
    """A notification follows exactly if the vCPU is IN_GUEST_MODE, which stays."""
    assert (after[move.pc] == before[move.pc] + 1) == (before[case.vcpu.mode] == IN_GUEST_MODE)
    assert after[case.vcpu.mode] == before[case.vcpu.mode]


def post_notify(before: State, move: Move, after: State, case: Case) -> None:
    """Only a sender that found ON clear notifies."""
    assert not before[move.me.was_on]
    assert after[case.host.irr] == before[case.host.irr] | bit(POSTED_INTR_VECTOR)


def event_raised(before: State, move: Move, after: State, case: Case) -> None:
    """KVM_REQ_EVENT is set."""
    assert case.event(after)


def pir_copied(before: State, move: Move, after: State, case: Case) -> None:
    """PIR is empty, VIRR has all of it, RVI is the highest of old and new."""
    page = case.apicv
    posted = before[page.pir]
    assert (after[page.pir], after[page.virr]) == (0, before[page.virr] | posted)
    assert after[page.rvi] == max(before[page.rvi], highest(posted) if posted else 0)


def synced(before: State, move: Move, after: State, case: Case) -> None:
    """The receiver's copy; v4.10's makes KVM_REQ_EVENT, patch 3's makes no request."""
    pir_copied(before, move, after, case)
    assert case.event(after) == (case.event(before) or case.name == "v4.10")


def virtual_interrupt(before: State, move: Move, after: State, case: Case) -> None:
    """Delivered only with the guest's IF set; RVI is then the highest that is left."""
    page = case.apicv
    assert before[case.guest(before).cpu.irq]
    assert after[page.virr] == before[page.virr] & ~bit(before[page.rvi])
    assert after[page.rvi] == (highest(after[page.virr]) if after[page.virr] else 0)


LAWS: dict[str, Law] = {
    "EXIT.EXTERNAL_INTERRUPT": external_interrupt,
    "IRQ.reschedule": taken_by_the_host(RESCHEDULE_VECTOR),
    "IRQ.posted": taken_by_the_host(POSTED_INTR_VECTOR),
    "IRQ.top": taken_by_the_host(TOP_VECTOR),
    "IRQ_ON": interrupts_on,
    "CANCEL.irq_on": interrupts_on,
    "CANCEL.event": cancel_event,
    "CANCEL.inject": cancel_inject,
    "VMENTRY.fault": faulting_entry,
    "VMEXIT": after_the_exit,
    "RUN_PENDING": run_pending,
    "NESTED_VMEXIT": nested_vmexit,
    "EXIT.reflect": reflect,
    "EXIT.vmresume": vmresume,
    "EXIT.mtf": mtf_off,
    "EXIT.interrupt_window": window_closed,
    "WINDOW.nested": wish_to_leave,
    "CHECK_IMMEDIATE": force_the_exit,
    "IRQ_0x40": arrival,
    "KICK.mode": kick_mode,
    "POST.mode": post_mode,
    "POST.notify": post_notify,
    "POST.request": event_raised,
    "SYNC.copy": synced,
    "POSTED.copy": pir_copied,
    "VIRTUAL_INTERRUPT": virtual_interrupt,
}

ALONE = (
    "v3.2",
    "d6185f2",
    "d6185f2+mtf",
    "d6185f2+ack-top-vector",
    "v3.10",
    "v3.10+8081ad0",
    "v3.10+c43203c",
)
CASES = [
    *(Case(immediate_exit(kernel(name), cancel=True, faults=1)) for name in ALONE),
    *(Case(immediate_exit(nested(name), cancel=True, faults=1)) for name in ("v4.10", "v6.1")),
    *(Case(kick(kernel(name))) for name in ("v3.2", "v3.10", "v6.1+noapicv")),
    *(Case(posted_interrupts(kernel(name), senders=2)) for name in ("v4.10", "b95234c")),
]


def crossing(before: State, after: State, case: Case) -> Law | None:
    """Return the law of a step that goes into root mode or out of it."""
    inside, is_inside = before[case.core.frame] != ROOT, after[case.core.frame] != ROOT
    return None if inside == is_inside else vm_exit if inside else vm_entry


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.scenario.name} {case.name}")
def test_every_step_keeps_its_law_in_every_schedule(case: Case) -> None:
    """Each reachable step keeps the law of its label, and each entry and exit that of its kind."""
    for before, move, after in transitions(case.scenario):
        for law in (LAWS.get(move.step.label), crossing(before, after, case)):
            if law is not None:
                law(before, move, after, case)


def test_every_law_was_asked() -> None:
    """No law stands for a step that never happens."""
    taken = {move.step.label for case in CASES for _, move, _ in transitions(case.scenario)}
    assert set(LAWS) <= taken
