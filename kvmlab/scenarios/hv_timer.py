"""The guest's deadline, and the two timers that KVM keeps it with: one counts in the guest only, one outside.

The guest may halt, another CPU may wake it with an interrupt of its own, the thread may be moved; when the
deadline comes, and how late the host's timer interrupt is, is anybody's choice. What must hold: one
interrupt for one deadline, and whenever the guest runs exactly one timer stands for a deadline to come.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.timers import timed
from kvmlab.kernels.timers import without as left_out
from kvmlab.kvm.vcpu_block import is_runnable
from kvmlab.machine.property import Property
from kvmlab.machine.state import Cell, Layout, cell
from kvmlab.machine.step import STAY, Step, free, loop
from kvmlab.machine.system import Actor, System
from kvmlab.processor.apic_timer import IA32_TSC_DEADLINE, Mode
from kvmlab.processor.apicv import page
from kvmlab.processor.boundary import TIMER_APICV_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest, frame, show_point
from kvmlab.scenarios.alarm_mechanisms import MONITOR
from kvmlab.scenarios.posting import Senders, all_returned, senders
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.timer_parts import VECTOR, Host, Parts, actors, movers, parts

HOST = Host(rate=0, khz=400_000, bus_khz=400_000)
"""A TSC and a preemption timer that count alike: time has no grain, so nothing fires early.

