"""By which mechanisms a property gets broken: every schedule once more, with a monitor beside the state."""

from collections.abc import Iterable
from dataclasses import dataclass

from kvmlab.machine import schedule
from kvmlab.machine.monitor import Monitor
from kvmlab.machine.property import Question, broken
from kvmlab.machine.run import Run
from kvmlab.machine.state import State
from kvmlab.machine.system import Move
from kvmlab.schedulers.explore import Violation
from kvmlab.schedulers.replay import replay

Node = tuple[State, int]
OTHER = "other"
"""What breaks with no bit set: a mechanism that nobody has named."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A mechanism and a shortest schedule in which it breaks the property called ``label``."""

    name: str
    label: str
    schedule: str
    steps: int


def mechanisms(question: Question, monitor: Monitor) -> tuple[Mechanism, ...]:
    """Return every mechanism that breaks something, each with a shortest schedule, in the monitor's order.

    A violation is put down to the first name that its bits have; what breaks with no bit set is called
    :data:`OTHER`. The search is the explorer's with the monitor's bits added to the state.
    """
    found: dict[str, Mechanism] = {}
    start = (question.system.start, 0)
    parents: dict[Node, tuple[Node, Move] | None] = {start: None}
    layer = [start]
    while layer:
        following: list[Node] = []
        for node in layer:
            state, bits = node
            prop = broken(question.properties, state)
            if prop is not None:
                name = _name(monitor, bits)
                if name not in found:
                    tokens = _path(parents, node)
                    found[name] = Mechanism(name, prop.label, schedule.text(tokens), len(tokens))
                continue
            for move in question.system.enabled(state):
                work = list(state)
                move.carry_out(work)
                after = (tuple(work), monitor.update(bits, move, state, work))
                if after not in parents:
                    parents[after] = (node, move)
                    following.append(after)
        layer = following
    return _in_order(found.values(), monitor)


def mechanisms_in(
    question: Question, monitor: Monitor, violations: Iterable[Violation]
) -> tuple[Mechanism, ...]:
    """Return the mechanisms of the schedules in ``violations`` alone, shortest first: without a search."""
    found: dict[str, Mechanism] = {}
    for each in violations:
        name = mechanism_of(replay(question.system, each.schedule), monitor)
        steps = len(each.labels) - 1
        found.setdefault(name, Mechanism(name, each.property.label, each.schedule, steps))
    return _in_order(found.values(), monitor)


def mechanism_of(run: Run, monitor: Monitor) -> str:
    """Return by which mechanism a run ends as it does."""
    bits = 0
    for step in run.steps:
        bits = monitor.update(bits, step.move, step.before, step.after)
    return _name(monitor, bits)


def _name(monitor: Monitor, bits: int) -> str:
    return (*monitor.explain(bits), OTHER)[0]


def _in_order(found: Iterable[Mechanism], monitor: Monitor) -> tuple[Mechanism, ...]:
    order = [*monitor.names.values(), OTHER]
    return tuple(sorted(found, key=lambda each: order.index(each.name)))


def _path(parents: dict[Node, tuple[Node, Move] | None], node: Node) -> tuple[str, ...]:
    tokens: list[str] = []
    while (came := parents[node]) is not None:
        node = came[0]
        tokens.append(came[1].token)
    return tuple(tokens[::-1])
