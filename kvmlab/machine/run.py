"""A run: a schedule carried out, with every state on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.machine import schedule
from kvmlab.machine.state import State
from kvmlab.machine.step import Fired
from kvmlab.machine.system import Move, System


@dataclass(frozen=True, slots=True)
class Taken:
    """One step of a run: the move, the state before and after it, and the time in cycles if any."""

    move: Move
    before: State
    after: State
    time: int = 0

    @property
    def label(self) -> str:
        """``actor:STEP``."""
        return self.move.label

    @property
    def events(self) -> Sequence[Fired]:
        """What fires, where the kernel has tracepoints here."""
        emits = self.move.step.emits
        return emits(self.before, self.after, self.move.me) if emits else ()


def taken(move: Move, state: State) -> Taken:
    """Carry out ``move`` in ``state``, which is left as it is."""
    work = list(state)
    move.carry_out(work)
    return Taken(move, state, tuple(work))


@dataclass(frozen=True, slots=True)
class Run:
    """The steps of one execution of ``system``; ``stopped`` says why it ended before its schedule did."""

    system: System
    steps: tuple[Taken, ...]
    stopped: str = ""

    @property
    def state(self) -> State:
        """The last state."""
        return self.steps[-1].after if self.steps else self.system.start

    @property
    def schedule(self) -> str:
        """The run's schedule as one line of text."""
        return schedule.text(tuple(step.move.token for step in self.steps))

    @property
    def labels(self) -> list[str]:
        """``actor:STEP`` of every step."""
        return [step.label for step in self.steps]

    @property
    def events(self) -> list[Fired]:
        """What ftrace would have printed, in order."""
        return [fired for step in self.steps for fired in step.events]

    def count(self, label: str) -> int:
        """Return how often a step was taken."""
        return sum(step.move.step.label == label for step in self.steps)


def divergence(a: Run, b: Run) -> int:
    """Return how many steps two runs have in common before their labels differ."""
    common = 0
    for x, y in zip(a.labels, b.labels, strict=False):
        if x != y:
            break
        common += 1
    return common


def changed(run: Run, n: int) -> Sequence[tuple[str, str, str]]:
    """Return (cell, was, is) for step ``n`` of a run, positions of actors left out."""
    step = run.steps[n]
    pcs = {info.name for info in run.system.layout.cells if info.name.endswith(".at")}
    return [c for c in run.system.layout.changes(step.before, step.after) if c[0] not in pcs]
