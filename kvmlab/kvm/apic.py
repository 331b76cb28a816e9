"""The guest's x2APIC, as KVM emulates it when APICv is off: WRMSR exits of ICR and EOI.

Source: v6.1 lapic.c kvm_apic_send_ipi, __apic_accept_irq, apic_set_eoi; x86.c kvm_emulate_wrmsr.
"""

from collections.abc import Sequence

from kvmlab.kvm import events
from kvmlab.kvm.nested import current
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.step import Fired, Guard, Step
from kvmlab.processor import lapic
from kvmlab.processor.exits import Exit
from kvmlab.processor.vectors import highest

X2APIC_EOI, X2APIC_ICR = 0x80B, 0x830
SHORTHAND_SELF = 1 << 18
"""Bits 19:18 of the ICR are 1: the destination is the sender, the trigger edge, the mode fixed."""


def self_ipi(vector: int) -> int:
    """Return the ICR value that sends ``vector`` to the CPU that writes it."""
    return SHORTHAND_SELF | vector


def _writes(msr: int) -> Guard:
    def when(s: Sequence[int], me: Vcpu) -> bool:
        guest = current(s, me)
        assert guest.msr is not None
        return s[guest.vmcs.reason] == Exit.MSR_WRITE and s[guest.msr] == msr

    return when


def _value(s: Sequence[int], me: Vcpu) -> int:
    cell = current(s, me).value
    assert cell is not None
    return s[cell]


def _icr(s: list[int], me: Vcpu) -> None:
    lapic.accept(s, current(s, me).cpu, _value(s, me) & 0xFF)
    s[me.requests] |= KVM_REQ_EVENT


def _eoi(s: list[int], me: Vcpu) -> None:
    lapic.end_of_interrupt(s, current(s, me).cpu)
    s[me.requests] |= KVM_REQ_EVENT


def _icr_fires(before: Sequence[int], after: Sequence[int], me: Vcpu) -> tuple[Fired, ...]:
    icr = _value(before, me)
    vector: dict[str, object] = {"vec": icr & 0xFF, "delivery_mode": "Fixed", "trigger": "edge"}
    route = {"dest_id": 0, "dest_mode": "physical", "level": "de-assert", "shorthand": "self"}
    return (
        ("kvm_apic_ipi", {**vector, **route}),
        ("kvm_apic_accept_irq", {"apicid": 0, **vector}),
        ("kvm_apic", {"rw": "write", "reg": "APIC_ICR", "val": icr}),
    )


def _eoi_fires(before: Sequence[int], after: Sequence[int], me: Vcpu) -> tuple[Fired, ...]:
    vector = highest(before[current(before, me).cpu.isr])
    return (
        ("kvm_apic", {"rw": "write", "reg": "APIC_EOI", "val": 0}),
        ("kvm_eoi", {"apicid": 0, "vector": vector}),
    )


WRMSR = (
    Step(
        "EXIT.wrmsr_icr",
        _icr,
        _writes(X2APIC_ICR),
        "the guest sends itself an interrupt: into its IRR, KVM_REQ_EVENT",
        "v6.1 lapic.c kvm_apic_send_ipi, __apic_accept_irq",
        emits=events.wrmsr(_icr_fires),
    ),
    Step(
        "EXIT.wrmsr_eoi",
        _eoi,
        _writes(X2APIC_EOI),
        "the guest ends its interrupt: out of the ISR, KVM_REQ_EVENT",
        "v6.1 lapic.c apic_set_eoi",
        emits=events.wrmsr(_eoi_fires),
    ),
)
