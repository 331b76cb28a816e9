"""A guest writes its local APIC: what APICv does itself, and which exit everything else takes.

x2APIC registers are MSRs: what the MSR bitmap passes is virtualized, the rest exits with MSR_WRITE before the
write. xAPIC registers are the page's: the write is done, then virtualized or followed by an APIC_WRITE exit
(with "APIC-register virtualization" on, as KVM has it). Every exit of virtualization is trap-like.
Source: SDM vol. 3 (June 2016), "TPR Virtualization", "EOI Virtualization", "Self-IPI Virtualization",
"APIC-Write Emulation", "Virtualizing MSR-Based APIC Accesses".
"""

from collections.abc import Callable

from kvmlab.errors import IllegalTransition, ModelError
from kvmlab.processor import apicv
from kvmlab.processor.apicv import page
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.icr import is_virtual_self_ipi
from kvmlab.processor.records import Guest
from kvmlab.processor.vectors import bit

TPR, EOI, ICR = 0x80, 0xB0, 0x300
"""Offsets of the page's registers that are virtualized."""

X2APIC_TPR, X2APIC_EOI, X2APIC_ICR, X2APIC_SELF_IPI = 0x808, 0x80B, 0x830, 0x83F


def write_tpr(s: list[int], guest: Guest, value: int) -> None:
    """TPR virtualization; without virtual-interrupt delivery, the exit that the TPR threshold asks for."""
    a = page(guest)
    if a.vtpr is None:
        raise ModelError("this virtual-APIC page has no VTPR; allocate one")
    s[a.vtpr] = value & 0xFF
    if a.delivery:
        apicv.virtualize_ppr(s, a)
        apicv.evaluate(s, a, s[guest.vmcs.proc])
    elif a.threshold is not None and s[a.vtpr] >> 4 < s[a.threshold]:
        vm_exit(s, guest, Exit.TPR_BELOW_THRESHOLD)


def mov_to_cr8(s: list[int], guest: Guest, cr8: int) -> None:
    """MOV to CR8 with a TPR shadow: the write of a class."""
    write_tpr(s, guest, cr8 << 4)


def is_valid_threshold(threshold: int, vtpr: int) -> bool:
    """Whether VM entry accepts a TPR threshold: it must not be above VTPR's class.

    Asked only with a TPR shadow and neither virtual-interrupt delivery nor virtualized APIC accesses. Source:
    SDM vol. 3 (June 2016), "VM-Execution Control Fields" (checks on VMX controls).
    """
    return threshold & 0xF <= vtpr >> 4


def write_eoi(s: list[int], guest: Guest, value: int = 0) -> None:
    """EOI virtualization: an exit if the vector's EOI-exit bit is set, else evaluation; never both."""
    a = page(guest)
    vector = apicv.end_of_interrupt(s, a)
    if a.eoi_exit is not None and s[a.eoi_exit] & bit(vector):
        vm_exit(s, guest, Exit.EOI_INDUCED)
    else:
        apicv.evaluate(s, a, s[guest.vmcs.proc])


def write_self_ipi(s: list[int], guest: Guest, value: int) -> None:
    """Self-IPI virtualization by MSR 83FH; an illegal vector is software's to deal with.

    Raises IllegalTransition where the CPU raises #GP: bits above the vector are reserved.
    """
    if value >> 8:
        raise IllegalTransition(f"#GP: SELF_IPI has a vector only, not {value:#x}")
    if value >> 4:
        apicv.self_ipi(s, guest, value)
    else:
        vm_exit(s, guest, Exit.APIC_WRITE)


def write_icr(s: list[int], guest: Guest, value: int) -> None:
    """A write of the page's ICR: virtualized if it is a plain self-IPI."""
    if is_virtual_self_ipi(value):
        apicv.self_ipi(s, guest, value & 0xFF)
    else:
        vm_exit(s, guest, Exit.APIC_WRITE)


Write = Callable[[list[int], Guest, int], None]

MSRS: dict[int, Write] = {X2APIC_TPR: write_tpr, X2APIC_EOI: write_eoi, X2APIC_SELF_IPI: write_self_ipi}
"""The MSRs that "virtualize x2APIC mode" treats specially. ICR is not among them."""

PAGE: dict[int, Write] = {TPR: write_tpr, EOI: write_eoi, ICR: write_icr}


def wrmsr(s: list[int], guest: Guest, msr: int, value: int) -> None:
    """WRMSR of an x2APIC register: virtualized if the bitmap passes it, else an exit that leaves it undone.

    Raises ModelError if the bitmap passes a register that is not virtualized.
    """
    if msr not in guest.vmcs.passed:
        if guest.msr is not None and guest.value is not None:
            s[guest.msr], s[guest.value] = msr, value
        vm_exit(s, guest, Exit.MSR_WRITE)
    elif msr in MSRS:
        MSRS[msr](s, guest, value)
    else:
        raise ModelError(f"MSR {msr:#x} is passed through, but nobody virtualizes it")


def store(s: list[int], guest: Guest, offset: int, value: int) -> None:
    """Write a register of the xAPIC page."""
    if offset in PAGE:
        PAGE[offset](s, guest, value)
    else:
        vm_exit(s, guest, Exit.APIC_WRITE)
