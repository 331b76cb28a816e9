"""A bounded search on a real scenario: what it counted it also looked at."""

from collections.abc import Iterator

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.machine.state import State
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import explore


def breaks(scenario: Scenario, state: State) -> bool:
    """Return whether a state violates something."""
    return any(prop.broken(state) for prop in scenario.properties)


def layers(scenario: Scenario) -> Iterator[list[State]]:
    """Yield the states by their distance, none that lies only behind a broken one."""
    layer, seen = [scenario.system.start], {scenario.system.start}
    while layer:
        yield layer
        following: list[State] = []
        for state in layer:
            for move in [] if breaks(scenario, state) else scenario.system.enabled(state):
                after = scenario.system.take(state, move.token)
                if after not in seen:
                    seen.add(after)
                    following.append(after)
        layer = following


def test_what_a_bounded_search_counted_it_has_checked() -> None:
    """For every bound: whole layers are counted, and each broken state among them is reported."""
    scenario = immediate_exit(kernel("v3.2"))
    expected, states, bad = {}, 0, 0
    for layer in layers(scenario):
        states += len(layer)
        bad += sum(breaks(scenario, state) for state in layer)
        expected[states] = bad
    assert states == 327
    for n in range(1, 340):
        found = explore(scenario, n)
        assert len(found.violations) == expected[found.states]
        assert found.verdict == ("violated" if expected[found.states] else "ok")
        assert (found.complete, found.bound) == ((True, None) if n >= states else (False, n))
        assert found.complete or found.states > n


@pytest.mark.parametrize("limit", [0, -1])
def test_a_search_of_no_states_is_refused(limit: int) -> None:
    """A limit below 1 is bad input, not an empty proof."""
    with pytest.raises(BadInput, match="1 or more"):
        explore(immediate_exit(kernel("v3.2")), limit)
