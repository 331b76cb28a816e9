"""vcpu_run as it was in v3.2, before patch 1: the steps of vcpu_enter_guest in their order.

Only what another CPU or the hardware can see is a step; kvm_mmu_reload, preempt_disable,
prepare_guest_switch, the FPU and srcu are not. ``smp_mb`` has no effect under sequential
consistency and is no step here. need_resched and signal_pending, tested beside the requests, are
left out. Source of the order: d6185f20a0ef, x86.c vcpu_enter_guest, with patch 1 taken back.
"""

from collections.abc import Sequence

from kvmlab.kvm import events, exits, nested
from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm.nested import current, reinject_l2_2011
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT, KVM_REQ_IMMEDIATE_EXIT
from kvmlab.machine.step import Block, Effect, Guard, Row, Step, block, free, loop
from kvmlab.processor.entry import faulting_entry, vm_entry, vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import is_valid

X86 = "d6185f20a0ef x86.c vcpu_enter_guest"
VMX = "d6185f20a0ef vmx.c "
NAMED_ELSEWHERE = KVM_REQ_EVENT | KVM_REQ_IMMEDIATE_EXIT


def _other_requests(s: list[int], me: Vcpu) -> None:
    s[me.requests] &= NAMED_ELSEWHERE


def _check_event(s: list[int], me: Vcpu) -> str | None:
    wanted = s[me.requests] & KVM_REQ_EVENT
    s[me.requests] &= ~KVM_REQ_EVENT
    return None if wanted else "event"


def _mode_in(s: list[int], me: Vcpu) -> None:
    vcpu_mode.store(s, me.mode, me.mode_buffer, vcpu_mode.IN_GUEST_MODE)


def _irq_off(s: list[int], me: Vcpu) -> None:
    s[me.cpu.irq] = 0


def _recheck_mode(s: list[int], me: Vcpu) -> str | None:
    mode = vcpu_mode.load(s, me.mode, me.mode_buffer)
    return "anything_new" if mode == vcpu_mode.EXITING_GUEST_MODE else None


def _recheck_requests(s: list[int], me: Vcpu) -> str | None:
    return None if s[me.requests] else "recheck"


def _mode_out(s: list[int], me: Vcpu) -> None:
    vcpu_mode.store(s, me.mode, me.mode_buffer, vcpu_mode.OUTSIDE_GUEST_MODE)


def _irq_on(s: list[int], me: Vcpu) -> None:
    s[me.cpu.irq] = 1


def enter(s: list[int], me: Vcpu) -> None:
    """VMLAUNCH/VMRESUME on the current VMCS: at level 0 hardware enters, above it the instruction exits."""
    if me.under is None:
        vm_entry(s, current(s, me))
    else:
        vm_exit(s, me.under, Exit.VMRESUME)


def enter_faulting(s: list[int], me: Vcpu) -> None:
    """The same entry, thrown back while it delivers."""
    faulting_entry(s, current(s, me))


def may_fault(s: Sequence[int], me: Vcpu) -> bool:
    """Whether the entry is about to deliver an event, and a delivery may still fault."""
    guest = current(s, me)
    return bool(s[guest.faults]) and is_valid(s[guest.vmcs.intr_info])


def _enter_2011(s: list[int], me: Vcpu) -> None:
    reinject_l2_2011(s, me)
    enter(s, me)


def _fault_2011(s: list[int], me: Vcpu) -> None:
    reinject_l2_2011(s, me)
    enter_faulting(s, me)


def _may_fault_2011(s: Sequence[int], me: Vcpu) -> bool:
    work = list(s)
    reinject_l2_2011(work, me)
    return may_fault(work, me)


def entry(enter: Effect, fault: Effect, may: Guard, source: str) -> Row:
    """Return the row of the VM entry; whether a delivery faults is a free choice."""
    return free(
        "ENTER",
        Step(
            "VMENTRY",
            enter,
            says="VM entry: the injected event is delivered, then the guest may run",
            source=source,
            emits=events.kvm_entry,
        ),
        Step(
            "VMENTRY.fault",
            fault,
            may,
            "VM entry: delivering the event hits an EPT violation, half-way",
            'SDM vol. 3 (June 2016), "Information for VM Exits That Occur During Event Delivery"',
            emits=events.kvm_entry,
        ),
    )


REQUESTS = Step("REQ.other", _other_requests, says="test and clear the other requests", source=X86)

VCPU_RUN: Block = loop(
    "vcpu_run",
    block(
        "vcpu_enter_guest",
        REQUESTS,
        block(
            "event",
            Step(
                "CHECK_EVENT",
                _check_event,
                says="test and clear KVM_REQ_EVENT; not set: no injection this lap",
                source=X86,
                leaves=("event",),
            ),
            nested.INJECT,
            nested.WINDOW,
        ),
        Step("MODE_IN", _mode_in, says="mode := IN_GUEST_MODE; senders now use IPIs", source=X86),
        Step("IRQ_OFF", _irq_off, says="IF := 0; physical interrupts wait in the local APIC", source=X86),
        block(
            "recheck",
            block(
                "anything_new",
                Step(
                    "RECHK.mode",
                    _recheck_mode,
                    says="has anybody kicked us since?",
                    source=X86,
                    leaves=("anything_new",),
                ),
                Step(
                    "RECHK.req",
                    _recheck_requests,
                    says="has anybody made a request since? none: go on",
                    source=X86,
                    leaves=("recheck",),
                ),
            ),
            Step("CANCEL.mode", _mode_out, says="mode := OUTSIDE_GUEST_MODE: no entry", source=X86),
            Step("CANCEL.irq_on", _irq_on, says="IF := 1", source=X86),
            Step(
                "CANCEL.inject",
                nested.cancel_injection_2011,
                says="cancel_injection; back to vcpu_run for another lap",
                source=VMX + "vmx_cancel_injection",
                leaves=("vcpu_enter_guest",),
            ),
        ),
        entry(_enter_2011, _fault_2011, _may_fault_2011, VMX + "vmx_vcpu_run"),
        nested.VMEXIT_2011,
        Step("MODE_OUT", _mode_out, says="mode := OUTSIDE_GUEST_MODE", source=X86),
        Step("IRQ_ON", _irq_on, says="IF := 1; the host takes what is pending", source=X86),
        exits.RUN_PENDING,
        exits.HANDLE_EXIT,
    ),
)
