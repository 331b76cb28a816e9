"""Machine profiles: what a step costs is its parameters' sum, and every number says how well it is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import BadInput, ModelError
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.profile import Charge, MachineProfile, Parameter, Status, by_name, share
from kvmlab.schedulers.profiles.hsw16 import HSW16


def parameter(name: str, cycles: int) -> Parameter:
    """Return a parameter of which nothing but its cycles matters."""
    return Parameter(name, cycles, cycles, cycles, Status.ASSUMED, "a test")


def machine(steps: dict[str, tuple[str, ...]], splits: dict[str, dict[str, int]]) -> MachineProfile:
    """Return a machine with A = 3, B = 40, S = 100."""
    named = {name for names in steps.values() for name in names}
    table = by_name(parameter(n, c) for n, c in (("A", 3), ("B", 40), ("S", 100)) if n in named)
    return MachineProfile("toy", "", "a test", table, steps, splits)


def moves(*labels: str) -> Clock:
    """Return a clock on an actor that takes these steps, under the toy machine."""
    steps = {label: Step(label, lambda s, me: None) for label in labels}
    path = block("p", *(steps[label] for label in labels))
    toy = machine({"ONE": ("A",), "TWO": ("A", "B"), "NONE": ()}, {})
    return Clock(System(Layout(), [Actor("a", "a", path, None)]), toy)


def test_the_clock_adds_up_the_parameters_of_the_steps_that_happen() -> None:
    """One parameter may stand at several steps, one step for several parameters, and one for none."""
    assert [step.time for step in moves("ONE", "TWO", "NONE", "ONE").steps(9)] == [0, 3, 46, 46]


def test_a_step_that_nobody_has_named_is_an_error() -> None:
    """What is free has to be said to be free."""
    with pytest.raises(ModelError, match="toy does not say what OTHER costs"):
        list(moves("ONE", "OTHER").steps(9))


def test_a_parameter_at_no_step_and_a_step_of_no_parameter_are_errors() -> None:
    """The two tables name the same parameters."""
    table = by_name([parameter("A", 1)])
    with pytest.raises(ModelError, match="A: in one of its two tables only"):
        MachineProfile("toy", "", "", table, {"ONE": ()})
    with pytest.raises(ModelError, match="B: in one of its two tables only"):
        MachineProfile("toy", "", "", table, {"ONE": ("A", "B")})


def test_two_parameters_of_one_name_are_an_error() -> None:
    """A table has each name once."""
    with pytest.raises(ModelError, match="two parameters are called A"):
        by_name([parameter("A", 1), parameter("A", 2)])


def test_a_split_parameter_is_divided_among_exactly_its_steps() -> None:
    """Its steps cost their share; a split that forgets a step, or has one too many, is an error."""
    steps = {"ONE": ("S",), "TWO": ("A", "S")}
    toy = machine(steps, {"S": {"ONE": 1, "TWO": 3}})
    assert toy.charges("ONE") == (Charge("S", 25),)
    assert toy.charges("TWO") == (Charge("A", 3), Charge("S", 75))
    with pytest.raises(ModelError, match="S is split among other steps"):
        machine(steps, {"S": {"ONE": 1}})


@given(st.integers(0, 10**6), st.lists(st.integers(1, 99), min_size=1, max_size=9))
def test_shares_add_up_and_keep_to_the_weights(total: int, weights: list[int]) -> None:
    """Whatever is divided, nothing is lost, and no share is off by one or more."""
    shares = share(total, {str(n): weight for n, weight in enumerate(weights)})
    assert sum(shares.values()) == total
    for got, weight in zip(shares.values(), weights, strict=True):
        assert abs(got - total * weight / sum(weights)) < 1


def test_a_learner_derives_a_machine_of_his_own() -> None:
    """New numbers under old names, marked as set by hand; the machine that was asked stays what it was."""
    mine = HSW16.derive(REQ_EVENT=601, HW_EXIT=0)
    assert mine.name == "HSW16+REQ_EVENT=601+HW_EXIT=0"
    parts = [c.cycles for label in HSW16.splits["REQ_EVENT"] for c in mine.charges(label)]
    assert parts == [80, 160, 120, 120, 121]
    assert mine.parameters["REQ_EVENT"].status is Status.ASSUMED
    assert "300 (fitted)" in mine.parameters["REQ_EVENT"].source
    assert HSW16.parameters["REQ_EVENT"].cycles == 300


@pytest.mark.parametrize(
    ("cycles", "complaint"),
    [
        ({"REQ_EVNT": 1}, "unknown parameter REQ_EVNT; did you mean REQ_EVENT?"),
        ({"VMENTRY": 1}, "unknown parameter VMENTRY"),
        ({"REQ_EVENT": -1}, "REQ_EVENT=-1: cycles are whole numbers, 0 or more"),
        ({"REQ_EVENT": 1.5}, "REQ_EVENT=1.5: cycles are whole numbers"),
        ({"REQ_EVENT": True}, "REQ_EVENT=True: cycles are whole numbers"),
    ],
)
def test_a_name_or_a_number_that_cannot_be_is_bad_input(cycles: dict[str, int], complaint: str) -> None:
    """The message says what to do about it."""
    with pytest.raises(BadInput, match=complaint.replace("?", r"\?")):
        HSW16.derive(**cycles)


def test_every_number_has_a_range_and_a_source() -> None:
    """Each lies in its range; an assumed one says so."""
    for p in HSW16.parameters.values():
        assert p.low <= p.cycles <= p.high, p.name
        assert p.source and p.says, p.name


def test_the_fitted_numbers_are_marked() -> None:
    """Six fits, of which one is the sum of two."""
    fitted = {p.name for p in HSW16.parameters.values() if p.status is Status.FITTED}
    assert fitted == {"REQ_EVENT", "RESID", "HRT_INT", "UNBLOCK", "HV_POSTBLOCK", "HV_CHECK", "NOHZ_IRQ"}


def test_an_exit_and_entry_with_nothing_else_is_vmcall_less_its_handler() -> None:
    """The four parts of a round trip add up to what was measured."""
    parts = ("HW_EXIT", "SW_EXIT", "SW_ENTRY", "HW_ENTRY")
    assert sum(HSW16.parameters[p].cycles for p in parts) == 1195 - HSW16.parameters["H_VMCALL"].cycles
