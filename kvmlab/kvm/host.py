"""The host's interrupt handlers on the vCPU's own CPU, and a kick from another one.

A handler runs only while IF is 1 and the core is in root mode: in non-root mode the same interrupt
is a VM exit. That difference is what "send it with IF=0" is about.
Source: d6185f20a0ef, arch/x86/kernel/smp.c smp_reschedule_interrupt; x86.c kvm_vcpu_kick.
"""

from collections.abc import Sequence

from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm.events import reschedule_entry
from kvmlab.kvm.ipi import reach
from kvmlab.kvm.records import Sender, Vcpu
from kvmlab.kvm.requests import KVM_REQ_TLB_FLUSH
from kvmlab.machine.step import Block, Step, block, loop, prioritised
from kvmlab.processor.records import ROOT
from kvmlab.processor.vectors import (
    LOCAL_TIMER_VECTOR,
    POSTED_INTR_VECTOR,
    RESCHEDULE_VECTOR,
    TOP_VECTOR,
    bit,
)

X86 = "d6185f20a0ef x86.c "


def _taken(s: Sequence[int], me: Vcpu, vector: int) -> bool:
    held = me.cpu.gif is not None and not s[me.cpu.gif]
    return bool(s[me.core.frame] == ROOT and s[me.cpu.irq] and not held and s[me.cpu.irr] & bit(vector))


def _handler(label: str, vector: int, says: str, source: str) -> Step:
    """Return the one-step handler that takes ``vector`` and leaves no trace in KVM."""

    def run(s: list[int], me: Vcpu) -> None:
        s[me.cpu.irr] &= ~bit(vector)

    return Step(
        label,
        run,
        lambda s, me: _taken(s, me, vector),
        says,
        source,
        preempts=True,
        emits=reschedule_entry if vector == RESCHEDULE_VECTOR else None,
    )


TOP = _handler(
    "IRQ.top", TOP_VECTOR, "the host takes the forced-exit vector: nothing to do", "no kernel did this"
)
RESCHEDULE = _handler(
    "IRQ.reschedule",
    RESCHEDULE_VECTOR,
    "the host takes the reschedule IPI: nothing to do",
    "d6185f20a0ef arch/x86/kernel/smp.c smp_reschedule_interrupt",
)
POSTED = _handler(
    "IRQ.posted",
    POSTED_INTR_VECTOR,
    "the host takes the notification: it is eaten",
    "v4.10 arch/x86/kernel/irq.c smp_kvm_posted_intr_ipi",
)


TICK = _handler(
    "IRQ.tick",
    LOCAL_TIMER_VECTOR,
    "the host takes its timer interrupt: what had expired has been seen to",
    "arch/x86/kernel/apic/apic.c smp_apic_timer_interrupt",
)


def host_irq(*handlers: Step) -> Block:
    """Return the path of a host with these handlers, the highest vector first, as its local APIC has it."""
    return loop("host_irq", prioritised("HOST_IRQ", *handlers))


HOST_IRQ = host_irq(RESCHEDULE)


def _make_request(s: list[int], me: Sender) -> None:
    s[me.vcpu.requests] |= KVM_REQ_TLB_FLUSH


def _cmpxchg(s: list[int], me: Sender) -> str | None:
    if s[me.vcpu.mode] != vcpu_mode.IN_GUEST_MODE:
        return "kvm_vcpu_kick"
    vcpu_mode.change(s, me.vcpu.mode, vcpu_mode.EXITING_GUEST_MODE)
    return None


def _send(s: list[int], me: Sender) -> None:
    reach(s, me.vcpu, RESCHEDULE_VECTOR)


KICK: Block = block(
    "kvm_vcpu_kick",
    Step(
        "KICK.mode",
        _cmpxchg,
        says="kick: IN_GUEST_MODE becomes EXITING; any other mode: nothing to do",
        source=X86 + "kvm_vcpu_kick, kvm_vcpu_exiting_guest_mode",
        leaves=("kvm_vcpu_kick",),
    ),
    Step("KICK.ipi", _send, says="the reschedule IPI reaches the vCPU's CPU", source=X86 + "kvm_vcpu_kick"),
)

REQUEST_AND_KICK: Block = block(
    "kvm_make_request_and_kick",
    Step(
        "REQUEST",
        _make_request,
        says="another thread makes a request (a TLB flush, say)",
        source="d6185f20a0ef include/linux/kvm_host.h kvm_make_request",
    ),
    KICK,
)
