"""The proof grid: a button per cell, its text the verdict.

Pressing one that breaks opens the shortest counterexample, one that holds the kernel's own story.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.clock import clocked
from kvmlab.show.places import NINE, Place
from kvmlab.show.titles import plural, title
from kvmlab.show.verdicts import Verdict, VerdictTable
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.twin import TwinBox

if TYPE_CHECKING:
    from kvmlab.show.widgets.stepper import Stepper

OnOpen = Callable[[Scenario, str | None], object]
"""What a press does: (the cell's scenario, its shortest counterexample or ``None``)."""

NAME = "220px"


class VerdictGrid(TwinBox):
    """A table's kernels down, its columns across, a button a cell.

    Without ``on_open`` a press shows the counterexample, or the story, in a stepper below the grid;
    ``watch`` are the places of its state.
    """

    def __init__(
        self,
        table: VerdictTable,
        on_open: OnOpen | None = None,
        watch: Sequence[Sequence[Place]] = NINE,
    ) -> None:
        self.table = table
        self._on_open, self._watch = on_open or self._step_through, watch
        self._said = widgets.HTML()
        self._legend = widgets.HTML(_legend(self.table.rules))
        self._width = _width([*self.table.columns, *map(_text, self.table.cells.values())])
        template = f"{NAME} repeat({len(table.columns)}, {self._width})"
        self._grid = widgets.GridBox(
            [*self._heads(), *self._cells()],
            layout={"grid_template_columns": template, "grid_gap": "4px 8px", "align_items": "center"},
        )
        super().__init__([self._grid, self._legend, self._said])

    def _heads(self) -> Iterator[widgets.HTML]:
        yield _words(self.table.rows, bold=True)
        yield from (_words(column, bold=True) for column in self.table.columns)

    def _cells(self) -> Iterator[widgets.Widget]:
        """Yield the rows: the kernel's name, then a button per column."""
        for name in self.table.kernels:
            cells = [self.table.at(name, column) for column in self.table.columns]
            yield _words(title(cells[0].scenario.kernel), mono=True)
            yield from (self._cell(cell) for cell in cells)

    def _cell(self, cell: Verdict) -> widgets.Button:
        """Return the button of a cell; what breaks is bold and crossed, so that no colour is needed."""
        made = button(_text(cell), partial(self._open, cell), cell.sentence, self._width)
        made.style.font_weight = "normal" if cell.holds else "bold"
        return made

    def press(self, kernel: str, column: str) -> None:
        """Press the cell of ``kernel`` and ``column``; raise BadInput if there is none."""
        self._open(self.table.at(kernel, column))

    def _open(self, cell: Verdict) -> None:
        self._said.value = f'<p role="status">{escape(cell.sentence)}</p>'
        self._on_open(cell.scenario, cell.schedule)

    def _step_through(self, scenario: Scenario, schedule: str | None) -> None:
        self.children = (self._grid, self._legend, self._said, self.stepper(scenario, schedule))

    def stepper(self, scenario: Scenario, schedule: str | None) -> "Stepper":
        """Return what breaks, with a kernel of the other verdict at hand; else the whole run, at its end."""
        from kvmlab.show.widgets.stepper import Stepper  # Only a press needs it.

        if schedule is None:
            rival, schedule = None, clocked(scenario.system).schedule
        else:
            rival = self.table.rival(scenario)
        several = [scenario, rival] if rival else scenario
        return Stepper(several, schedule, scenario.sentence, watch=self._watch)

    def __repr__(self) -> str:
        return repr(self.table)


def _text(cell: Verdict) -> str:
    """Return what a button says; of what holds, how much was searched."""
    return f"{cell}, {plural(cell.exploration.states, 'state')}" if cell.holds else str(cell)


def _width(texts: Sequence[str]) -> str:
    """Return the width of the columns: so that the longest text has room even if it is bold."""
    return f"{9 * max(map(len, texts)) + 24}px"


def _words(text: str, *, bold: bool = False, mono: bool = False) -> widgets.HTML:
    """Return a heading of the grid; names that can be grepped are mono."""
    if mono:
        return widgets.HTML(f'<code style="line-height:1.4;display:inline-block">{_breakable(text)}</code>')
    tag = "b" if bold else "span"
    return widgets.HTML(f"<{tag}>{escape(text)}</{tag}>")


def _breakable(name: str) -> str:
    """Return a kernel's name as markup that goes on in the next line at an edit, and nowhere else."""
    first, *edits = escape(name).split("+")
    parts = (first, *(f"+{edit}" for edit in edits))
    return "<wbr>".join(f'<span style="white-space:nowrap">{part}</span>' for part in parts)


def _legend(rules: Sequence[tuple[str, str]]) -> str:
    """Return what the labels in the cells mean: what must hold, and does not there."""
    must = " · ".join(f"✕ <b>{escape(label)}</b> breaks: {escape(must)}" for label, must in rules)
    return f'<p style="max-width:960px;line-height:1.5;margin:4px 0">{must}</p>' if must else ""
