"""How rare is the loss? By chance it is found in a handful of tries; on a clock it is a gap of a few steps.

Chance picks among all moves, again and again, and so it likes narrow places. A clock does not: a post begins
at some cycle, and then everybody goes on at his own speed. So the gap is measured: one lap, and one post that
begins at each cycle of it in turn.
"""

from collections.abc import Mapping

from kvmlab.errors import unknown
from kvmlab.kernels.kernel import Patch, PathEdit
from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import Event, parse_order
from kvmlab.kernels.step_table import step_table as bare
from kvmlab.machine.edit import Before
from kvmlab.machine.property import broken
from kvmlab.machine.run import Run
from kvmlab.machine.step import Step
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.table import step_table
from kvmlab.schedulers.clock import Profile, clocked
from kvmlab.schedulers.count import Count, count


def chances(order: str, event: Event = "none") -> Count:
    """Return the exact counts for one post and the bare entry path in an ``order``, see kernels.orders."""
    return count(step_table(bare(parse_order(order, event))))


def _nothing(s: list[int], me: object) -> None:
    """Change nothing: what it costs is the point."""


MINE = "a measurement"
ARRIVE = Step("ARRIVE", _nothing, says="the sender is busy with something else until now", source=MINE)
LATER = Patch("later", "the post begins later", MINE, (PathEdit("post", Before("POST.pir", (ARRIVE,))),))


def gap(name: str, **cycles: int) -> tuple[int, ...]:
    """Return the cycles at which a post must begin to get lost, counted from the beginning of a lap.

    A step costs one cycle, or what ``cycles`` says under its label. The vCPU makes one lap and enters; then
    the guest stays. Raises BadInput for a label that no step has.
    """
    scenario = posted_interrupts(LATER.on(kernel(name)))
    _known(scenario, cycles)
    lap = _arriving(scenario, 0, cycles).steps[-1].time

    def loses(at: int) -> bool:
        return broken(scenario.properties, _arriving(scenario, at, cycles).state) is not None

    return tuple(at for at in range(lap + 1) if loses(at))


def _known(scenario: Scenario, cycles: Mapping[str, int]) -> None:
    labels = {s.label for ps in scenario.system.places.values() for p in ps for s in p.row.steps}
    for label in cycles:
        if label not in labels:
            raise unknown("step", label, labels)


def _arriving(scenario: Scenario, at: int, cycles: Mapping[str, int]) -> Run:
    """Return the run in which the post begins ``at`` cycles after the lap."""
    return clocked(scenario.system, Profile(MINE, {**cycles, ARRIVE.label: at}))
