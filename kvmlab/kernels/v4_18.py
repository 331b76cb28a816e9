"""v4.18, the release before patch 4: nesting as it had become since 2014.

What changed since v4.10 and b95234c84004 as far as it is modelled: L1's events have an order of their own
(check_nested_events), L2's exits are told to L1 by what L1 asked for, L1's preemption timer is emulated, an
event that is injected into L2 again does not hide one for L1, nor does a sync that finds one (v4.16);
an exit that ends nested_run_pending no longer raises KVM_REQ_EVENT.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kernels.after_patch_3 import NESTED_LAP
from kvmlab.kernels.kernel import Patch, PathEdit, Setting, swap
from kvmlab.kernels.v4_10 import RUN_PENDING_ENDS
from kvmlab.kvm import emulated, events, exits, nested
from kvmlab.kvm.apic import WRMSR_ICR_EITHER
from kvmlab.kvm.check_nested_events import ORDER_4_11, ORDER_4_19, ORDER_5_10, QUEUED
from kvmlab.kvm.injection import injection, injection_4_11, running
from kvmlab.kvm.nested_entry import NESTED_TIMER, load_vmcs02, nothing_injected
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.reflect import REFLECT
from kvmlab.machine.step import Block, Fired, Step, block, prioritised
from kvmlab.processor.exits import Exit

X86 = "v4.18 x86.c "
VMX = "v4.18 vmx.c "
SCOPE = frozenset({"levels", "pending-smi"})

VMCS_ACCESS = Step(
    "EXIT.vmcs_access",
    nested.nothing,
    lambda s, me: s[nested.current(s, me).vmcs.reason] in (Exit.VMREAD, Exit.VMWRITE),
    "emulate L1's access to its form and step over it",
    VMX + "handle_vmread, handle_vmwrite",
)
VMRESUME = Step(
    "EXIT.vmresume",
    load_vmcs02(nothing_injected),
    exits.VMRESUME.when,
    "nested_vmx_run: vmcs02 is loaded with L1's injection and controls; nested_run_pending := 1",
    VMX + "nested_vmx_run, prepare_vmcs02",
    leaves=("nested_vmx_run",),
    emits=events.kvm_nested_vmenter,
)


def _announced(step: Step) -> Step:
    """Return the step with the tracepoint that every exit of L2 passes first."""
    own = step.emits

    def fire(before: Sequence[int], after: Sequence[int], me: Vcpu) -> tuple[Fired, ...]:
        return (*events.kvm_nested_vmexit(before, after, me), *(own(before, after, me) if own else ()))

    return replace(step, emits=fire)


def handle_exit(vmresume: Step, timer: Step, *others: Step) -> Block:
    """Return vmx_handle_exit: L1's exits are told first; VMRESUME goes on in a block of its own."""
    steps = (
        REFLECT,
        vmresume,
        VMCS_ACCESS,
        exits.EXTERNAL_INTERRUPT,
        exits.CPUID,
        exits.INTERRUPT_WINDOW,
        *others,
        emulated.HALT,
        emulated.EXCEPTION,
        exits.EPT_VIOLATION,
        exits.UNKNOWN,
    )
    row = prioritised("HANDLE_EXIT", *map(_announced, steps))
    return Block("handle_exit", (row, block("nested_vmx_run", timer)), "cases")


def _order(name: str, order: Sequence[str]) -> tuple[PathEdit | Setting, ...]:
    """Return the edits that put L1's events in this order, and the setting that says which one it is.

    4.11's first question needs 4.11's injection: in v4.18's, what is busy would never be injected.
    """
    source = f"{name} check_nested_events"
    inject = injection_4_11 if QUEUED in order else injection
    return (
        swap("REQ.other", running(order, X86 + "kvm_vcpu_running")),
        swap("INJECT", inject(order, source)),
        Setting(
            "nested_order", int(name[1:].replace(".", "")), f"L1's events in the order of {name}", source
        ),
    )


ORDERS = tuple(
    Patch(
        f"order={name}",
        f"what L1 is told, in the order of {name}",
        f"{name} check_nested_events",
        _order(name, order),
        needs="nested_order",
    )
    for name, order in (("v4.11", ORDER_4_11), ("v4.19", ORDER_4_19), ("v5.10", ORDER_5_10))
)
"""The order on another release: alone, but for v4.11's, which brings its injection."""

V4_18 = Patch(
    "v4.18",
    "before patch 4: an immediate exit is forced by a self-IPI, at every level",
    "v4.18 x86.c vcpu_enter_guest, vmx.c",
    (
        *NESTED_LAP.edits,
        *_order("v4.19", ORDER_4_19),
        swap("WINDOW.nested"),
        swap("RUN_PENDING", RUN_PENDING_ENDS),
        swap("HANDLE_EXIT", handle_exit(VMRESUME, NESTED_TIMER, WRMSR_ICR_EITHER, emulated.IO)),
    ),
    SCOPE,
)
