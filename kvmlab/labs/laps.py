"""The laps of vcpu_run, counted in a run: from L1's VMRESUME until L1 runs again."""

from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.run import Run, Taken
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.schedulers.clock import Clock

LAP = "v:REQ.other"
"""The first step of every lap."""

BACK = "m:L1.EXITED"
"""L1's first step behind its VMRESUME."""


def until_l1(kernel: Kernel, *, inject: bool = True, after: int = 3, limit: int = 20_000) -> Run:
    """Return the run, every CPU at the same speed, from L1's VMRESUME up to where L1 runs again.

    L2 leaves on its own behind ``after`` instructions. If L1 never runs again the run stops at
    ``limit`` steps and says so.
    """
    system = immediate_exit(kernel, inject=inject, after=after).system
    steps: list[Taken] = []
    for step in Clock(system).steps(limit):
        if step.label == BACK:
            return Run(system, tuple(steps))
        steps.append(step)
    return Run(system, tuple(steps), f"L1 did not run again in {limit} steps")


def entries(run: Run) -> list[tuple[int, str]]:
    """Return every VM entry of ``run``: the number of its step, counted from 0, and whose code runs then."""
    layout = run.system.layout
    whose = layout.index("core.frame")
    return [
        (n, layout.text(whose, step.after))
        for n, step in enumerate(run.steps)
        if any(name == "kvm_entry" for name, _ in step.events)
    ]


def laps(run: Run) -> list[str]:
    """Return what became of each lap of ``run``: which guest it entered, or that it was called off."""
    starts = [n for n, label in enumerate(run.labels) if label == LAP]
    ends = [*starts[1:], len(run.steps)]
    parts = [Run(run.system, run.steps[a:b]) for a, b in zip(starts, ends, strict=True)]
    return [f"lap {n}: {_fate(part)}" for n, part in enumerate(parts, 1)]


def _fate(lap: Run) -> str:
    entered = [who for _, who in entries(lap)]
    reasons = [fields["exit_reason"] for name, fields in lap.events if name == "kvm_exit"]
    if not entered:
        return "called off at the recheck, nobody is entered"
    left = f", which leaves by {reasons[0]}" if reasons else ""
    return f"enters {entered[0]}{left}"
