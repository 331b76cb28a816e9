"""The CPU of the recorded traces: an emulator on which one instruction is one cycle, with KVM of Linux 6.1.

What hardware does takes no instruction there, and nothing is ever cold. Of the rest one recording shows a
part, stretch by stretch: that of a guest that halts until its deadlines. What it does not show is HSW16's
number, an instruction a cycle: above all the preemption timer's exit, for a guest that halts never leaves by
it. How a stretch divides among its neighbours is assumed where it is said to be halved.

Predicted is how late the deadlines of other recordings are, and what was measured without recording. A guest
that halts comes out best, for its pieces are fitted; with a busy one's recording the busy guest would.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kvmlab.schedulers.profile import MachineProfile, Parameter, Status
from kvmlab.schedulers.profiles.hsw16 import HSW16

TRACE = "vmx_pt1_lab_tsc_hlt"
EVENT = 600
"""Instructions to record one event, assumed: whatever the event, and so is no more said than roughly.

Events with next to nothing between them are 569 to 673 instructions apart in the recordings, by their kinds.
"""

IN_HARDWARE = frozenset({"VDELIV", "LAPIC_FIRE", "RESID", "IPI_FLIGHT", "PI_PROC", "ICR_PHYS"})
"""What takes no instruction, and what only a real cache knows."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a parameter is fitted to: ``instructions`` of TRACE, in which so many ``events`` were recorded.

    Of these the parameter is what the others on the stretch (``less``) leave, or one of ``parts`` of that.
    """

    instructions: int
    events: int
    source: str
    less: tuple[str, ...] = ()
    parts: int = 1

    def cycles(self, known: Mapping[str, Parameter], event: int) -> int:
        """Return what is left for the parameter if to record an event takes so long."""
        rest = self.instructions - self.events * event - sum(known[name].cycles for name in self.less)
        return rest // self.parts

    def says(self) -> str:
        """Return in words what it is fitted to."""
        events = f", less {self.events} events" if self.events > 1 else ", less an event" * self.events
        half = ", halved" if self.parts > 1 else ""
        return f"{self.source}: {self.instructions}{events}{''.join(f', {name}' for name in self.less)}{half}"


OWN = Parameter(
    "VCPU_RUN", 0, 0, 0, Status.ASSUMED, "", "vmx_vcpu_run up to where it waits; on HSW16 in SW_ENTRY"
)
"""What this machine tells apart and HSW16 does not: it stands behind kvm_entry."""

STEPS: Mapping[str, tuple[str, ...]] = {
    "TRACE.entry": ("VCPU_RUN",),
    "WAIT.expire": ("HW_ENTRY",),
    "VMENTRY": (),
}
"""Where parameters stand that do not stand there on HSW16.

What is HW_ENTRY here are instructions of KVM's, behind its look at the clock and before the entry itself: the
preemption timer does not count yet. (It would count in a wait; on this machine nobody comes early enough.)
"""

FITTED = {
    "HW_EXIT": Stretch(86, 0, "from a guest's RDTSC to the exit of the WRMSR with its deadline"),
    "SW_EXIT": Stretch(1038, 1, "from the exit of the one WRMSR to LVTT to kvm_apic", ("H_WRMSR",)),
    "SW_ENTRY": Stretch(1057, 1, "from kvm_msr of the one WRMSR to LVTT to kvm_entry"),
    "FAST_PATH": Stretch(776, 1, "from kvm_msr of a deadline to kvm_entry"),
    "HV_SET": Stretch(1680, 2, "from a deadline's exit to its kvm_msr", ("H_WRMSR",)),
    "VCPU_RUN": Stretch(725, 1, "from kvm_entry to kvm_wait_lapic_expire", ("HV_CHECK",)),
    "HW_ENTRY": Stretch(917, 1, "from kvm_entry to the exit for OUT", ("VCPU_RUN", "HV_CHECK", "HW_EXIT")),
    "HV_ARM": Stretch(925, 1, "from kvm_entry to the exit for HLT", ("VCPU_RUN", "HW_ENTRY", "HW_EXIT")),
    "G_ISR": Stretch(
        903, 1, "from kvm_wait_lapic_expire to the exit of a WRMSR", ("HW_ENTRY", "HW_EXIT"), parts=2
    ),
    "G_ISR_REST": Stretch(
        903, 1, "from kvm_wait_lapic_expire to the exit of a WRMSR", ("HW_ENTRY", "HW_EXIT", "G_ISR")
    ),
    "H_HLT": Stretch(1717, 1, "from the exit for HLT to hrtimer_start", ("SW_EXIT",)),
    "HRT_START": Stretch(1517, 2, "from hrtimer_start to where the halt begins"),
    "IRQ_ENTER": Stretch(322, 0, "from the hrtimer's time to local_timer_entry", ("EOI_HOST",)),
    "HRT_INT": Stretch(803, 1, "from local_timer_entry to hrtimer_expire_entry"),
    "WAKE": Stretch(
        3526, 1, "from hrtimer_expire_entry to sched_switch", ("TIMER_EXPIRE", "HRT_REPROG", "IRQ_EXIT")
    ),
    "SWITCH": Stretch(1832, 1, "from sched_switch to kvm_vcpu_wakeup"),
    "INJ": Stretch(673, 1, "from kvm_apic_accept_irq to kvm_apicv_accept_irq"),
    "UNBLOCK": Stretch(
        2954,
        2,
        "from kvm_vcpu_wakeup to kvm_apic_accept_irq, from kvm_apicv_accept_irq to kvm_entry",
        ("HV_POSTBLOCK", "SW_ENTRY", "SYNC_PIR"),
    ),
}
"""In this order, for some need what others are."""


def _elsewhere(parameter: Parameter) -> Parameter:
    """Return a parameter of HSW16 as it is on a machine without hardware."""
    if parameter.name in IN_HARDWARE:
        return replace(parameter, cycles=0, low=0, high=0, status=Status.ASSUMED, source="no instruction")
    source = "assumed: HSW16's number, an instruction a cycle"
    return replace(parameter, status=Status.ASSUMED, source=source)


def _table(base: Mapping[str, Parameter], event: int) -> dict[str, Parameter]:
    known = {name: _elsewhere(parameter) for name, parameter in {**base, OWN.name: OWN}.items()}
    for name, stretch in FITTED.items():
        n = stretch.cycles(known, event)
        known[name] = replace(
            known[name], cycles=n, low=0, high=2 * n, status=Status.FITTED, source=stretch.says()
        )
    return known


def fitted(event: int = EVENT) -> MachineProfile:
    """Return the machine, fitted as if to record an event took ``event`` instructions."""
    return MachineProfile(
        "traced",
        "the emulated CPU of the recorded traces, Linux 6.1: one instruction is one cycle",
        f"fitted to {TRACE}, {event} instructions an event",
        _table(HSW16.parameters, event),
        {**HSW16.steps, **STEPS},
        HSW16.splits,
    )


TRACED = fitted()
