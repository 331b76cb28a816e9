"""The shadow behind STI and MOV SS: interrupts stay blocked until the next instruction has been executed.

The cell holds bits 1:0 of the guest interruptibility state. Source: SDM vol. 3 (June 2016), table "Format of
Interruptibility State"; vol. 2, "STI".
"""

from collections.abc import Sequence

from kvmlab.errors import ModelError
from kvmlab.machine.state import Cell
from kvmlab.processor.records import Guest

BLOCKING_BY_STI, BLOCKING_BY_MOV_SS = 1, 2


def blocked(s: Sequence[int], guest: Guest) -> bool:
    """Whether the shadow of an STI or MOV SS lies on the next instruction."""
    return guest.shadow is not None and bool(s[guest.shadow])


def sti(s: list[int], guest: Guest) -> None:
    """Set IF; only an STI that changes it casts a shadow."""
    s[_cell(guest)] = 0 if s[guest.cpu.irq] else BLOCKING_BY_STI
    s[guest.cpu.irq] = 1


def mov_ss(s: list[int], guest: Guest) -> None:
    """Load SS."""
    s[_cell(guest)] = BLOCKING_BY_MOV_SS


def lift(s: list[int], guest: Guest) -> None:
    """The instruction in the shadow has been executed."""
    if guest.shadow is not None:
        s[guest.shadow] = 0


def _cell(guest: Guest) -> Cell:
    if guest.shadow is None:
        raise ModelError("this guest has no cell for the shadow; allocate one")
    return guest.shadow
