"""CPUs whose VMX-preemption timer counts at a wrong rate: KVM uses an hrtimer for deadlines there.

The errata are about the rate; a value of 0 expires at once on these too. Keys are CPUID.1:EAX without its
reserved bits. Source: v4.19 vmx.c vmx_preemption_cpu_tfms, cpu_has_broken_vmx_preemption_timer; the last
entry is later (read in v5.10).
"""

CPUID_EAX_RESERVED = 0xF << 28 | 0x3 << 14
"""Bits 31:28 and 15:14."""

BROKEN_PREEMPTION_TIMER: dict[int, str] = {
    0x000206E6: "BA86, Xeon 7500 D0",
    0x00020652: "AAX65, AAT59, AAU65 C2",
    0x00020655: "AAU65 K0",
    0x000106E5: "AAO95, AAN92, AAP86 B1",
    0x000106A0: "AAM126 C0",
    0x000106A1: "AAM126 C1",
    0x000106A4: "AAJ124 C0",
    0x000106A5: "AAM126, AAK139, AAJ124 D0",
    0x000306A8: "Xeon E3-1220 v2",
}
"""CPUID.1:EAX -> erratum and stepping."""


def has_broken_preemption_timer(cpuid_1_eax: int) -> bool:
    """Whether this CPU's timer counts at a wrong rate."""
    return cpuid_1_eax & ~CPUID_EAX_RESERVED in BROKEN_PREEMPTION_TIMER
