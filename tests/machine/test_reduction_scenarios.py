"""Reductions on every kernel: the same verdict, the same losing ends, a symmetry that is true."""

from collections.abc import Hashable
from typing import Any

import pytest
from posted_table import PUBLISHED, losing
from reduced import found

from kvmlab.kernels.names import kernel
from kvmlab.machine.property import broken
from kvmlab.machine.run import taken
from kvmlab.machine.state import State
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.kick import kick
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.local import local_rows
from kvmlab.schedulers.symmetry import Symmetry


def scenarios() -> dict[str, Any]:
    """Return every kind of scenario that the explorer is asked about, small enough to be searched whole."""
    cases: dict[str, Any] = {}
    for name in ("v4.10", "v4.10+no-event", "b95234c"):
        for senders, exits in ((1, 0), (1, 1), (2, 0)):
            cases[f"posted {name} {senders} {exits}"] = posted_interrupts(
                kernel(name), senders=senders, exits=exits
            )
    cases["posted no-event 2 1"] = posted_interrupts(kernel("v4.10+no-event"), senders=2, exits=1)
    for name in ("v3.2", "d6185f2", "v3.10", "v3.10+8081ad0"):
        cases[f"immediate {name}"] = immediate_exit(kernel(name))
        cases[f"kick {name}"] = kick(kernel(name))
    for name in ("v3.10", "v3.10+8081ad0"):
        cases[f"immediate {name} cancel"] = immediate_exit(kernel(name), cancel=True)
    for name, (order, sender, *_) in PUBLISHED.items():
        cases[f"published {name}"] = losing(order, sender)
    return cases


SCENARIOS = scenarios()


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_verdict_and_the_same_losing_ends(name: str) -> None:
    """On every kernel: the violating states are the same, but for who is who."""
    question = SCENARIOS[name]
    key = Symmetry(question.system, getattr(question, "symmetry", ())).key
    assert found(question, key, reduce=True) == found(question, key, reduce=False)


@pytest.mark.parametrize("name", ["v4.10", "v4.10+no-event", "b95234c"])
def test_states_taken_for_one_can_do_the_same(name: str) -> None:
    """The senders' symmetry is true: states with one key break the same, and go on to the same, to the end.

    Nothing that a property could tell apart is counted as one (bisimulation; these graphs have no cycle).
    """
    question = posted_interrupts(kernel(name), senders=2)
    key = Symmetry(question.system, question.symmetry).key
    numbers: dict[Hashable, int] = {}
    kinds: dict[State, int] = {}

    def kind(state: State) -> int:
        """Number what can come of ``state``."""
        if state not in kinds:
            breaks = broken(question.properties, state)
            moves = [] if breaks else question.system.enabled(state)
            behind = frozenset(kind(taken(move, state).after) for move in moves)
            kinds[state] = numbers.setdefault((breaks and breaks.label, behind), len(numbers))
        return kinds[state]

    kind(question.system.start)
    assert len({(key(state), kind) for state, kind in kinds.items()}) == len({key(state) for state in kinds})


def test_guards_are_read() -> None:
    """What the host's handlers wait for, and what a sender tells by having returned, is never local."""
    question = posted_interrupts(kernel("b95234c"))
    places = {question.system.pc[letter]: rows for letter, rows in question.system.places.items()}
    local = {places[pc][at].row.label for pc, at in local_rows(question)}
    assert {"REQ.other", "CHECK_EVENT", "RECHK.req"} <= local  # nobody else makes or reads requests there
    assert not local & {"IRQ_OFF", "IRQ_ON", "CANCEL.irq_on"}  # the handlers' guards read the flag
    assert not local & {place.row.label for place in question.system.places["a"]}  # "all have returned"
