"""The proof table: computed by trying every schedule, told in words, opened cell by cell."""

from functools import partial

import pytest

pytest.importorskip("ipywidgets")

import ipywidgets as widgets

from kvmlab.errors import BadInput
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay
from kvmlab.show.measure import width
from kvmlab.show.verdicts import COLUMNS, VerdictTable, verdict_table
from kvmlab.show.widgets.verdicts import VerdictGrid

NAMES = ["v3.2", "v3.2+fake-exit", "d6185f2", "v3.10", "v3.10+8081ad0"]
KERNELS = [kernel(name) for name in NAMES]
POSTED = {"a CPU": posted_interrupts, "VT-d": partial(posted_interrupts, sender="vtd")}


@pytest.fixture(scope="module")
def table() -> VerdictTable:
    """Every kernel with an answer of its own."""
    return verdict_table(KERNELS)


def test_a_cell_is_what_the_explorer_finds(table: VerdictTable) -> None:
    """A cell says ok, or the property and the steps of the shortest counterexample, with a sign."""
    for name in NAMES:
        for column, build in COLUMNS.items():
            worst = explore(build(kernel(name))).shortest
            expected = f"✕ {worst.property.label}, {len(worst.labels) - 1} steps" if worst else "✓ ok"
            assert str(table.at(name, column)) == expected
            assert not worst or f"shortest {len(worst.labels) - 1} steps" in repr(
                table.at(name, column).exploration
            )


def test_the_schedule_of_a_cell_breaks_what_it_says(table: VerdictTable) -> None:
    """Replayed, it ends in a state that violates the property, and takes no step too many."""
    for cell in table.cells.values():
        worst = cell.exploration.shortest
        if worst is None:
            assert cell.schedule is None
            continue
        run = replay(cell.scenario.system, cell.schedule or "")
        assert worst.property.broken(run.state)
        assert (run.stopped, len(run.steps)) == ("", len(worst.labels) - 1)


def test_only_the_last_kernel_holds_beside_a_canceller(table: VerdictTable) -> None:
    """Patch 1 holds alone; an entry cancelled after the wish was noted lost it until 2020."""
    ok = {name for name in NAMES if table.at(name, "a canceller").holds}
    assert ok == {"v3.10+8081ad0"}
    assert table.at("d6185f2", "nothing else").holds
    assert table.sentence.startswith("ok in every column: v3.10+8081ad0. Every schedule was tried")


def test_a_bounded_search_does_not_say_ok() -> None:
    """A table that did not try everything admits it."""
    table = verdict_table([kernel("d6185f2")], limit=100)
    cell = table.at("d6185f2", "nothing else")
    assert str(cell) == "– ok so far" and not cell.holds
    assert "Not every schedule was tried" in table.sentence


def test_the_twin_has_a_line_per_cell_and_every_property_that_broke(table: VerdictTable) -> None:
    """At most 80 columns wide, the foot sentence last."""
    twin = repr(table).splitlines()
    for cell in table.cells.values():
        states = str(cell.exploration.states)
        assert any(cell.column in line and str(cell) in line and states in line for line in twin)
    assert any(line.startswith("✕ L2_RAN breaks: ") for line in twin)
    assert any(line.startswith("✕ LOST breaks: ") for line in twin)
    assert max(map(len, twin)) <= 80
    assert " ".join(repr(table).split()).endswith(table.sentence)


def test_every_kernel_of_the_lesson_fits_the_twin() -> None:
    """The longest kernel name leaves room for its verdict."""
    able = [kernel(name) for name in LISTED if "immediate-exit" in kernel(name).scope]
    twin = repr(verdict_table(able, {"nothing else": immediate_exit}))
    assert max(map(len, twin.splitlines())) <= 80


def test_a_cell_that_is_not_there_is_an_error_with_a_hint(table: VerdictTable) -> None:
    """A wrong row or column names the nearest right one."""
    with pytest.raises(BadInput, match="did you mean v3.10"):
        table.at("v3.11", "nothing else")
    with pytest.raises(BadInput, match="did you mean a canceller"):
        table.at("v3.10", "canceller")


# --- the grid ---------------------------------------------------------------------------------


def buttons(grid: VerdictGrid) -> list[widgets.Button]:
    """Return the cells in reading order."""
    return [child for child in grid.children[0].children if isinstance(child, widgets.Button)]


def test_the_grid_shows_the_table() -> None:
    """A button per cell, row by row, its text the verdict and its hint the whole sentence."""
    grid = VerdictGrid(verdict_table(KERNELS[:3]))
    cells = list(grid.table.cells.values())
    assert [b.description.partition(", ")[0] for b in buttons(grid)] == [
        str(cell).partition(", ")[0] for cell in cells
    ]
    assert [b.tooltip for b in buttons(grid)] == [cell.sentence for cell in cells]
    assert repr(grid) == repr(grid.table)


