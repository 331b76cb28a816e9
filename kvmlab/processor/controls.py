"""VM-execution and VM-exit control bits that the model uses, at their architectural places.

Source: SDM vol. 3 (June 2016), "VM-Execution Control Fields" and "VM-Exit Controls".
"""

from collections.abc import Mapping

EXTERNAL_INTERRUPT_EXITING = 1 << 0
"""Pin-based."""
ACTIVATE_PREEMPTION_TIMER = 1 << 6
"""Pin-based."""
INTERRUPT_WINDOW_EXITING = 1 << 2
"""Primary processor-based."""
HLT_EXITING = 1 << 7
"""Primary processor-based."""
NMI_WINDOW_EXITING = 1 << 22
"""Primary processor-based."""
UNCONDITIONAL_IO_EXITING = 1 << 24
"""Primary processor-based."""
MONITOR_TRAP_FLAG = 1 << 27
"""Primary processor-based."""
ACK_INTERRUPT_ON_EXIT = 1 << 15
"""VM-exit control."""

_PIN = {EXTERNAL_INTERRUPT_EXITING: "interrupts", ACTIVATE_PREEMPTION_TIMER: "timer"}
_PROC = {
    INTERRUPT_WINDOW_EXITING: "window",
    HLT_EXITING: "HLT",
    NMI_WINDOW_EXITING: "NMI-window",
    UNCONDITIONAL_IO_EXITING: "I/O",
    MONITOR_TRAP_FLAG: "MTF",
}


def show_pin(controls: int) -> str:
    """Print the pin-based controls that are on."""
    return _show(controls, _PIN)


def show_proc(controls: int) -> str:
    """Print the processor-based controls that are on."""
    return _show(controls, _PROC)


def _show(controls: int, names: Mapping[int, str]) -> str:
    return " ".join(name for mask, name in names.items() if controls & mask) or "-"
