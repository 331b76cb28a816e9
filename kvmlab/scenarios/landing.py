"""A guest that is entered with a preemption timer on hardware, and nothing else: where does its exit land?"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor import preemption_timer
from kvmlab.processor.boundary import TIMER_EVENTS
from kvmlab.processor.controls import MONITOR_TRAP_FLAG
from kvmlab.processor.entry import vm_entry
from kvmlab.processor.exits import NONE
from kvmlab.processor.records import ROOT, Core, Cpu, Guest, PreemptionTimer, Vmcs, frame, show_point
from kvmlab.scenarios.guests import L2, L2_BODY, on_guest
from kvmlab.scenarios.scenario import Scenario

RATE = 5
"""IA32_VMX_MISC[4:0] of the processors that the course's numbers come from: 32 cycles a tick."""
BARE = Kernel("hardware", "no kernel takes part", "SDM vol. 3 (June 2016)", {})


@dataclass(frozen=True, slots=True)
class Host:
    """Root mode: what it is about to enter, and the timer's value (None: the monitor trap flag instead)."""

    guest: Guest
    value: int | None


def _enter(s: list[int], me: Host) -> None:
    if me.value is None:
        s[me.guest.vmcs.proc] |= MONITOR_TRAP_FLAG
    else:
        preemption_timer.arm(s, me.guest.vmcs, me.value)
    vm_entry(s, me.guest)


ENTER = block(
    "host",
    Step("VMENTRY", _enter, says="the guest is entered", source='SDM vol. 3 (June 2016), "VM Entries"'),
)


def landing(value: int | None, phase: int = 0, *, cap: int = 1 << 10, rate: int = RATE) -> Scenario:
    """Return an entry at a TSC whose low bits are ``phase``, with the timer at ``value`` ticks of 2^``rate``
    cycles; ``value`` None sets the monitor trap flag instead.

    At most ``cap`` instructions are counted. Raises BadInput for a value or a phase that cannot be.
    """
    if value is not None and not 0 <= value <= preemption_timer.MAX_TICKS:
        raise BadInput(f"value={value}: 0 to {preemption_timer.MAX_TICKS}")
    if not 0 <= phase < 1 << rate:
        raise BadInput(f"phase={phase}: 0 to {(1 << rate) - 1}, the low {rate} bits of the TSC")
    layout = Layout()
    now = layout.add("now", phase, show_point)
    core, cpu = layout.record(Core, "core"), layout.record(Cpu, "L0")
    form = layout.record(Vmcs, "V0_1", owner=0, guest=1, pin=layout.add("pin"), timer=layout.add("timer"))
    timer = layout.record(PreemptionTimer, "counter", tsc=now, rate=rate)
    own = layout.record(Cpu, "L1")
    guest = layout.record(
        Guest,
        "guest1",
        level=1,
        core=core,
        host=cpu,
        cpu=own,
        vmcs=form,
        timer=timer,
        cap=cap,
        length=cap + 1,
    )
    actors = [
        Actor("v", "the host", ENTER, Host(guest, value), core.frame, ROOT),
        Actor("g", "the guest", on_guest(L2_BODY, TIMER_EVENTS), L2(guest=guest), core.frame, frame(1)),
    ]

    def left(s: Sequence[int]) -> bool:
        return bool(s[form.reason] != NONE)

    what = "the monitor trap flag" if value is None else f"a preemption timer of {value}"
    return Scenario(
        "landing",
        f"a guest is entered with {what}",
        BARE,
        System(layout, actors),
        (),
        left,
        "",
        {"value": value, "phase": phase},
        {"core": core, "guest": guest, "now": now},
    )