def test_pressing_a_cell_opens_its_shortest_counterexample() -> None:
    """The callback gets the cell's scenario and schedule; code can press a cell too."""
    opened: list[tuple[Scenario, str | None]] = []
    grid = VerdictGrid(verdict_table(KERNELS[:3]), lambda *cell: opened.append(cell))
    buttons(grid)[0].click()
    grid.press("d6185f2", "nothing else")
    first, last = grid.table.at("v3.2", "nothing else"), grid.table.at("d6185f2", "nothing else")
    assert opened == [(first.scenario, first.schedule), (last.scenario, None)]
    assert "nothing is broken" in grid.children[2].value


def test_the_labels_in_the_cells_are_explained_beside_them() -> None:
    """Every rule that some cell breaks stands below the grid; a grid that breaks none needs no line."""
    grid = VerdictGrid(verdict_table(KERNELS[:2]))
    assert all(f"<b>{label}</b> breaks: {must}" in grid.children[1].value for label, must in grid.table.rules)
    assert [label for label, _ in grid.table.rules] == ["L2_RAN", "LOST"]
    assert VerdictGrid(verdict_table(KERNELS[2:3], {"nothing else": immediate_exit})).children[1].value == ""


def test_ok_and_broken_differ_without_colour() -> None:
    """By their sign, and by their weight."""
    grid = VerdictGrid(verdict_table(KERNELS[:3]))
    looks = {(b.description[0], b.style.font_weight) for b in buttons(grid)}
    assert looks == {("✓", "normal"), ("✕", "bold")}


def test_a_press_steps_through_it_beside_a_kernel_that_holds() -> None:
    """Below the grid the schedule has been carried out, and a kernel with the other verdict is at hand."""
    grid = VerdictGrid(verdict_table(KERNELS))
    grid.press("v3.2+fake-exit", "nothing else")
    stepper = grid.children[-1]
    assert stepper.schedule.replace(" ", "") == grid.table.at("v3.2+fake-exit", "nothing else").schedule
    assert (stepper.kernel, list(stepper.desk.scenarios)) == ("v3.2+fake-exit", ["v3.2+fake-exit", "d6185f2"])
    grid.press("v3.10", "a canceller")
    assert list(grid.children[-1].desk.scenarios) == ["v3.10", "v3.10+8081ad0"]
    assert len(grid.children) == 4


def test_a_cell_that_holds_opens_its_kernels_own_story() -> None:
    """The whole run of this kernel in this column, at its end, and no other kernel's loss."""
    grid = VerdictGrid(verdict_table(KERNELS[2:]))
    grid.press("v3.10+8081ad0", "a canceller")
    stepper, cell = grid.children[-1], grid.table.at("v3.10+8081ad0", "a canceller")
    run = replay(cell.scenario.system, stepper.schedule)
    assert (list(stepper.desk.scenarios), stepper.desk.session.at) == (["v3.10+8081ad0"], len(run.steps))
    assert cell.scenario.done(run.state)


def test_other_columns_ask_other_questions() -> None:
    """A column is any way of making a scenario for a kernel."""
    columns = {"one fault": partial(immediate_exit, faults=1)}
    grid = VerdictGrid(verdict_table(KERNELS[2:3], columns), on_open=lambda *_: None)
    (cell,) = grid.table.cells.values()
    assert [b.description for b in buttons(grid)] == [f"✓ ok, {cell.exploration.states} states"]


def test_a_long_name_goes_on_in_the_next_line() -> None:
    """It is parted at an edit, in a row of its own if the columns leave none, and no line grows."""
    long = "v4.10+no-event+irq-off-first"
    for columns in (POSTED, {"a CPU": posted_interrupts}):
        lines = repr(verdict_table([kernel("v4.10"), kernel(long)], columns, beside="sender")).splitlines()
        assert lines[0].split()[:2] == ["kernel", "sender"]
        first = next(n for n, line in enumerate(lines) if line.startswith("v4.10+no-event "))
        assert lines[first + 1].split()[0] == "+irq-off-first" and max(map(len, lines)) <= 80
    grid = VerdictGrid(verdict_table([kernel(long)], {"a CPU": posted_interrupts}), on_open=lambda *_: None)
    (words,) = (w.value for w in grid.children[0].children if "irq-off" in str(getattr(w, "value", "")))
    assert words.count("<wbr>") == 2 and words.index("<wbr>") < words.index("+no-event")


def test_no_cell_is_cut() -> None:
    """Every button has room for what it says in bold, and a margin, however long a verdict or a column is."""
    for columns in (COLUMNS, {"a column with a long name": immediate_exit}):
        grid = VerdictGrid(verdict_table(KERNELS, columns))
        for each in buttons(grid):
            room = int(str(each.layout.width).removesuffix("px"))
            assert room >= width(each.description, bold=True) + 16
