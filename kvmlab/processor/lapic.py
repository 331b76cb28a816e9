"""The local APIC in software: which vectors wait, which are in service, and who may interrupt whom.

One definition for every level: the physical APIC of the host, the one that KVM keeps for its guest.
NMI, SMI, INIT, SIPI and ExtINT pass it by and have no place here. Source: SDM vol. 3 (June 2016), "Interrupt
Acceptance for Fixed Interrupts", "Task and Processor Priorities", "Signaling Interrupt Servicing Completion".
"""

from collections.abc import Sequence

from kvmlab.errors import ModelError
from kvmlab.machine.state import Cell
from kvmlab.processor import priority
from kvmlab.processor.records import Cpu
from kvmlab.processor.vectors import bit, highest, legal, top


def accept(s: list[int], cpu: Cpu, vector: int, *, level: bool = False) -> None:
    """Set the vector's IRR bit, and TMR for its trigger; a second one while it is set is merged.

    IRR and ISR together hold two of one vector. Raises BadInput for an illegal vector.
    """
    s[cpu.irr] |= bit(legal(vector))
    if cpu.tmr is not None:
        s[cpu.tmr] = s[cpu.tmr] | bit(vector) if level else s[cpu.tmr] & ~bit(vector)
    elif level:
        raise ModelError("this local APIC has no TMR; allocate one for level-triggered interrupts")


def task_priority(s: Sequence[int], cpu: Cpu) -> int:
    """Return TPR."""
    return s[cpu.tpr] if cpu.tpr is not None else 0


def processor_priority(s: Sequence[int], cpu: Cpu) -> int:
    """Return PPR."""
    return priority.processor_priority(task_priority(s, cpu), top(s[cpu.isr]))


def deliverable(s: Sequence[int], cpu: Cpu) -> bool:
    """Whether the highest pending vector is of a higher class than PPR."""
    return bool(s[cpu.irr]) and priority.passes(highest(s[cpu.irr]), processor_priority(s, cpu))


def acknowledge(s: list[int], cpu: Cpu) -> int:
    """Move the highest pending vector from IRR to ISR and return it."""
    vector = highest(s[cpu.irr])
    s[cpu.irr] &= ~bit(vector)
    s[cpu.isr] |= bit(vector)
    return vector


def end_of_interrupt(s: list[int], cpu: Cpu) -> int:
    """Take the highest vector out of service and return it; -1 if there is none.

    Whether the I/O APICs are told as well, :func:`is_broadcast` says.
    """
    if not s[cpu.isr]:
        return -1
    vector = highest(s[cpu.isr])
    s[cpu.isr] &= ~bit(vector)
    return vector


def is_broadcast(s: Sequence[int], cpu: Cpu, vector: int) -> bool:
    """Whether the EOI of ``vector`` is broadcast to the I/O APICs: it was accepted as level-triggered."""
    return cpu.tmr is not None and bool(s[cpu.tmr] & bit(vector))


def write_tpr(s: list[int], cpu: Cpu, value: int) -> None:
    """Set the task priority; a class of 15 lets no fixed interrupt through."""
    s[_tpr(cpu)] = value & 0xFF


def write_cr8(s: list[int], cpu: Cpu, cr8: int) -> None:
    """MOV to CR8: TPR's class, whatever mode the local APIC is in."""
    write_tpr(s, cpu, cr8 << 4)


def read_cr8(s: Sequence[int], cpu: Cpu) -> int:
    """MOV from CR8."""
    return priority.priority_class(task_priority(s, cpu))


def _tpr(cpu: Cpu) -> Cell:
    if cpu.tpr is None:
        raise ModelError("this local APIC has no TPR; allocate one")
    return cpu.tpr
