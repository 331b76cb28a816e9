"""Which steps made a verdict: the ones that get ①②③.

The rule is a slice, not a guess; a step is decisive if

1. it was the last to change a cell that the verdict rests on (running the broken property on a
   recording state yields these cells, and the property may name more), or the verdict came with it;
2. it was the last of an actor from outside this CPU (a sender, a device), or the last time that a
   handler of the host interrupted: the IPI that was eaten;
3. it took back what a decisive step of *another* actor had set: the request that was used up, the
   injection that was cleared.

Of one actor the latest :data:`PER_ACTOR` are kept: what is left is "who did what to whom", in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kvmlab.machine.property import Property
from kvmlab.machine.property import broken as first_broken
from kvmlab.machine.run import Run
from kvmlab.machine.watch import Recorder
from kvmlab.scenarios.scenario import Scenario

PER_ACTOR = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """A property that does not hold any more since step ``at``, and the steps (from 1) that decided it."""

    broken: Property
    at: int
    steps: tuple[int, ...]

    @property
    def label(self) -> str:
        """The property's label."""
        return self.broken.label


def verdict(scenario: Scenario, run: Run) -> Verdict | None:
    """Return the first violation on the way of ``run``, or ``None``."""
    states = (run.system.start, *(step.after for step in run.steps))
    for at, state in enumerate(states):
        if (prop := first_broken(scenario.properties, state)) is not None:
            return Verdict(prop, at, decisive(prop, run, at))
    return None


def decisive(prop: Property, run: Run, at: int) -> tuple[int, ...]:
    """Return the numbers of the steps that made ``prop`` break after step ``at`` of ``run``."""
    if not at:
        return ()
    recorder = Recorder(run.steps[at - 1].after)
    prop.broken(recorder)
    first = {at} | {_last_change(run, cell, at) for cell in recorder.reads} | set(_uninvited(run, at))
    first |= {_last_change(run, cell, at, bits) for cell, bits in prop.because}
    return _thinned(run, first | {m for n in first for m in _taken_back(run, n, at)})


def _uninvited(run: Run, at: int) -> Iterator[int]:
    """Yield the last step of every actor that does not share its CPU, and the last interrupt of the host."""
    yield next((n for n in range(at, 0, -1) if run.steps[n - 1].move.step.preempts), 0)
    for actor in run.system.actors.values():
        if actor.top is None:
            yield next((n for n in range(at, 0, -1) if run.steps[n - 1].move.actor is actor), 0)


def _taken_back(run: Run, n: int, at: int) -> Iterator[int]:
    """Yield the steps of other actors that undid what step ``n`` did; positions and frames are no deeds."""
    if not n:
        return
    step, final = run.steps[n - 1], run.steps[at - 1].after
    none = {*run.system.pc.values(), *(actor.top for actor in run.system.actors.values())}
    for cell, (was, now) in enumerate(zip(step.before, step.after, strict=True)):
        bits = was ^ now
        if bits and not (final[cell] ^ was) & bits and cell not in none:
            undone = _last_change(run, cell, at, bits)
            if run.steps[undone - 1].move.actor is not step.move.actor:
                yield undone


def _last_change(run: Run, cell: int, at: int, bits: int = -1) -> int:
    """Return the number of the last step up to ``at`` that changed ``bits`` of ``cell``; 0 if none did."""
    steps = ((n, run.steps[n - 1]) for n in range(at, 0, -1))
    return next((n for n, step in steps if (step.before[cell] ^ step.after[cell]) & bits), 0)


def _thinned(run: Run, numbers: set[int]) -> tuple[int, ...]:
    """Keep the latest steps of each actor."""
    kept: dict[str, list[int]] = {}
    for n in sorted(numbers - {0}, reverse=True):
        kept.setdefault(run.steps[n - 1].move.actor.letter, []).append(n)
    return tuple(sorted(n for steps in kept.values() for n in steps[:PER_ACTOR]))
