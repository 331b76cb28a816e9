"""Which tracepoint fires at which step, with the fields that ftrace prints.

In 2011 kvm_entry fires just before the entry and kvm_exit right after the exit. Source:
arch/x86/kvm/trace.h; d6185f20a0ef x86.c vcpu_enter_guest, vmx.c vmx_vcpu_run.
"""

from collections.abc import Sequence
from typing import Any

from kvmlab.kvm.records import Vcpu
from kvmlab.processor.exits import show
from kvmlab.processor.vectors import RESCHEDULE_VECTOR

Fired = tuple[str, dict[str, Any]]


def kvm_entry(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Fired:
    """Fire before the entry: ``rip`` is where the guest was, ``immediate`` whether its exit is forced."""
    guest = me.guests[before[me.current]]
    forced = before[me.immediate]
    return "kvm_entry", {"vcpu": 0, "rip": before[guest.rip], "immediate_exit": forced, "level": guest.level}


def kvm_exit(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Fired:
    """Fire after the exit: reason and ``rip`` of the guest, and how many instructions it retired."""
    guest = me.guests[before[me.current]]
    reason = show(before[guest.vmcs.reason])
    return "kvm_exit", {"vcpu": 0, "reason": reason, "rip": before[guest.rip], "level": guest.level}


def kvm_nested_vmexit_inject(before: Sequence[int], after: Sequence[int], me: Vcpu) -> Fired:
    """Fire when L0 gives L1 an exit of L2."""
    assert me.vmcs12 is not None
    return "kvm_nested_vmexit_inject", {"reason": show(after[me.vmcs12.reason])}


def reschedule_entry(before: Sequence[int], after: Sequence[int], me: Any) -> Fired:
    """Fire in the host's handler of the reschedule IPI."""
    return "reschedule_entry", {"vector": RESCHEDULE_VECTOR}
