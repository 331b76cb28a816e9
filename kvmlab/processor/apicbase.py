"""IA32_APIC_BASE: the modes of a local APIC, and what is left of it while it is disabled.

The table is the machine. x2APIC mode is left only through "disabled", and entered only from xAPIC mode.
Source: SDM vol. 3 (June 2016), "x2APIC States", "Enabling or Disabling the Local APIC".
"""

from kvmlab.errors import IllegalTransition

EXTD, EN = 1 << 10, 1 << 11
DISABLED, INVALID, XAPIC, X2APIC = 0, EXTD, EN, EN | EXTD

NAMES = {DISABLED: "disabled", INVALID: "invalid", XAPIC: "xAPIC", X2APIC: "x2APIC"}

TRANSITIONS = frozenset(
    {
        (DISABLED, XAPIC),
        (XAPIC, X2APIC),
        (XAPIC, DISABLED),
        (X2APIC, DISABLED),
        *((mode, mode) for mode in (DISABLED, XAPIC, X2APIC)),
    }
)
"""(from, to) that a WRMSR may make; any other raises #GP."""

ALL_ONES = 0xFFFFFFFF


def mode(base: int) -> int:
    """Return the mode that the register's value stands for."""
    return base & (EN | EXTD)


def write(base: int, value: int) -> int:
    """Return the register after a WRMSR of ``value``; raise IllegalTransition where the CPU raises #GP."""
    edge = mode(base), mode(value)
    if edge not in TRANSITIONS:
        raise IllegalTransition(f"#GP: a local APIC cannot go from {NAMES[edge[0]]} to {NAMES[edge[1]]}")
    return value


def cpuid_apic(base: int) -> bool:
    """Return CPUID.1:EDX.APIC: a disabled local APIC is hidden."""
    return bool(base & EN)


def mmio_read(base: int, register: int) -> int:
    """Return what a read of the register page gives: its registers are there in xAPIC mode only."""
    return register if mode(base) == XAPIC else ALL_ONES


def mmio_write(base: int, register: int, value: int) -> int:
    """Return a register of the page after a write, which is ignored where there is no page."""
    return value if mode(base) == XAPIC else register
