"""The rows of Zero at the deadline: a kernel measured on the clock or, if it goes wrong, its story.

Whether it goes wrong is asked of an undisturbed run: the guest arms one deadline, then it computes or halts,
and nobody else comes. Whatever holds there is measured with tscdeadline_latency.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import groupby

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel as named
from kvmlab.kernels.timers import without
from kvmlab.machine.bench import Bench
from kvmlab.machine.property import broken
from kvmlab.machine.run import Taken, taken
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.scenarios.latency import tscdeadline_latency
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.measure import TIME, Measured, measure
from kvmlab.schedulers.profile import MachineProfile, Status
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.alarm import AlarmCells, Stretch, stretches
from kvmlab.show.alarm_story import story
from kvmlab.show.deadline import Cost, DeadlineView, Row

ROUND = 32
"""As many samples meet the preemption timer's counter in every phase."""
ENOUGH = 500
"""No undisturbed run is longer."""

CALM = "hlvgt"
"""Who moves first in an undisturbed run: what interrupts, then the thread, the guest; time comes last."""


def rows(guest: str, *kernels: str, poll: bool = True, profile: MachineProfile = HSW16) -> DeadlineView:
    """Return the picture's data for one kernel or two; ``64672c9 - HV.set`` is one that lacks a step.

    Raises BadInput for a kernel or guest that cannot be measured.
    """
    if profile is HSW16:
        return DeadlineView(guest, *(_on_hsw16(name, guest, poll) for name in kernels))
    return DeadlineView(guest, *(row(parsed(name), guest, poll, profile) for name in kernels))


@cache
def _on_hsw16(name: str, guest: str, poll: bool) -> Row:
    """Return the row that a control may ask for again and again."""
    return row(parsed(name), guest, poll, HSW16)


def parsed(name: str) -> Kernel:
    """Return the kernel called ``name``, without the steps behind each `` - ``."""
    base, *labels = name.split(" - ")
    return without(named(base), labels) if labels else named(base)


def row(kernel: Kernel, guest: str, poll: bool, profile: MachineProfile) -> Row:
    """Return one row."""
    scenario = hv_timer(kernel, hlt=int(guest == "halt"), wakes=0)
    calm = list(undisturbed(scenario))
    wrong = next((prop for step in calm if (prop := broken(scenario.properties, step.after))), None)
    if wrong:
        return Row(kernel.name, story(scenario.records, calm), broken=wrong.label)
    bench = tscdeadline_latency(kernel, guest=guest, samples=ROUND, poll=poll)
    return Row(kernel.name, last_round(bench, profile), costs(measure(bench, profile)))


def undisturbed(scenario: Scenario) -> Iterator[Taken]:
    """Yield the steps of a run in which time passes only when nobody can move."""
    state = scenario.system.start
    for _ in range(ENOUGH):
        moves = [move for move in scenario.system.enabled(state) if move.actor.letter in CALM]
        if not moves:
            return
        step = taken(min(moves, key=lambda move: CALM.index(move.actor.letter)), state)
        state = step.after
        yield step


ARMS = "WRMSR.deadline"
"""The step with which a round begins: the guest writes its deadline."""


def last_round(bench: Bench, profile: MachineProfile) -> tuple[Stretch, ...]:
    """Return who had the alarm in the first round behind those that warm up, up to the guest's handler."""
    assert bench.begins is not None
    steps: list[Taken] = []
    ends = 0
    for step in Clock(bench.system, profile, bench.now).steps(bench.patience):
        steps = [step] if step.move.step.label == ARMS else [*steps, step]
        ends += step.move.step.label == bench.end
        if ends > bench.skip:
            break
    due = bench.begins(steps[-1].after)
    return stretches(AlarmCells.of(bench.records), steps, lambda step: step.time >= due)


def costs(found: Measured) -> tuple[Cost, ...]:
    """Return the items of a measurement, neighbours of one parameter as one."""
    return tuple(
        Cost(parameter, sum((item.cycles for item in group), Fraction(0)), *_known(found.profile, parameter))
        for parameter, group in groupby(found.items, lambda item: item.parameter)
    )


def _known(profile: MachineProfile, parameter: str) -> tuple[Status | None, str]:
    """Return how well a parameter is known, and what it is."""
    if parameter == TIME:
        return None, "until the counter drops: the end of a tick"
    known = profile.parameters[parameter]
    return known.status, known.says
