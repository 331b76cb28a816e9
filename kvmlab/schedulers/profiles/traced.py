"""The CPU of the recorded traces: an emulator on which one instruction is one cycle, with KVM of Linux 6.1.

What hardware does takes no instruction there, and nothing is ever cold. The rest is fitted to one recording,
of a guest that waits busily for deadlines that the preemption timer keeps: from event to event, less what it
takes to record one. The host's own tick is in it, so the way of an hrtimer's interrupt is fitted too. What
that trace does not show is HSW16's number, an instruction a cycle: on a busy guest's way only TIMER_EXPIRE
and HV_CHECK, in a halt nearly everything.

Predicted is that these pieces, put together, make the latency that was measured without recording. Twice they
do not: a halting guest's is two fifths too short, and where the advance has taken off what it can, what
is left is half as long again as measured. HW_ENTRY and G_ISR are 374 together; from how the measured
latencies fall one reads some 220.
"""

from collections.abc import Mapping
from dataclasses import replace

from kvmlab.schedulers.profile import MachineProfile, Parameter, Status
from kvmlab.schedulers.profiles.hsw16 import HSW16

TRACE = "vmx_pt1_lab_tsc_busy"
EVENT = 600
"""Instructions to record one event, assumed: two events with next to nothing between them are 642 apart.

The other 42 became INJ. It is taken off at each of five events on the preemption timer's way and of six on
the hrtimer's, so one instruction more makes the two latencies 5 and 6 shorter; their difference moves by 1.
"""

IN_HARDWARE = frozenset({"VDELIV", "LAPIC_FIRE", "RESID", "IPI_FLIGHT", "PI_PROC", "ICR_PHYS"})
"""What takes no instruction, and what only a real cache knows."""

FITTED = {
    "HW_EXIT": (176, 0, "from the time for which the timer is set to its exit, 236, less HV_ARM"),
    "H_PREEMPT": (86, 1, "from its exit to kvm_apic_accept_irq, 176, less TIMER_EXPIRE"),
    "INJ": (42, 1, "from kvm_apic_accept_irq to kvm_apicv_accept_irq"),
    "FAST_PATH": (176, 1, "from kvm_msr of a deadline to kvm_entry"),
    "SYNC_PIR": (100, 0, "from kvm_apicv_accept_irq to kvm_entry, 276, less FAST_PATH"),
    "HW_ENTRY": (
        244,
        1,
        "from kvm_entry to kvm_wait_lapic_expire, less HV_CHECK, and half of what follows",
    ),
    "G_ISR": (
        130,
        1,
        "the other half: from there to the exit of the handler's WRMSR, 320, less 60 for the exit",
    ),
    "IRQ_ENTER": (251, 1, "of the host's tick: from an external interrupt's exit to local_timer_entry"),
    "HRT_INT": (198, 1, "of the host's tick: from local_timer_entry to hrtimer_expire_entry"),
    "SW_ENTRY": (465, 1, "from kvm_msr of LVTT, which is off the fast path, to kvm_entry"),
    "HRT_REPROG": (74, 0, "from the tick's hrtimer_start to kvm_entry, 820, less SW_ENTRY, as on HSW16"),
    "EOI_HOST": (40, 0, "of the same"),
    "IRQ_EXIT": (65, 0, "of the same"),
    "SW_EXIT": (176, 0, "of the same"),
}
"""Instructions, how often EVENT was taken off, and between which events of the trace."""


def _on_the_emulator(parameter: Parameter, event: int) -> Parameter:
    """Return a parameter as this machine has it, if to record an event takes so long."""
    if parameter.name in FITTED:
        at_event, events, source = FITTED[parameter.name]
        cycles = at_event + events * (EVENT - event)
        return replace(parameter, cycles=cycles, low=0, high=2 * cycles, status=Status.FITTED, source=source)
    if parameter.name in IN_HARDWARE:
        return replace(parameter, cycles=0, low=0, high=0, status=Status.ASSUMED, source="no instruction")
    source = "assumed: HSW16's number, an instruction a cycle"
    return replace(parameter, status=Status.ASSUMED, source=source)


def _table(base: Mapping[str, Parameter], event: int) -> dict[str, Parameter]:
    return {name: _on_the_emulator(parameter, event) for name, parameter in base.items()}


def fitted(event: int = EVENT) -> MachineProfile:
    """Return the machine, fitted as if to record an event took ``event`` instructions, at most 642."""
    return MachineProfile(
        "traced",
        "the emulated CPU of the recorded traces, Linux 6.1: one instruction is one cycle",
        f"fitted to {TRACE}, {event} instructions an event",
        _table(HSW16.parameters, event),
        HSW16.steps,
        HSW16.splits,
    )


TRACED = fitted()
