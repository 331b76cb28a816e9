"""The table of exit multiplication: what is measured, fitted or predicted is called so."""

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.schedulers.profiles.names import profile
from kvmlab.show.multiplication import Multiplication, multiplication


def made(levels: int = 3, on: str = "d264ee0", machine: str = "nested", **knobs: object) -> Multiplication:
    """Return the table of a kernel on a machine."""
    return multiplication(kernel(on), levels, machine=profile(machine), **knobs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("knobs", "status"),
    [
        ({}, ["measured", "fitted", "predicted"]),
        ({"machine": "nested-L0", "accesses": 2}, ["measured", "fitted", "predicted"]),
        ({"on": "v4.18"}, ["measured", "predicted", "predicted"]),
        ({"kernels": "L1=v4.18"}, ["measured", "predicted", "predicted"]),
        ({"kernels": "L2=v4.18"}, ["measured", "fitted", "predicted"]),
        ({"machine": "nested+N_SUM=10081"}, ["predicted"] * 3),
        ({"machine": "nested+SW_EXIT=300"}, ["predicted", "fitted", "predicted"]),
    ],
)
def test_a_total_is_called_what_it_is(knobs: dict[str, str], status: list[str]) -> None:
    """Fitted is only what the number was set for: L2, on the kernel of the fit, unless set by hand."""
    assert [floor.status for floor in made(**knobs).floors] == status  # type: ignore[arg-type]


def test_the_text_has_every_number_and_says_what_a_match_is_worth() -> None:
    """One line a level, at most 80 columns, and the sentence at its end."""
    table = made(4, accesses=2)
    lines = repr(table).splitlines()
    assert [line.split() for line in lines[3:7]] == [
        [f"L{f.level}", str(f.exits), str(f.cycles), f.status] for f in table.floors
    ]
    assert max(map(len, lines)) <= 80 and " ".join(repr(table).split()).endswith(table.foot)
    assert "was set so that L2 takes 13142 cycles on d264ee0: that it does proves nothing" in table.foot
    assert "set by hand" in made(machine="nested+N_SUM=0").foot


def test_a_machine_without_nesting_is_refused() -> None:
    """HSW16 has no number for it, and no level is no table."""
    with pytest.raises(BadInput, match="HSW16 knows no nesting; nested does"):
        made(machine="HSW16")
    with pytest.raises(BadInput, match="levels: 1 or more"):
        made(0)
