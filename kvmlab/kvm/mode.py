"""vcpu->mode: what a sender may assume about the vCPU. It is permission, not "is in non-root mode".

Three modes, as in d6185f20a0ef; the fourth of later kernels (READING_SHADOW_PAGE_TABLES, of the
lockless page-table walker) is not modelled. The table is the machine; nothing else decides what is legal.
Source: d6185f20a0ef, include/linux/kvm_host.h and kvm_vcpu_exiting_guest_mode;
Documentation/virt/kvm/vcpu-requests.rst.
"""

from collections.abc import Sequence

from kvmlab.errors import IllegalTransition
from kvmlab.machine import store_buffer
from kvmlab.machine.state import Cell
from kvmlab.machine.store_buffer import StoreBuffer

OUTSIDE_GUEST_MODE, IN_GUEST_MODE, EXITING_GUEST_MODE = 0, 1, 2

NAMES = ("OUTSIDE", "IN_GUEST", "EXITING")

VCPU, ANY_CPU = "the vCPU's thread", "any CPU"

TRANSITIONS: dict[tuple[int, int], str] = {
    (OUTSIDE_GUEST_MODE, IN_GUEST_MODE): VCPU,
    (IN_GUEST_MODE, EXITING_GUEST_MODE): ANY_CPU,
    (IN_GUEST_MODE, OUTSIDE_GUEST_MODE): VCPU,
    (EXITING_GUEST_MODE, OUTSIDE_GUEST_MODE): VCPU,
}
"""(from, to) -> who makes the change. Only IN -> EXITING is made by others."""


def show(mode: int) -> str:
    """Print a mode by name."""
    return NAMES[mode]


def change(s: list[int], mode: Cell, to: int) -> None:
    """Set the mode; raise IllegalTransition and change nothing if the table has no such edge."""
    if (s[mode], to) not in TRANSITIONS:
        raise IllegalTransition(f"vcpu->mode cannot go from {show(s[mode])} to {show(to)}")
    s[mode] = to


def store(s: list[int], mode: Cell, buffer: StoreBuffer | None, to: int) -> None:
    """Set the mode from the vCPU's own thread: at once, or through its CPU's store buffer if it has one.

    Storing what is there is no transition (a cancel may come before the mode was ever set).
    """
    if buffer is not None:
        store_buffer.store(s, buffer, to)
    elif s[mode] != to:
        change(s, mode, to)


def load(s: Sequence[int], mode: Cell, buffer: StoreBuffer | None) -> int:
    """Return the mode as the vCPU's own thread reads it."""
    return s[mode] if buffer is None else store_buffer.load(s, buffer)
