"""A measurement: samples from step to step or from a point in time, and items that add up to their mean."""

from fractions import Fraction
from typing import Any

import pytest

from kvmlab.errors import ModelError
from kvmlab.machine.bench import Bench
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block, loop
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.measure import Item, measure
from kvmlab.schedulers.profile import MachineProfile, Parameter, Status, by_name

TOY = MachineProfile(
    "toy",
    "",
    "",
    by_name(Parameter(n, c, c, c, Status.ASSUMED, "a test") for n, c in (("A", 3), ("B", 40), ("C", 7))),
    {"ONE": ("A",), "TWO": ("A", "B"), "THREE": ("C",), "WAIT": (), "END": ()},
)


def nothing(s: list[int], me: Any) -> None:
    """Change nothing."""


def rounds(*labels: str, **more: Any) -> Bench:
    """Return a bench whose samples are the rounds of a loop."""
    path = loop("p", *(Step(label, nothing) for label in (*labels, "END")))
    system = System(Layout(), [Actor("a", "a", path, None)])
    return Bench("toy", "", system, "END", samples=3, skip=1, **more)


def test_a_round_costs_what_its_steps_cost() -> None:
    """From the end of one sample to the end of the next; the items come in the order of the way."""
    m = measure(rounds("ONE", "TWO"), TOY)
    assert m.samples == (46, 46, 46)
    expected = (("ONE", "A", 3), ("TWO", "A", 3), ("TWO", "B", 40))
    assert m.items == tuple(Item(step, name, Fraction(cycles)) for step, name, cycles in expected)
    assert (m.steps, m.parameters) == ({"ONE": 3, "TWO": 43}, {"A": 6, "B": 40})


def alarm(period: int) -> Bench:
    """Return a bench whose samples begin at an alarm, which is set anew, a cycle later each time."""
    layout = Layout()
    now, due, was = layout.add("now"), layout.add("due", 10, deadline=True), layout.add("was")

    def ring(s: list[int], me: Any) -> None:
        s[was], s[due] = s[due], s[due] + period

    wait = Step("WAIT", ring, lambda s, me: s[due] <= s[now])
    path = loop("p", wait, Step("TWO", nothing), Step("END", nothing))
    system = System(layout, [Actor("a", "a", path, None)])
    return Bench("toy", "", system, "END", samples=4, now=now, begins=lambda s: s[was])


def test_a_sample_may_begin_at_a_point_in_time() -> None:
    """From the alarm to the end: the time before it is nobody's."""
    m = measure(alarm(50), TOY)
    assert (m.samples, m.min, m.max, m.mean) == ((43, 43, 43, 43), 43, 43, 43)
    assert m.steps == {"TWO": 43}


def test_a_sample_that_begins_behind_its_alarm_counts_what_it_waits_for() -> None:
    """Alarms every 40 cycles, 43 cycles of work: each comes 3 cycles later, behind its predecessor's rest."""
    m = measure(alarm(40), TOY)
    assert m.samples == (43, 46, 49, 52)
    assert sum(item.cycles for item in m.items) == m.mean == Fraction(190, 4)
    assert m.parameters["B"] == 40 + Fraction(0 + 3 + 6 + 9, 4)


def test_steps_are_counted_under_the_name_that_the_state_gives() -> None:
    """Once for every time the step is taken in a sample that is kept."""
    m = measure(rounds("ONE", "TWO", tallies={"TWO": lambda move, s: "two"}), TOY)
    assert m.counts == {"two": 3}


def test_a_bench_that_never_ends_is_an_error() -> None:
    """Everybody waits; or everybody is busy, but with something else."""
    layout = Layout()
    wait = Step("WAIT", nothing, lambda s, me: False)
    stuck = System(layout, [Actor("a", "a", block("p", wait), None)])
    with pytest.raises(ModelError, match="toy: everybody waits"):
        measure(Bench("toy", "", stuck, "END", 1), TOY)
    busy = System(Layout(), [Actor("a", "a", loop("p", Step("ONE", nothing)), None)])
    with pytest.raises(ModelError, match="toy: no END within 10000 steps"):
        measure(Bench("toy", "", busy, "END", 1), TOY)


def test_a_step_without_a_number_is_an_error() -> None:
    """Nothing is free by accident."""
    with pytest.raises(ModelError, match="toy does not say what FOUR costs"):
        measure(rounds("FOUR"), TOY)
