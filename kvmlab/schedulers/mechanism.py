"""By which mechanisms a property gets broken: every schedule once more, with a monitor beside the state."""

from dataclasses import dataclass

from kvmlab.machine import schedule
from kvmlab.machine.monitor import Monitor
from kvmlab.machine.property import Question, broken
from kvmlab.machine.state import State
from kvmlab.machine.system import Move

Node = tuple[State, int]


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
    "other". The search is the explorer's with the monitor's bits added to the state.
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
                name = (*monitor.explain(bits), "other")[0]
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
    order = [*monitor.names.values(), "other"]
    return tuple(sorted(found.values(), key=lambda each: order.index(each.name)))


def _path(parents: dict[Node, tuple[Node, Move] | None], node: Node) -> tuple[str, ...]:
    tokens: list[str] = []
    while (came := parents[node]) is not None:
        node = came[0]
        tokens.append(came[1].token)
    return tuple(tokens[::-1])
