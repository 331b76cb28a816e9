"""The proof grid: a button per cell, its text the verdict; pressing it opens the shortest counterexample."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from html import escape

import ipywidgets as widgets

from kvmlab.kernels.kernel import Kernel
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.titles import title
from kvmlab.show.verdicts import COLUMNS, Build, Verdict, verdict_table
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.twin import TwinBox

OnOpen = Callable[[Scenario, str | None], object]
"""What a press does: (the cell's scenario, its shortest counterexample or ``None``)."""

CELL, NAME = "150px", "220px"


class VerdictGrid(TwinBox):
    """Kernels down, columns across; every cell was computed by trying all schedules.

    Without ``on_open`` a press shows the counterexample in a stepper below the grid.
    """

    def __init__(
        self,
        kernels: Sequence[Kernel],
        columns: Mapping[str, Build] = COLUMNS,
        on_open: OnOpen | None = None,
    ) -> None:
        self.table = verdict_table(kernels, columns)
        self._on_open = on_open or self._step_through
        self._said = widgets.HTML()
        template = f"{NAME} repeat({len(columns)}, {CELL})"
        self._grid = widgets.GridBox(
            [*self._heads(), *self._cells()],
            layout={"grid_template_columns": template, "grid_gap": "4px 8px", "align_items": "center"},
        )
        super().__init__([self._grid, self._said])

    def _heads(self) -> Iterator[widgets.HTML]:
        yield _words("kernel", bold=True)
        yield from (_words(column, bold=True) for column in self.table.columns)

    def _cells(self) -> Iterator[widgets.Widget]:
        """Yield the rows: the kernel's name, then a button per column."""
        for name in self.table.kernels:
            cells = [self.table.at(name, column) for column in self.table.columns]
            yield _words(title(cells[0].scenario.kernel), mono=True)
            yield from (button(str(x), partial(self._open, x), x.sentence, CELL) for x in cells)

    def press(self, kernel: str, column: str) -> None:
        """Press the cell of ``kernel`` and ``column``; raise BadInput if there is none."""
        self._open(self.table.at(kernel, column))

    def _open(self, cell: Verdict) -> None:
        self._said.value = f'<p role="status">{escape(cell.sentence)}</p>'
        self._on_open(cell.scenario, cell.schedule)

    def _step_through(self, scenario: Scenario, schedule: str | None) -> None:
        """Show the schedule below the grid, on its own kernel and on one with the other verdict."""
        from kvmlab.show.widgets.stepper import Stepper  # Only a press needs it.

        rival = self.table.rival(scenario)
        both = [scenario, rival] if rival else [scenario]
        self.children = (self._grid, self._said, Stepper(both, schedule, scenario.sentence))

    def __repr__(self) -> str:
        return repr(self.table)


def _words(text: str, *, bold: bool = False, mono: bool = False) -> widgets.HTML:
    """Return a heading of the grid; names that can be grepped are mono."""
    tag = "code" if mono else "b" if bold else "span"
    return widgets.HTML(f"<{tag}>{escape(text)}</{tag}>")
