"""What KVM keeps of an SMI for its guest."""

from dataclasses import dataclass

from kvmlab.machine.state import Cell, cell
from kvmlab.processor.records import show_flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Smi:
    """``pending`` is arch.smi_pending, ``smm`` the guest's HF_SMM_MASK: its SMI handler is next or runs."""

    pending: Cell = cell(0, show_flag)
    smm: Cell = cell(0, show_flag)
