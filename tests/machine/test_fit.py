"""A fit: one number of a machine makes a measurement come out, or it says that none does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_measure import TOY, rounds

from kvmlab.errors import BadInput
from kvmlab.schedulers.fit import fit
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profile import Status


@given(st.integers(0, 10_000))
def test_what_is_fitted_comes_out_and_nothing_else_changes(cycles: int) -> None:
    """Whatever the number was, whole ones that the steps allow are found; fitted is what it is then."""
    bench = rounds("ONE", "TWO", "THREE")  # A twice, B once, C once
    fitted = fit(bench, TOY, "C", 46 + cycles)
    assert measure(bench, fitted).mean == 46 + cycles
    assert fitted.parameters["C"].cycles == cycles and fitted.parameters["C"].status is Status.FITTED
    assert all(fitted.parameters[name] == TOY.parameters[name] for name in "AB")
    assert fitted.name == f"toy+C={cycles}" and TOY.parameters["C"].cycles == 7


@pytest.mark.parametrize(
    ("parameter", "cycles", "says"),
    [
        ("A", 41, "no A makes 41, with 0 it is 40"),
        ("A", 39, "no A makes 39, with 0 it is 40"),
        ("C", 50, "toy does not depend on C"),
        ("D", 50, "unknown parameter D"),
    ],
)
def test_what_no_number_can_do_is_bad_input(parameter: str, cycles: int, says: str) -> None:
    """Half a cycle, less than none, a number that is not in it, one that is not there."""
    with pytest.raises(BadInput, match=says):
        fit(rounds("ONE", "TWO"), TOY, parameter, cycles)
