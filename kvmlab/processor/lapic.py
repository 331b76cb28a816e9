"""The local APIC in software: which vectors wait, which are in service, and who may interrupt whom.

One definition for every level: the physical APIC of the host, the one that KVM keeps for its guest.
The task priority is 0 here. Source: SDM vol. 3 (June 2016), "Interrupt Acceptance for Fixed
Interrupts", "Task and Processor Priorities", "Signaling Interrupt Servicing Completion".
"""

from collections.abc import Sequence

from kvmlab.processor.records import Cpu
from kvmlab.processor.vectors import bit, highest


def accept(s: list[int], cpu: Cpu, vector: int) -> None:
    """Set the vector's IRR bit; a second one while it is set is merged."""
    s[cpu.irr] |= bit(vector)


def deliverable(s: Sequence[int], cpu: Cpu) -> bool:
    """Whether a pending vector is of a higher class (bits 7:4) than everything in service."""
    pending, serving = s[cpu.irr], s[cpu.isr]
    return bool(pending) and (not serving or highest(pending) >> 4 > highest(serving) >> 4)


def acknowledge(s: list[int], cpu: Cpu) -> int:
    """Move the highest pending vector from IRR to ISR and return it."""
    vector = highest(s[cpu.irr])
    s[cpu.irr] &= ~bit(vector)
    s[cpu.isr] |= bit(vector)
    return vector


def end_of_interrupt(s: list[int], cpu: Cpu) -> int:
    """Take the highest vector out of service and return it; -1 if there is none."""
    if not s[cpu.isr]:
        return -1
    vector = highest(s[cpu.isr])
    s[cpu.isr] &= ~bit(vector)
    return vector
