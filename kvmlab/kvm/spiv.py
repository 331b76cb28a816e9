"""The guest disables its local APIC by software: bit 8 of the spurious-vector register.

Every LVT entry is masked, and stays so until the guest writes it with the APIC enabled; an expiry that nobody
has delivered is forgotten. The timer is not stopped, neither here nor in hardware: it expires behind its
mask. What KVM asks of the APIC itself before it delivers an interrupt of the timer's (apic_enabled) comes to
the same, so only the mask is modelled; what pends in IRR already is left alone.
Source: v4.10, v4.19, v6.1 lapic.c kvm_lapic_reg_write (APIC_SPIV, APIC_LVTT), apic_set_spiv;
SDM vol. 3 (June 2016), "Local APIC State After It Has Been Software Disabled".
"""

from kvmlab.errors import ModelError
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.timer_msrs import LAPIC, WRMSR_DONE, handler, written
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.step import Step, block
from kvmlab.processor.apic_timer import MASKED, SOFTWARE_ENABLE, X2APIC_SIVR
from kvmlab.processor.exits import Exit


def _set_spiv(s: list[int], me: TimedVcpu) -> str | None:
    if me.timer.enabled is None:
        raise ModelError("this local APIC has no spurious-vector register; allocate the cell enabled")
    s[me.timer.enabled] = int(bool(written(s, me) & SOFTWARE_ENABLE))
    return "software_disable" if s[me.timer.enabled] else None


def _mask(s: list[int], me: TimedVcpu) -> None:
    """The mode is not another one, so apic_update_lvtt cancels nothing."""
    s[me.timer.lvtt] |= MASKED


def _forget(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.pending] = 0


WRITE_SPIV = block(
    "write_spiv",
    block(
        "software_disable",
        Step(
            "SPIV.write",
            _set_spiv,
            says="the spurious-vector register: does it disable the local APIC?",
            source=LAPIC + "kvm_lapic_reg_write, apic_set_spiv",
            leaves=("software_disable",),
            emits=trace.register("APIC_SPIV"),
        ),
        Step(
            "SPIV.mask",
            _mask,
            says="every LVT entry is masked; the timer counts on",
            source=LAPIC + "kvm_lapic_reg_write, apic_update_lvtt",
        ),
        Step(
            "SPIV.forget",
            _forget,
            says="pending := 0: an expiry not yet delivered is forgotten",
            source=LAPIC + "kvm_lapic_reg_write",
        ),
    ),
    WRMSR_DONE,
)
EXIT_SPIV = handler(
    "EXIT.wrmsr_spiv",
    Exit.MSR_WRITE,
    X2APIC_SIVR,
    "write_spiv",
    "the guest enables or disables its local APIC by software",
)
