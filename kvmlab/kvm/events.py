"""Which tracepoints fire at which step, with the fields that ftrace prints.

Names and fields are those of the recordings' 6.1.y, so that a run can be laid beside a recorded trace,
whichever kernel is run: the nested exits, reschedule_entry and the mark of a forced exit did not exist in
2011 (the mark came with 9c9025ea003a in 2024, and to 6.1.149).
kvm_entry fires just before the entry and kvm_exit right after the exit (as in 2011 and again in
6.1; in between it fired later). Source: arch/x86/kvm/trace.h; d6185f20a0ef x86.c vcpu_enter_guest,
vmx.c vmx_vcpu_run.
"""

from collections.abc import Sequence

from kvmlab.kvm.records import Vcpu
from kvmlab.machine.step import Fired, Tracepoint
from kvmlab.processor import icr, intr_info
from kvmlab.processor.exits import show
from kvmlab.processor.icr import Icr
from kvmlab.processor.vectors import RESCHEDULE_VECTOR

Firing = tuple[Fired, ...]


def kvm_entry(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Firing:
    """``rip`` is where the guest was; ``immediate_exit`` says that its exit is forced."""
    guest = me.guests[before[me.current]]
    fields = {"vcpu_id": 0, "rip": before[guest.rip], "immediate_exit": bool(before[me.immediate])}
    return (("kvm_entry", fields),)


def kvm_exit(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Firing:
    """The reason, and where the guest stands."""
    guest = me.guests[before[me.current]]
    reason = show(before[guest.vmcs.reason])
    return (("kvm_exit", {"vcpu_id": 0, "exit_reason": reason, "guest_rip": before[guest.rip]}),)


def kvm_nested_vmenter(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Firing:
    """L0 takes L1's VMLAUNCH or VMRESUME: where L2 will run, and what L1 injects."""
    l2, field = me.guests[after[me.current]], me.guests[after[me.current]].vmcs.intr_info
    fields = {"rip": before[me.guests[0].rip], "nested_rip": after[l2.rip], "event_inj": after[field]}
    return (("kvm_nested_vmenter", fields),)


def kvm_nested_vmexit(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Firing:
    """An exit of L2, whoever will handle it."""
    guest = me.guests[before[me.current]]
    fields = {"vcpu_id": 0, "exit_reason": show(before[guest.vmcs.reason]), "guest_rip": before[guest.rip]}
    return (("kvm_nested_vmexit", fields),) if before[me.current] else ()


def kvm_nested_vmexit_inject(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Firing:
    """L0 gives L1 an exit of L2."""
    form = me.forms[before[me.current] - 1]
    return (("kvm_nested_vmexit_inject", {"exit_reason": show(after[form.reason])}),)


def kvm_inj_virq(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Firing:
    """An interrupt goes into the VM-entry field."""
    return (("kvm_inj_virq", {"soft": False, "vector": intr_info.vector(after[me.queued])}),)


def kvm_inj_exception(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Firing:
    """An exception goes into the VM-entry field."""
    return (("kvm_inj_exception", {"exception": "#DB"}),)


def reschedule_entry(before: Sequence[int], after: Sequence[int], me: object) -> Firing:
    """The host's handler of the reschedule IPI."""
    return (("reschedule_entry", {"vector": RESCHEDULE_VECTOR}),)


def _accepted(command: Icr) -> dict[str, object]:
    trigger = "level" if command.level else "edge"
    return {"vec": command.vector, "delivery_mode": icr.MODES[command.mode], "trigger": trigger}


def kvm_apic_ipi(command: Icr) -> Firing:
    """An IPI to oneself: the command, and its acceptance by the local APIC with ID 0."""
    route = {
        "dest_id": command.destination,
        "dest_mode": "logical" if command.logical else "physical",
        "level": "assert" if command.asserted else "de-assert",
        "shorthand": icr.SHORTHANDS[command.shorthand],
    }
    accepted = _accepted(command)
    return ("kvm_apic_ipi", {**accepted, **route}), ("kvm_apic_accept_irq", {"apicid": 0, **accepted})


def kvm_apicv_accept_irq(command: Icr) -> Fired:
    """An interrupt that APICv will deliver (6.1; 5.10 has no such event)."""
    return "kvm_apicv_accept_irq", {"apicid": 0, **_accepted(command)}


def wrmsr(*also: Tracepoint) -> Tracepoint:
    """Return what fires at a WRMSR exit: ``also``, and kvm_msr after the write was handled."""

    def fire(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Firing:
        guest = me.guests[before[me.current]]
        assert guest.msr is not None and guest.value is not None
        msr = ("kvm_msr", {"rw": "write", "ecx": before[guest.msr], "data": before[guest.value]})
        return (*(fired for tracepoint in also for fired in tracepoint(before, after, me)), msr)

    return fire
