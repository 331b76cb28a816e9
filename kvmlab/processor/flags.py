"""RFLAGS on the way through an event: what is pushed, what delivery clears, what IRET brings back.

One frame is kept: the guests here do not interrupt their own handlers. Source: SDM vol. 3 (June 2016), "Flag
Usage By Exception- or Interrupt-Handler Procedure", "Single-Step Exception Condition".
"""

from kvmlab.processor.records import Flags, Guest


def push(s: list[int], guest: Guest, flags: Flags) -> None:
    """Keep IF and TF in the frame; the handler runs without TF."""
    s[flags.saved] = s[guest.cpu.irq] | s[flags.tf] << 1
    s[flags.tf] = 0


def iret(s: list[int], guest: Guest) -> None:
    """Return behind what was interrupted, with the flags in the frame; NMIs are let through again."""
    assert guest.flags is not None and guest.return_rip is not None
    s[guest.rip] = s[guest.return_rip]
    s[guest.cpu.irq] = s[guest.flags.saved] & 1
    s[guest.flags.tf] = s[guest.flags.saved] >> 1
    if guest.nmi_blocked is not None:
        s[guest.nmi_blocked] = 0
