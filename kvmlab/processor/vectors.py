"""Interrupt vectors: sets of them are bitmaps, and the highest one wins.

Source for the priority: SDM vol. 3 (June 2016), "Task and Processor Priorities". Source for the
host's numbers: arch/x86/include/asm/irq_vectors.h.
"""

from kvmlab.errors import BadInput
from kvmlab.machine.state import members as members
from kvmlab.machine.state import show_member
from kvmlab.machine.state import show_set as show_set

show_vector = show_member

RESCHEDULE_VECTOR = 0xFD
"""Linux's reschedule IPI; its handler does nothing that matters here."""

POSTED_INTR_VECTOR = 0xF2
"""Linux's posted-interrupt notification; its host handler counts and ends the interrupt, no more."""

LOCAL_TIMER_VECTOR = 0xEC
"""Linux's local APIC timer interrupt; its handler runs the hrtimers that have expired."""

TOP_VECTOR = 0xFE
"""A vector of its own for forcing an exit: the model's choice, no kernel ever had it."""


def bit(vector: int) -> int:
    """Return the set that holds one vector."""
    return 1 << vector


def highest(vectors: int) -> int:
    """Return the vector of highest priority in a non-empty set."""
    return vectors.bit_length() - 1


def top(vectors: int) -> int:
    """Return the vector of highest priority, 0 if there is none: registers that hold one vector do so."""
    return vectors.bit_length() - 1 if vectors else 0


def legal(vector: int) -> int:
    """Return ``vector``; raise BadInput if no local APIC sends or accepts it as a fixed interrupt.

    Source: SDM vol. 3 (June 2016), "Valid Interrupt Vectors".
    """
    if not 0x10 <= vector <= 0xFF:
        raise BadInput(f"vector {vector:#x} is illegal: fixed interrupts have 0x10 to 0xff")
    return vector
