"""VM-execution and VM-exit control bits that the model uses, at their architectural places.

Source: SDM vol. 3 (June 2016), "VM-Execution Control Fields" and "VM-Exit Controls".
"""

INTERRUPT_WINDOW_EXITING = 1 << 2
"""Primary processor-based."""
MONITOR_TRAP_FLAG = 1 << 27
"""Primary processor-based."""
ACK_INTERRUPT_ON_EXIT = 1 << 15
"""VM-exit control."""

_NAMES = {INTERRUPT_WINDOW_EXITING: "window", MONITOR_TRAP_FLAG: "MTF"}


def show_proc(controls: int) -> str:
    """Print the processor-based controls that are on."""
    return " ".join(name for mask, name in _NAMES.items() if controls & mask) or "-"
