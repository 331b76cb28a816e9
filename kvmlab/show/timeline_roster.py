"""Who is a vCPU in a run, and which events are whose.

A vCPU is what :mod:`kvmlab.traces.vcpus` says. An interrupt belongs to the vCPU whose APIC accepts it,
whoever ran when it was traced. What belongs to no vCPU is the host's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.traces.event import Event
from kvmlab.traces.vcpus import Vcpu, Vcpus

_MAKE_VCPU = frozenset(
    (
        *("kvm_entry", "kvm_exit", "kvm_userspace_exit", "kvm_vcpu_wakeup", "kvm_halt_poll_ns", "kvm_msr"),
        *("kvm_eoi", "kvm_pv_eoi", "kvm_inj_virq", "kvm_inj_exception", "kvm_hv_timer_state"),
        *("kvm_wait_lapic_expire", "kvm_nested_vmenter", "kvm_nested_vmrun", "kvm_nested_vmexit"),
        *("kvm_nested_vmexit_inject", "kvm_nested_intr_vmexit"),
    )
)
"""Events that nobody but a vCPU's thread records."""
_OWN = _MAKE_VCPU | {"kvm_pio", "kvm_apic", "kvm_apic_ipi", "kvm_page_fault", "kvm_ple_window_update"}
"""Events that are a vCPU's if its thread recorded them."""
_ACCEPT = frozenset(("kvm_apic_accept_irq", "kvm_apicv_accept_irq"))


@dataclass(frozen=True, slots=True)
class Roster:
    """The vCPUs by number, with their threads' comms; for each event, who recorded it, and whose it is."""

    vcpus: tuple[Vcpu, ...]
    tasks: tuple[str, ...]
    speakers: tuple[int | None, ...]
    owners: tuple[int | None, ...]

    def name(self, vcpu: int) -> str:
        """Return how a vCPU is called: by its number, and by its thread where that is not enough."""
        me = self.vcpus[vcpu]
        if me.number is None:
            return f"vCPU, pid {me.pid}"
        alone = sum(other.number == me.number for other in self.vcpus) == 1
        return f"vCPU {me.number}" if alone else f"vCPU {me.number}, pid {me.pid}"


def roster(events: Sequence[Event]) -> Roster:
    """Return who is who among the events of a run."""
    known = Vcpus()
    said = [known.of(event) if event.name in _OWN | _ACCEPT else None for event in events]
    tasks = {
        vcpu: event.task
        for vcpu, event in zip(said, events, strict=True)
        if vcpu and event.name in _MAKE_VCPU
    }
    vcpus = sorted(tasks, key=lambda vcpu: (vcpu.number is None, vcpu.number or 0, vcpu.pid))
    place = {vcpu: i for i, vcpu in enumerate(vcpus)}
    speakers = tuple(place.get(vcpu) if vcpu else None for vcpu in said)
    # Only now is every number known; the target of an early interrupt may be one that spoke later.
    accepted = (known.target(event) if event.name in _ACCEPT else None for event in events)
    only = 0 if len(vcpus) == 1 else None
    owners = tuple(
        place.get(to, speaker) if to else only if event.name in _ACCEPT else speaker
        for event, to, speaker in zip(events, accepted, speakers, strict=True)
    )
    return Roster(tuple(vcpus), tuple(tasks[vcpu] for vcpu in vcpus), speakers, owners)
