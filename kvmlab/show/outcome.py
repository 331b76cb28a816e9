"""One way of leaving L2, carried out: what the threshold picture draws in one row.

The run is the clock's, every step as long as any other: the device delivers 0x40 as soon as it may,
the host takes an interrupt as soon as it may. Nothing here is typed in: every field is read off the
states on the way to the moment at which L1 runs again.
"""

from dataclasses import dataclass

from kvmlab.errors import ModelError
from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.run import Taken
from kvmlab.machine.state import Cell, State
from kvmlab.processor.controls import MONITOR_TRAP_FLAG
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import frame
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.clock import Clock
from kvmlab.show.titles import title

PATIENCE = 1000
"""Steps, besides L2's instructions, after which L1 is given up; the course's kernels need under 60."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``kernel`` made of L1's VMRESUME while 0x40 waited for L1.

    ``event``, ``pending`` and ``trap`` are the entry field, the vectors at the CPU and the monitor trap
    flag at the door: just before the entry, or before the report to L1 if there was no entry. ``reason``
    and ``rip`` are those of L2's exit (``-``: it was never entered), ``told`` is the reason L1 was given.
    ``late`` and ``lost`` say that the properties L2_RAN and LOST were broken on the way.
    """

    kernel: str
    inject: bool
    k: int
    event: str
    pending: str
    trap: bool
    entered: bool
    instructions: int
    reason: str
    rip: str
    told: str
    delivered: bool
    late: bool
    lost: bool
    laps: int

    @property
    def word(self) -> str:
        """The verdict: LOST, LATE, SKIPPED (not entered, nothing to lose), BY LUCK or EXACT.

        By luck: L2 left before its first instruction, but of itself and not because of L1.
        """
        forced = self.told == Exit.EXTERNAL_INTERRUPT.name
        faults = {"LOST": self.lost, "LATE": self.late, "SKIPPED": not self.entered, "BY LUCK": not forced}
        return next((word for word, applies in faults.items() if applies), "EXACT")


def outcome(kernel: Kernel, inject: bool, k: int) -> Outcome:
    """Return what happens on ``kernel`` if L2's next natural exit comes after ``k`` instructions.

    Raises BadInput for a negative ``k`` and ModelError if L1 never runs again.
    """
    scenario = immediate_exit(kernel, inject=inject, after=k)
    turns, laps = _timed_run(scenario, PATIENCE + k)
    vcpu, l2, frames = scenario.records["vcpu"], scenario.records["l2"], scenario.records["core"].frame
    told, inside = vcpu.vmcs12.reason, frame(l2.level)
    entries = [t for t in turns if t.after[frames] == inside]
    exits = [t for t in turns if t.before[frames] == inside]
    reports = [t for t in turns if t.before[told] != t.after[told]]
    door, end = (entries or reports)[0].before, turns[-1].after
    wrong = {p.label for s in (*(t.before for t in exits), end) for p in scenario.properties if p.broken(s)}

    def text(cell: Cell, s: State) -> str:
        return scenario.system.layout.text(cell, s)

    return Outcome(
        kernel=title(kernel),
        inject=inject,
        k=k,
        event=text(l2.vmcs.intr_info, door),
        pending=text(vcpu.cpu.irr, door),
        trap=bool(door[l2.vmcs.proc] & MONITOR_TRAP_FLAG),
        entered=bool(entries),
        instructions=sum(t.before[l2.insns] for t in exits),
        reason=text(l2.vmcs.reason, end),
        rip=text(l2.rip, exits[-1].before) if exits else "-",
        told=text(told, end),
        delivered=bool(end[l2.delivered]),
        late="L2_RAN" in wrong,
        lost="LOST" in wrong,
        laps=laps,
    )


def _timed_run(scenario: Scenario, limit: int) -> tuple[list[Taken], int]:
    """Carry out the clock's run up to L1's next instruction; return its turns and the laps of vcpu_run.

    A turn is a step that changed who runs on the core or what L1 was told. No other step is kept: L2
    may execute thousands of instructions.
    """
    frames, told = scenario.records["core"].frame, scenario.records["vcpu"].vmcs12.reason
    turns: list[Taken] = []
    laps = 0
    for step in Clock(scenario.system).steps(limit):
        laps += step.move.actor.letter == "v" and step.move.at == 0
        was, now = step.before, step.after
        if was[frames] != now[frames] or was[told] != now[told]:
            turns.append(step)
            if now[frames] == frame(1):
                return turns, laps
    raise ModelError(f"{scenario.kernel.name}: L1 does not run again within {limit} steps")