A slow TSC: where a tick is a cycle and there are more of them in a second, v6.1 uses no preemption timer.
"""
NEAR, FAR = 11, 1 << 33
"""Deadlines: one that fits the preemption timer of this host from its first moment on, one that does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The guest: the deadlines that it writes, one after the other, and how often it may halt.

    ``writes`` counts what it has written, ``due`` is the deadline that stands (-1: none), ``had`` how many
    interrupts of the timer it had got when it wrote that.
    """

    guest: Guest
    injected: Cell
    deadlines: tuple[int, ...]
    halts: Cell = cell()
    writes: Cell = cell()
    due: Cell = cell(-1, show_point, deadline=True)
    had: Cell = cell()


def _arm(s: list[int], me: Program) -> str:
    assert me.guest.msr is not None and me.guest.value is not None
    deadline = me.deadlines[s[me.writes]]
    s[me.due], s[me.had] = deadline or -1, s[me.injected]
    s[me.writes] += 1
    s[me.guest.msr], s[me.guest.value] = IA32_TSC_DEADLINE, deadline
    vm_exit(s, me.guest, Exit.MSR_WRITE)
    return STAY


def _halt(s: list[int], me: Program) -> str:
    s[me.halts] -= 1
    vm_exit(s, me.guest, Exit.HLT)
    return STAY


GUEST = in_guest(
    loop(
        "guest",
        free(
            "RUN",
            Step(
                "WRMSR",
                _arm,
                lambda s, me: s[me.writes] < len(me.deadlines),
                "the guest writes its deadline; the write exits",
            ),
            Step("HLT", _halt, lambda s, me: s[me.writes] and s[me.halts], "the guest halts, with IF=1"),
        ),
    ),
    lambda me: me.guest,
    TIMER_APICV_EVENTS,
)
"""It arms its timer, then computes for ever, or halts or writes again while its budget lasts."""


def _properties(the: Parts, program: Program, at_rest: "Rest") -> tuple[Property, ...]:
    t = the.vcpu.timer
    hr, top, inside = t.hrtimer, the.core.frame, frame(1)

    def more_than(s: Sequence[int], allowed: int) -> bool:
        return s[t.injected] - s[program.had] > allowed

    def spurious(s: Sequence[int]) -> bool:
        return s[program.writes] > 0 > s[program.due] and more_than(s, 0)

    def early(s: Sequence[int]) -> bool:
        return s[the.now] < s[program.due] and more_than(s, 0)

    def two(s: Sequence[int]) -> bool:
        return s[top] == inside and s[t.hv_deadline] >= 0 and s[hr.expires] >= 0

    def nobody(s: Sequence[int]) -> bool:
        outstanding = s[top] == inside and s[t.tscdeadline] and not s[t.pending] and not s[hr.running]
        return bool(outstanding) and s[t.hv_deadline] < 0 and s[hr.expires] < 0

    def lost(s: Sequence[int]) -> bool:
        missing = s[program.due] >= 0 and not more_than(s, 0)
        asleep_on_it = s[top] != inside and is_runnable(s, the.vcpu)
        return (missing or asleep_on_it) and at_rest(s)

    return (
        Property(
            "TWICE", "for one deadline KVM gives the guest one interrupt at most", lambda s: more_than(s, 1)
        ),
        Property("SPURIOUS", "a timer that the guest has disarmed makes none", spurious),
        Property("EARLY", "none comes before the deadline that the guest has written last", early),
        Property("TWO_HOLDERS", "the guest never runs with both timers armed", two),
        Property("NO_HOLDER", "the guest never runs with a deadline to come and no timer armed", nobody),
        Property(
            "LOST",
            "every deadline that has passed makes its interrupt, and nobody sleeps on it",
            lost,
        ),
    )


@dataclass(frozen=True, slots=True)
class Rest:
    """Whether nobody will come any more: the deadline has passed, nothing is queued or on its way."""

    the: Parts
    program: Program
    asleep_at: int
    thread: Cell
    returned: tuple[tuple[Cell, int], ...]
    horizon: int

    def __call__(self, s: Sequence[int]) -> bool:
        """Ask it of one state."""
        the, t, a = self.the, self.the.vcpu.timer, page(self.the.guest)
        quiet = s[t.hrtimer.expires] < 0 and not s[t.hrtimer.running] and not s[the.vcpu.cpu.irr]
        if not quiet or s[self.program.due] > s[the.now] or not all_returned(s, self.returned):
            return False
        if s[the.core.frame] == frame(1):
            counts = the.guest.timer is not None and 0 <= s[the.guest.timer.deadline] <= self.horizon
            return not (counts or s[a.posting] or s[a.recognised])
        return s[self.thread] == self.asleep_at and bool(s[the.vcpu.halt.waiting])


REWRITES = {"": (), "off": (0,), "far": (FAR,)}
"""What the guest may write once its timer is armed: nothing, 0, or a deadline that does not fit."""


def hv_timer(
    kernel: Kernel,
    *,
    hlt: int = 1,
    wakes: int = 1,
    migrations: int = 0,
    refuse: bool = False,
    rewrite: str = "",
    without: Sequence[str] = (),
) -> Scenario:
    """Return the scenario on ``kernel``.

    The guest arms one deadline and may halt ``hlt`` times; ``wakes`` interrupts of another CPU may come at
    any time; the thread may be moved ``migrations`` times. ``refuse``: the deadline is too far for the
    preemption timer. ``rewrite``: what the guest may write after it, "off" or "far". ``without`` leaves steps
    of the switch code out, by label. Raises BadInput for a kernel that is not modelled for it, a knob that
    cannot be, or a label nobody knows.
    """
    kernel.require("hv-timer")
    if hlt < 0 or migrations < 0 or not 0 <= wakes <= 4:
        raise BadInput("hlt and migrations: 0 or more; wakes: 0 to 4")
    if rewrite not in REWRITES:
        raise unknown("rewrite", rewrite, filter(None, REWRITES))
    run = timed(left_out(kernel, without) if without else kernel)
    layout = Layout()
    the = parts(layout, run, HOST, lvtt=Mode.TSC_DEADLINE << 17 | VECTOR, moves=migrations)
    deadlines = (FAR if refuse else NEAR, *REWRITES[rewrite])
    links = {"guest": the.guest, "injected": the.vcpu.timer.injected, "deadlines": deadlines}
    program = layout.record(Program, "program", halts=hlt, **links)
    waking = senders(layout, the.vcpu, run.paths["post"], "kvm", wakes) if wakes else Senders((), 0)
    guest = Actor("g", "guest", GUEST, program, the.core.frame, frame(1))
    horizon = 2 * max(deadlines)
    moving = movers(run, the) if migrations else []
    others = actors(layout, run, the, guest, *waking.actors, horizon=horizon)
    system = System(layout, [*others, *moving])
    rows = [place.row.label for place in system.places["v"]]
    rest = Rest(the, program, rows.index("SCHEDULE.in"), system.pc["v"], waking.returned(system), horizon)
    said = {"hlt": hlt, "wakes": wakes, "migrations": migrations, "refuse": refuse, "rewrite": rewrite}
    return Scenario(
        "hv-timer",
        "the guest's deadline between the preemption timer and the host's hrtimer",
        run,
        system,
        _properties(the, program, rest),
        rest,
        "",
        {**said, "without": tuple(without)},
        {**the.named, "program": program},
        symmetry=waking.alike,
        monitor=MONITOR,
    )
