"""v4.18, the release before patch 4: nesting as it had become since 2014.

What changed since v4.10 and b95234c84004 as far as it is modelled: L1's events have an order of their own
(check_nested_events), L2's exits are told to L1 by what L1 asked for, L1's preemption timer is emulated, an
event that is injected into L2 again does not hide one for L1 (v4.16).
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kernels.kernel import Patch, PathEdit, swap
from kvmlab.kvm import events, exits, nested
from kvmlab.kvm.apic import WRMSR_ICR
from kvmlab.kvm.check_nested_events import (
    ORDER_4_19,
    anything_for_l1,
    check_nested_events,
)
from kvmlab.kvm.nested_entry import NESTED_TIMER, load_vmcs02
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.reflect import REFLECT
from kvmlab.kvm.run_loop import REQUESTS
from kvmlab.machine.step import STAY, Block, Row, Step, block, prioritised
from kvmlab.processor.exits import Exit

X86 = "v4.18 x86.c "
VMX = "v4.18 vmx.c "
SCOPE = frozenset({"levels"})


def _reinject(for_l1: Step) -> Step:
    """Return REINJECT as it is since v4.16: what waits for L1 is asked for in the same lap."""

    def run(s: list[int], me: Vcpu) -> str | None:
        nested.REINJECT.fn(s, me)
        assert for_l1.when is not None
        return str(for_l1.fn(s, me)) if for_l1.when(s, me) else None

    return Step(
        "REINJECT",
        run,
        nested.REINJECT.when,
        "inject again what was not delivered; if L1 has to hear of something: req_immediate_exit := 1",
        X86 + "inject_pending_event",
        leaves=("event",),
        emits=events.kvm_inj_virq,
    )


def _busy(s: list[int], me: Vcpu) -> str:
    s[me.immediate] = 1
    return "event"


def injection(order: Sequence[str], source: str) -> Row:
    """Return inject_pending_event with check_nested_events in this order."""
    for_l1 = anything_for_l1(order)
    busy = Step(
        "NESTED.busy",
        _busy,
        lambda s, me: s[me.nested_run_pending] and for_l1(s, me),
        "L1 has to hear of something, but L2 must run first: -EBUSY, req_immediate_exit := 1",
        source,
        leaves=("event",),
    )
    wish = Step("NESTED.wish", _busy, for_l1)
    exits_to_l1 = check_nested_events(order, source)
    return prioritised("INJECT", _reinject(wish), busy, *exits_to_l1, nested.INJECT_IRQ, nested.INJECT_NONE)


def _first(step: Step) -> Step:
    """Return an exit to L1 as it is made before the lap begins."""

    def run(s: list[int], me: Vcpu) -> str:
        step.fn(s, me)
        return STAY

    return replace(step, label=step.label.replace("NESTED", "RUNNING"), fn=run)


def running(order: Sequence[str], source: str) -> Row:
    """Return the top of a lap: kvm_vcpu_running asks check_nested_events too, and ignores -EBUSY."""
    return prioritised(
        REQUESTS.label, *(_first(step) for step in check_nested_events(order, source)), REQUESTS
    )


VMCS_ACCESS = Step(
    "EXIT.vmcs_access",
    nested.nothing,
    lambda s, me: s[nested.current(s, me).vmcs.reason] in (Exit.VMREAD, Exit.VMWRITE),
    "emulate L1's access to its form and step over it",
    VMX + "handle_vmread, handle_vmwrite",
)
VMRESUME = Step(
    "EXIT.vmresume",
    load_vmcs02,
    exits.VMRESUME.when,
    "nested_vmx_run: vmcs02 is loaded with L1's injection and controls; nested_run_pending := 1",
    VMX + "nested_vmx_run, prepare_vmcs02",
    leaves=("nested_vmx_run",),
)
HANDLE_EXIT: Block = Block(
    "handle_exit",
    (
        prioritised(
            "HANDLE_EXIT",
            REFLECT,
            VMRESUME,
            VMCS_ACCESS,
            exits.EXTERNAL_INTERRUPT,
            exits.CPUID,
            exits.INTERRUPT_WINDOW,
            WRMSR_ICR,
            exits.EPT_VIOLATION,
            exits.UNKNOWN,
        ),
        block("nested_vmx_run", NESTED_TIMER),
    ),
    "cases",
)

NESTED_2018: tuple[PathEdit, ...] = (
    swap("INJECT", injection(ORDER_4_19, VMX + "vmx_check_nested_events")),
    swap("WINDOW.nested"),
    swap("HANDLE_EXIT", HANDLE_EXIT),
)

V4_18 = Patch(
    "v4.18",
    "before patch 4: an immediate exit is forced by a self-IPI, at every level",
    "v4.18 x86.c vcpu_enter_guest, vmx.c",
    (*NESTED_2018, swap("REQ.other", running(ORDER_4_19, X86 + "kvm_vcpu_running"))),
    SCOPE,
)
