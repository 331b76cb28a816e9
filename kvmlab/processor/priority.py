"""Priorities: a vector's class is its bits 7:4, and only a higher class interrupts.

One rule for the local APIC, for KVM's and for the virtual-APIC page. Where TPR and the vector in service
are of one class the SDM leaves the low nibble to the model; KVM and PPR virtualization take TPR's.
Sources: SDM vol. 3 (June 2016), "Task and Processor Priorities", "PPR Virtualization"; v4.11 lapic.c
__apic_update_ppr.
"""


def priority_class(priority: int) -> int:
    """Return bits 7:4 of a vector, of TPR or of PPR."""
    return priority >> 4


def processor_priority(tpr: int, serving: int) -> int:
    """Return PPR for a task priority and the highest vector in service (0: none)."""
    return tpr if tpr >> 4 >= serving >> 4 else serving & 0xF0


def passes(vector: int, ppr: int) -> bool:
    """Whether ``vector`` (0: none) may interrupt at processor priority ``ppr``."""
    return vector >> 4 > ppr >> 4
