"""A guest with a timer, traced: the programs of the recordings, under a clock.

Time is the host's TSC, and each step costs what a profile says; expiry is arithmetic, so the clock jumps.
"""

from collections.abc import Sequence

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.timers import timed
from kvmlab.kvm.exits import because
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step
from kvmlab.machine.system import Actor, System
from kvmlab.processor.apic_timer import MASKED
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import frame, show_flag
from kvmlab.scenarios.costed import costed, with_handlers
from kvmlab.scenarios.deadline_guest import PROGRAMS, Program, guest
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.timer_parts import Host, actors, parts

TRACED = Host(
    khz=200_000,
    bus_khz=1_000_000,
    rate=0,
    offset=-7_600_000_000,
    start=7_610_000_000,
    max_poll=40_000,
    poll_start=2_000,
    advance=-1,
)
"""The host of the recordings: a TSC of 200 MHz, halt_poll_ns=200000 (from 10000 on), an adaptive advance.

Not recorded: when the run begins, and the rate of its preemption timer. It seems to count every cycle: in the
busy guest's recording 16 expiries come 235 to 238 cycles after their time. Its min_timer_period_us allows
200 us.
"""
DELTA = {"busy": 200_000, "hlt": 200_000, "past": -1_000_000, "oneshot_hlt": 200_000, "periodic": 200_000}
"""What each traced guest adds to its TSC, in cycles, or counts, in ticks of the bus clock."""


def _leave(s: list[int], me: TimedVcpu) -> str:
    return "vcpu_run"


EXIT_IO = Step(
    "EXIT.io",
    _leave,
    because(Exit.IO_INSTRUCTION),
    "a port of userspace's: vcpu_run returns, and does not come back",
    "v6.1 x86.c kvm_fast_pio",
    leaves=("vcpu_run",),
)


def tsc_deadline(
    kernel: Kernel, *, mode: str = "hlt", rounds: int = 16, host: Host = TRACED, costs: bool = False
) -> Scenario:
    """Return the scenario on ``kernel``: a traced guest, so many rounds.

    ``mode`` is "busy", "hlt" or "past" (a TSC deadline), "oneshot_hlt" or "periodic" (a count). With
    ``costs`` the kernel has the steps that only take time, for a clock that goes by a machine's profile.
    Raises BadInput for a kernel that is not modelled for it, a mode nobody knows, or fewer rounds than one.
    """
    kernel.require("tsc-deadline")
    if mode not in PROGRAMS:
        raise unknown("mode", mode, PROGRAMS)
    if rounds < 1:
        raise BadInput("rounds: 1 or more")
    layout = Layout()
    run = _costed(kernel, layout) if costs else timed(kernel, EXIT_IO)
    the = parts(layout, run, host, lvtt=MASKED)
    links = {"guest": the.guest, "tsc": the.vcpu.timer.tsc, "delta": DELTA[mode]}
    program = layout.record(Program, "program", rounds=rounds, **links)
    actor = Actor("g", "guest", guest(mode), program, the.core.frame, frame(1))
    system = System(layout, actors(layout, run, the, actor))
    at, end = system.pc["g"], len(system.places["g"])

    def ended(s: Sequence[int]) -> bool:
        return s[at] == end

    def unserved(s: Sequence[int]) -> bool:
        return ended(s) and s[program.begun] != rounds

    return Scenario(
        "tsc-deadline",
        "a guest arms its timer and waits, again and again",
        run,
        system,
        (Property("SERVED", "every round ends", unserved),),
        ended,
        "",
        {"mode": mode, "rounds": rounds, "host": host, "costs": costs},
        {**the.named, "program": program},
    )


def _costed(kernel: Kernel, layout: Layout) -> Kernel:
    return with_handlers(costed(kernel, layout.add("gap", 0, show_flag)), (EXIT_IO,))
