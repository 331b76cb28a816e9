"""The guest's x2APIC, as KVM emulates it where a WRMSR exits: always for ICR, without APICv for all of it.

With APICv the guest's self-IPI is a post to oneself: the sender's own steps, in one. The vCPU's thread
is in root mode and will sync before it enters, so it notifies nobody; another sender that comes between
PIR and ON does what it would do just before or behind.
Source: v6.1 lapic.c kvm_apic_send_ipi, __apic_accept_irq, kvm_lapic_reg_write, apic_set_eoi; x86.c
kvm_emulate_wrmsr; vmx.c vmx_deliver_interrupt, vmx_update_msr_bitmap_x2apic.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.errors import ModelError
from kvmlab.kvm import events
from kvmlab.kvm.nested import current
from kvmlab.kvm.posted import SENDER, Post
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.edit import find
from kvmlab.machine.step import Fired, Guard, Step
from kvmlab.processor import lapic
from kvmlab.processor.apic_write import X2APIC_EOI, X2APIC_ICR, X2APIC_SELF_IPI, X2APIC_TPR
from kvmlab.processor.exits import Exit
from kvmlab.processor.icr import SELF, Icr, decode
from kvmlab.processor.icr import self_ipi as icr_of
from kvmlab.processor.vectors import highest

PASSED = frozenset({X2APIC_TPR, X2APIC_EOI, X2APIC_SELF_IPI})
"""The registers whose writes KVM lets through to APICv.

Without it TPR would pass too (TPR shadow); no guest here writes it.
"""


_POSTING = [node.fn for node in (find(SENDER, "POST.pir"), find(SENDER, "POST.on")) if isinstance(node, Step)]


def _writes(msr: int) -> Guard:
    def when(s: Sequence[int], me: Vcpu) -> bool:
        guest = current(s, me)
        wrote = s[guest.vmcs.reason] == Exit.MSR_WRITE
        return wrote and guest.msr is not None and s[guest.msr] == msr

    return when


def _value(s: Sequence[int], me: Vcpu) -> int:
    cell = current(s, me).value
    assert cell is not None
    return s[cell]


def _icr(s: Sequence[int], me: Vcpu) -> Icr:
    """Return the command that the guest has written, to ICR or to SELF_IPI."""
    msr = current(s, me).msr
    assert msr is not None
    icr = decode(icr_of(_value(s, me)) if s[msr] == X2APIC_SELF_IPI else _value(s, me), x2apic=True)
    if icr.shorthand != SELF:
        raise ModelError("KVM's ICR is modelled for an IPI to oneself; use a sender for another vCPU")
    return icr


def _accept(s: list[int], me: Vcpu) -> None:
    lapic.accept(s, current(s, me).cpu, _icr(s, me).vector)
    s[me.requests] |= KVM_REQ_EVENT


def _post(s: list[int], me: Vcpu) -> None:
    post = Post(vcpu=me, vector=_icr(s, me).vector)
    for effect in _POSTING:
        effect(s, post)


def _eoi(s: list[int], me: Vcpu) -> None:
    lapic.end_of_interrupt(s, current(s, me).cpu)
    s[me.requests] |= KVM_REQ_EVENT


def _register(name: str, value: int) -> Fired:
    return "kvm_apic", {"rw": "write", "reg": name, "val": value}


def _icr_fires(before: Sequence[int], after: Sequence[int], me: Vcpu) -> tuple[Fired, ...]:
    return (*events.kvm_apic_ipi(_icr(before, me)), _register("APIC_ICR", _value(before, me)))


def _posted_icr_fires(before: Sequence[int], after: Sequence[int], me: Vcpu) -> tuple[Fired, ...]:
    *ipi, register = _icr_fires(before, after, me)
    return (*ipi, events.kvm_apicv_accept_irq(_icr(before, me)), register)


def _self_ipi_fires(before: Sequence[int], after: Sequence[int], me: Vcpu) -> tuple[Fired, ...]:
    return (_register("APIC_SELF_IPI", _value(before, me)), *events.kvm_apic_ipi(_icr(before, me)))


def _eoi_fires(before: Sequence[int], after: Sequence[int], me: Vcpu) -> tuple[Fired, ...]:
    vector = highest(before[current(before, me).cpu.isr])
    return _register("APIC_EOI", 0), ("kvm_eoi", {"apicid": 0, "vector": vector})


WRMSR_ICR = Step(
    "EXIT.wrmsr_icr",
    _accept,
    _writes(X2APIC_ICR),
    "the guest sends itself an interrupt: into its IRR, KVM_REQ_EVENT",
    "v6.1 lapic.c kvm_apic_send_ipi, __apic_accept_irq",
    emits=events.wrmsr(_icr_fires),
)
WRMSR_ICR_POSTED = replace(
    WRMSR_ICR,
    fn=_post,
    says="the guest sends itself an interrupt: posted to itself, PIR and ON; no request",
    source="v6.1 lapic.c kvm_apic_send_ipi, vmx.c vmx_deliver_interrupt",
    emits=events.wrmsr(_posted_icr_fires),
)
WRMSR_ICR_EITHER = replace(
    WRMSR_ICR,
    fn=lambda s, me: (_accept if me.guests[0].apicv is None else _post)(s, me),
    says="the guest sends itself an interrupt: with APICv posted to itself, else into its IRR, KVM_REQ_EVENT",
)
WRMSR_SELF_IPI = replace(
    WRMSR_ICR,
    label="EXIT.wrmsr_self_ipi",
    when=_writes(X2APIC_SELF_IPI),
    source="v6.1 lapic.c kvm_lapic_reg_write, __apic_accept_irq",
    emits=events.wrmsr(_self_ipi_fires),
)
WRMSR_EOI = Step(
    "EXIT.wrmsr_eoi",
    _eoi,
    _writes(X2APIC_EOI),
    "the guest ends its interrupt: out of the ISR, KVM_REQ_EVENT",
    "v6.1 lapic.c apic_set_eoi",
    emits=events.wrmsr(_eoi_fires),
)
