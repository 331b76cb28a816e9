"""Notebook 04b's last two tables: which assumption an exit rests on, and AMD beside Intel."""

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.labs import nb04b
from kvmlab.labs.in_the_end import ASSUMED, ROWS, comes
from kvmlab.labs.vendors import COLUMNS, KERNELS


def test_what_an_exit_rests_on() -> None:
    """Timer 0 on nothing; a late IPI at level 0 on its arrival; one at level 1 on its delivery; any exit
    helps all of them. It helps a forgotten wish where every lap asks what L1 has to hear of; where none does,
    nothing helps."""
    found = {name: [comes(build, names) for names in ASSUMED] for name, build in ROWS.items()}
    assert found == {
        "L0 self-IPI, without A1": [False, True, True, True],
        "L0 timer 0": [True] * 4,
        "L1 self-IPI over timer 0": [False, False, True, True],
        "L1 timer 0 over self-IPI": [True] * 4,
        "L0 timer 0, a canceller": [False, False, False, True],
        "the same with 8081ad0": [True] * 4,
        "v6.1, a canceller": [True] * 4,
        "the same without 8081ad0": [False] * 4,
    }
    cells = [line.split()[-len(row) :] for line, row in zip(LINES[1:], found.values(), strict=True)]
    assert cells == [["comes" if ok else "NEVER" for ok in row] for row in found.values()]


LINES = nb04b.in_the_end().splitlines()


def test_the_tables_fit_the_page() -> None:
    """No line is longer than 80 columns."""
    assert max(map(len, [*LINES, *nb04b.around().splitlines()])) <= 80


def test_a_step_around_vmrun_is_for_one_of_two_things() -> None:
    """CLGI and IF := 1 for the exit at once; in the end IF := 1 for any exit at all, and STGI for the host's
    interrupt; IF := 0 for none of them."""
    found = {line[:24].strip(): line[24:].split() for line in nb04b.around().splitlines()[1:]}
    assert [name for name, (now, *_) in found.items() if now == "ok"] == [
        "as it is",
        "without SVM.irq_off",
        "without STGI",
    ]
    never = [name for name, row in found.items() if row[-1] == "NEVER"]
    assert never == ["without SVM.irq_on", "without STGI"]


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("column", COLUMNS)
def test_every_cell_of_the_vendors_opens(name: str, column: str) -> None:
    """A press shows a run of that very scenario."""
    grid = nb04b.vendors()
    grid.press(name, column)
    cell = grid.table.at(name, column)
    assert cell.scenario.sentence in " ".join(repr(grid.children[-1]).split())
    assert cell.holds == (column in ("Intel", "AMD") or (column == "Intel, no A1" and name != "v4.18"))
