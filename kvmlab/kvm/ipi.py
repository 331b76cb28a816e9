"""IPIs between the CPUs of one level: to oneself, and from another one.

At level 0 the local APIC is the physical one. Above, the write of the ICR traps, and the hypervisor below
keeps the interrupt for its guest; nothing says that it has arrived before the next entry. Source: v4.18
arch/x86/kernel/smp.c native_smp_send_reschedule, lapic.c __apic_accept_irq; SDM vol. 3 (June 2016),
"Interrupt Command Register (ICR)".
"""

from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.processor import apicv, lapic
from kvmlab.processor.apic_write import X2APIC_ICR
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.icr import self_ipi
from kvmlab.processor.records import Guest
from kvmlab.processor.vectors import RESCHEDULE_VECTOR, bit
from kvmlab.processor.wire import send


def send_to_self(s: list[int], me: Vcpu, vector: int) -> None:
    """Write the ICR: ``vector`` to the CPU that the hypervisor's thread runs on."""
    if me.under is None:
        if me.wire is None:
            s[me.cpu.irr] |= bit(vector)
        else:
            send(s, me.wire, bit(vector))
        return
    assert me.under.msr is not None and me.under.value is not None
    s[me.under.msr], s[me.under.value] = X2APIC_ICR, self_ipi(vector)
    vm_exit(s, me.under, Exit.MSR_WRITE)


def smp_send_reschedule(s: list[int], me: Vcpu) -> None:
    """The reschedule IPI to this very CPU."""
    send_to_self(s, me, RESCHEDULE_VECTOR)


def end_of_interrupt(s: list[int], guest: Guest) -> None:
    """A guest's EOI: on its virtual-APIC page if it has one, else in the local APIC that KVM keeps."""
    if guest.apicv is not None:
        apicv.end_of_interrupt(s, guest.apicv)
    else:
        lapic.end_of_interrupt(s, guest.cpu)


def reach(s: list[int], vcpu: Vcpu, vector: int) -> None:
    """Bring ``vector``, sent by another CPU of that level, to the CPU that the vCPU's thread runs on.

    Above level 0 that CPU is a guest: the hypervisor below accepts the interrupt, makes KVM_REQ_EVENT and
    kicks, which is an IPI one level down. Nobody looks between these steps of another thread; they are
    drawn as one.
    """
    s[vcpu.cpu.irr] |= bit(vector)
    while vcpu.below is not None:
        vcpu = vcpu.below
        s[vcpu.requests] |= KVM_REQ_EVENT
        if s[vcpu.mode] != vcpu_mode.IN_GUEST_MODE:
            return
        vcpu_mode.change(s, vcpu.mode, vcpu_mode.EXITING_GUEST_MODE)
        s[vcpu.cpu.irr] |= bit(RESCHEDULE_VECTOR)
