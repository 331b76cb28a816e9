"""At the instruction boundary: a pending debug trap, and below it the VMX-preemption timer.

The timer wakes a halted guest and one in shutdown; one that waits for SIPI stays, and so does one in SMM
until RSM. Its exit comes after what the entry injects and after a pending debug trap, but before any
instruction. An injected event is never itself intercepted.
Source: SDM vol. 3 (June 2016), "Other Causes of VM Exits", "VMX-Preemption Timer", "Delivery of Pending
Debug Exceptions after VM Entry", "Exceptions", "Treatment of SMM".
"""

from collections.abc import Sequence

from kvmlab.machine.step import STAY, Step
from kvmlab.processor import intr_info, preemption_timer
from kvmlab.processor.entry import deliver, vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import WAIT_FOR_SIPI, Guest, Vmcs
from kvmlab.processor.shadow import BLOCKING_BY_MOV_SS

SDM = "SDM vol. 3 (June 2016), "
DEBUG_VECTOR = 1


def intercepts(s: Sequence[int], vmcs: Vmcs, vector: int) -> bool:
    """Whether the exception bitmap makes an exit of ``vector``."""
    bitmap = vmcs.exceptions if vmcs.exception_bitmap is None else s[vmcs.exception_bitmap]
    return bool(bitmap >> vector & 1)


def _trap_pending(s: Sequence[int], me: Guest) -> bool:
    """A debug trap is held by MOV SS, and by nothing else."""
    held = me.shadow is not None and s[me.shadow] == BLOCKING_BY_MOV_SS
    return me.debug is not None and bool(s[me.debug]) and not held


def _trap(s: list[int], me: Guest) -> str:
    assert me.debug is not None
    s[me.debug] = 0
    if intercepts(s, me.vmcs, DEBUG_VECTOR):
        info = intr_info.event(DEBUG_VECTOR, intr_info.HARDWARE_EXCEPTION)
        vm_exit(s, me, Exit.EXCEPTION_NMI, exit_intr=info)
    else:
        deliver(s, me, DEBUG_VECTOR)
    return STAY


def _may_exit(s: Sequence[int], me: Guest) -> bool:
    waits = me.activity is not None and s[me.activity] == WAIT_FOR_SIPI
    return preemption_timer.expired(s, me) and not waits and not (me.smm is not None and s[me.smm])


def _timer(s: list[int], me: Guest) -> str:
    vm_exit(s, me, Exit.PREEMPTION_TIMER)
    return STAY


TIMER = {
    "DEBUG_TRAP": Step(
        "DEBUG_TRAP",
        _trap,
        _trap_pending,
        "the pending debug trap is delivered, or takes the guest out",
        SDM + '"Delivery of Pending Debug Exceptions after VM Entry"',
    ),
    "PREEMPTION_TIMER": Step(
        "EXIT.PREEMPTION_TIMER",
        _timer,
        _may_exit,
        "the preemption timer is at 0: it takes the guest out before any other instruction",
        SDM + '"VMX-Preemption Timer"',
    ),
}
