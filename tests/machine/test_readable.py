"""The readable counterexample: as short as any, and the calmest of those."""

import pytest

from kvmlab.errors import BadInput
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.readable import fewest_switches


def adders() -> System:
    """Return two actors that count, the first of which waits for the second before its second step."""
    layout = Layout()
    x, y = layout.add("x"), layout.add("y")

    def add(label: str, cell: int, waits: bool = False) -> Step:
        def fn(s: list[int], me: object) -> None:
            s[cell] += 1

        return Step(label, fn, (lambda s, me: s[y]) if waits else None)

    first = block("first", add("A1", x), add("A2", x, waits=True))
    second = block("second", add("B1", y), add("B2", y))
    return System(layout, [Actor("a", "a", first, None), Actor("b", "b", second, None)])


def test_the_calmest_of_the_shortest_is_found() -> None:
    """a b a b is found first; b b a a switches least."""
    assert fewest_switches(adders(), lambda s: s[0] == 2 and s[1] == 2, 4) == "bbaa"


def test_a_depth_at_which_nothing_breaks_is_refused() -> None:
    """The horizon is the caller's word; without a broken state at it there is no schedule to show."""
    with pytest.raises(BadInput, match="no schedule of 3 steps"):
        fewest_switches(adders(), lambda s: s[0] == 2 and s[1] == 2, 3)
