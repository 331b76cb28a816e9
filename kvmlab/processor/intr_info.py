"""The 32-bit layout shared by VM-entry, VM-exit and IDT-vectoring interruption information.

Bits 7:0 vector, 10:8 type, 11 deliver error code, 31 valid. Source: SDM vol. 3 (June 2016),
"VM-Entry Controls for Event Injection" and "Information for VM Exits Due to Vectored Events".
"""

VALID = 1 << 31

EXTERNAL_INTERRUPT, NMI, HARDWARE_EXCEPTION, SOFTWARE_INTERRUPT = 0, 2, 3, 4
PRIVILEGED_SOFTWARE_EXCEPTION, OTHER_EVENT = 5, 7
"""INT1; and, for an entry only, a pending MTF exit, which delivers nothing."""

_TYPES = {
    0: "",
    2: "NMI ",
    3: "exception ",
    4: "INT ",
    5: "priv. exception ",
    6: "soft. exception ",
    7: "pending MTF ",
}


def event(vector: int, kind: int = EXTERNAL_INTERRUPT) -> int:
    """Return valid interruption information for ``vector``."""
    return VALID | kind << 8 | vector


def is_valid(info: int) -> bool:
    """Return whether the valid bit is set."""
    return bool(info & VALID)


def vector(info: int) -> int:
    """Return bits 7:0."""
    return info & 0xFF


def kind(info: int) -> int:
    """Return bits 10:8, the type."""
    return info >> 8 & 7


def show(info: int) -> str:
    """Print interruption information: ``-`` if not valid, else type and vector."""
    return f"{_TYPES.get(info >> 8 & 7, '? ')}{vector(info):#x}" if is_valid(info) else "-"
