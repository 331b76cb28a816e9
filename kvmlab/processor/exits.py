"""Basic VM-exit reasons under the names that ftrace prints.

Source: SDM vol. 3 (June 2016), appendix "VMX Basic Exit Reasons"; arch/x86/include/uapi/asm/vmx.h.
"""

from enum import IntEnum


class Exit(IntEnum):
    """A basic exit reason; 0 is a real one, so an empty field prints as ``-`` through :func:`show`."""

    EXCEPTION_NMI = 0
    EXTERNAL_INTERRUPT = 1
    INIT_SIGNAL = 3
    INTERRUPT_WINDOW = 7
    NMI_WINDOW = 8
    CPUID = 10
    HLT = 12
    VMCALL = 18
    VMLAUNCH = 20
    VMREAD = 23
    VMRESUME = 24
    VMWRITE = 25
    IO_INSTRUCTION = 30
    MSR_READ = 31
    MSR_WRITE = 32
    MONITOR_TRAP_FLAG = 37
    TPR_BELOW_THRESHOLD = 43
    EOI_INDUCED = 45
    EPT_VIOLATION = 48
    PREEMPTION_TIMER = 52
    APIC_WRITE = 56


NONE = -1
"""No exit yet."""


def show(reason: int) -> str:
    """Print an exit reason in ftrace's capitals."""
    return "-" if reason == NONE else Exit(reason).name
