"""The CPU of the recorded traces: an emulator on which one instruction is one cycle, with KVM of Linux 6.1.

What hardware does takes no instruction there, and nothing is ever cold. The rest is fitted to one recording,
of a guest that waits busily for deadlines that the preemption timer keeps: from event to event, less what it
takes to record one. What that trace does not show is HSW16's number, an instruction a cycle. So everything
that is said of hrtimers and halts on this machine is predicted.
"""

from collections.abc import Mapping
from dataclasses import replace

from kvmlab.schedulers.profile import MachineProfile, Parameter, Status
from kvmlab.schedulers.profiles.hsw16 import HSW16

TRACE = "vmx_pt1_lab_tsc_busy"
EVENT = 600
"""Instructions to record one event, assumed: two events with next to nothing between them are 642 apart."""

IN_HARDWARE = frozenset({"VDELIV", "LAPIC_FIRE", "RESID", "IPI_FLIGHT", "PI_PROC", "ICR_PHYS"})
"""What takes no instruction, and what only a real cache knows."""

FITTED = {
    "HW_EXIT": (176, "from the time for which the timer is set to its exit, 236, less HV_ARM"),
    "H_PREEMPT": (86, "from its exit to kvm_apic_accept_irq, 176, less TIMER_EXPIRE"),
    "INJ": (42, "from kvm_apic_accept_irq to kvm_apicv_accept_irq"),
    "FAST_PATH": (176, "from kvm_msr of a deadline to kvm_entry"),
    "SYNC_PIR": (100, "from kvm_apicv_accept_irq to kvm_entry, 276, less FAST_PATH"),
    "HW_ENTRY": (244, "from kvm_entry to kvm_wait_lapic_expire, less HV_CHECK, and half of what follows"),
    "G_ISR": (
        130,
        "the other half: from there to the exit of the handler's WRMSR, 320, less 60 for the exit",
    ),
    "IRQ_ENTER": (251, "from an external interrupt's exit to local_timer_entry"),
    "HRT_INT": (198, "from local_timer_entry to hrtimer_expire_entry"),
    "SW_ENTRY": (465, "from kvm_msr of LVTT, which is off the fast path, to kvm_entry"),
    "HRT_REPROG": (74, "from the tick's hrtimer_start to kvm_entry, 820, less SW_ENTRY, as on HSW16"),
    "EOI_HOST": (40, "of the same"),
    "IRQ_EXIT": (65, "of the same"),
    "SW_EXIT": (176, "of the same"),
}
"""Instructions, and between which events of the trace."""


def _on_the_emulator(parameter: Parameter) -> Parameter:
    """Return a parameter as this machine has it."""
    if parameter.name in FITTED:
        cycles, source = FITTED[parameter.name]
        return replace(parameter, cycles=cycles, low=0, high=2 * cycles, status=Status.FITTED, source=source)
    if parameter.name in IN_HARDWARE:
        return replace(parameter, cycles=0, low=0, high=0, status=Status.ASSUMED, source="no instruction")
    source = "assumed: HSW16's number, an instruction a cycle"
    return replace(parameter, status=Status.ASSUMED, source=source)


def _table(base: Mapping[str, Parameter]) -> dict[str, Parameter]:
    return {name: _on_the_emulator(parameter) for name, parameter in base.items()}


TRACED = MachineProfile(
    "traced",
    "the emulated CPU of the recorded traces, Linux 6.1: one instruction is one cycle",
    f"fitted to {TRACE}, {EVENT} instructions an event",
    _table(HSW16.parameters),
    HSW16.steps,
    HSW16.splits,
)
