"""The hypervisor at level n runs on the CPU that level n-1 gives it: the same path, as guest code.

At level 0 the run loop runs in root mode. Above, every row may be interrupted by the processor's events,
which take it to level 0; VM entry, the ICR and what reads and writes a form that is not shadowed are
instructions that exit. A hypervisor goes on behind its VM entry when the one below tells it an exit:
where each level stands is its position in its path, and nothing else keeps a stack.
"""

from kvmlab.kvm.ipi import end_of_interrupt
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.edit import After, Before, apply
from kvmlab.machine.step import STAY, Block, Step
from kvmlab.processor.boundary import TIMER_APICV_EVENTS, TIMER_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest


def _return(s: list[int], me: Guest) -> str:
    """The handler's own work does not reach KVM; its EOI costs no exit here, as with APICv."""
    end_of_interrupt(s, me)
    s[me.delivered] = 0
    s[me.cpu.irq] = 1
    return STAY


HANDLER = Step(
    "IRQ.virtual",
    _return,
    lambda s, me: s[me.delivered],
    "the handler of an injected interrupt runs and returns: nothing to do, IF := 1",
    "v4.18 arch/x86/kernel/smp.c smp_reschedule_interrupt",
)

HYPERVISOR_EVENTS = {**TIMER_EVENTS, "HANDLER": HANDLER}
"""What takes a hypervisor away that is a guest: the processor's events, its handler of what was injected."""

HYPERVISOR_APICV_EVENTS = {**TIMER_APICV_EVENTS, "HANDLER": HANDLER}
"""The same on a CPU that has APICv."""


def _access(label: str, reason: Exit) -> Step:
    def run(s: list[int], me: Vcpu) -> None:
        assert me.under is not None
        vm_exit(s, me.under, reason)

    return Step(
        label,
        run,
        says="an access to a form that is not shadowed: it exits",
        source="v4.18 vmx.c vmx_vcpu_run, vmcs_readl, vmcs_writel",
    )


def trapping(path: Block, accesses: int) -> Block:
    """Return the run loop with so many trapping accesses to its form in a lap: reads behind the exit,
    then writes."""
    reads = tuple(_access(f"VMREAD.{n + 1}", Exit.VMREAD) for n in range((accesses + 1) // 2))
    writes = tuple(_access(f"VMWRITE.{n + 1}", Exit.VMWRITE) for n in range(accesses // 2))
    return apply(apply(path, After("VMEXIT", reads)), Before("ENTER", writes))


def at_level(path: Block, vcpu: Vcpu, accesses: int = 0) -> Block:
    """Return ``vcpu_run`` as the hypervisor executes it that keeps ``vcpu``."""
    if vcpu.under is None:
        return path
    events = HYPERVISOR_EVENTS if vcpu.under.apicv is None else HYPERVISOR_APICV_EVENTS
    return in_guest(trapping(path, accesses), lambda me: me.under, events)
