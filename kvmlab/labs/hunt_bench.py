"""The bench of the hunt: an answer for each version and case, and a button Check."""

from collections.abc import Iterator
from functools import cached_property
from html import escape

import ipywidgets as widgets

from kvmlab.labs.alarm_grid import WRITES, AlarmVerdicts
from kvmlab.labs.computing import computing
from kvmlab.labs.hunt import ANSWERS, CELLS, KERNELS, Cell, Grade, check, grade, legend, proof
from kvmlab.labs.prose import paragraph
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

OPEN = "?"
"""No guess yet."""


class HuntBench(TwinBox):
    """A grid of guesses; what was guessed is graded, and who has guessed everything sees the proof table."""

    def __init__(self) -> None:
        self._guesses = {cell: self._dropdown(cell) for cell in CELLS}
        self._said, self._below = widgets.HTML(), widgets.VBox()
        self._grades: list[Grade] = []
        grid = widgets.GridBox(
            list(self._cells()),
            layout={"grid_template_columns": f"120px repeat({len(WRITES)}, 150px)", "grid_gap": "4px 8px"},
        )
        press = button("Check", self._check, "ask the explorer about what you have guessed")
        super().__init__([grid, press, self._said, self._below])

    def guess(self, kernel: str, column: str, answer: str) -> None:
        """Guess; raise BadInput, and change nothing, for a cell or an answer that does not exist."""
        check((kernel, column), answer)
        self._guesses[kernel, column].value = answer

    def check(self) -> list[Grade]:
        """Press Check; return the grades."""
        self._check()
        return self._grades

    def _dropdown(self, cell: Cell) -> widgets.Dropdown:
        made = widgets.Dropdown(
            options=[OPEN, *ANSWERS], tooltip=f"{cell[0]}, {cell[1]}", layout={"width": "140px"}
        )
        on_change(made, lambda _: self._forget())
        return made

    def _cells(self) -> Iterator[widgets.Widget]:
        yield widgets.HTML("<b>kernel</b>")
        yield from (widgets.HTML(f"<b>{escape(column)}</b>") for column in WRITES)
        for kernel in KERNELS:
            yield widgets.HTML(f"<code>{escape(kernel)}</code>")
            yield from (self._guesses[kernel, column] for column in WRITES)

    @property
    def _guessed(self) -> dict[Cell, str]:
        return {cell: box.value for cell, box in self._guesses.items() if box.value != OPEN}

    def _check(self) -> None:
        with computing(self._said, self._below):
            self._grades = grade(self._guessed)
            done = len(self._grades) == len(CELLS)
            self._below.children = (self._table,) if done else ()
            self._said.value = "".join(paragraph(escape(line), "status") for line in self._lines())

    @cached_property
    def _table(self) -> AlarmVerdicts:
        """The proof table; the same whatever was guessed."""
        return AlarmVerdicts(proof())

    def _lines(self) -> Iterator[str]:
        """Yield how many agree, then a line for each guess; nothing before Check was pressed."""
        if not self._grades:
            yield "Guess first."
            return
        agreed = sum(each.agrees for each in self._grades)
        guessed = len(self._grades)
        yield f"{agreed} of {guessed} agree with the explorer; {len(CELLS) - guessed} are open."
        yield from map(str, self._grades)
        yield from legend(self._grades)

    def _forget(self) -> None:
        """An old grade beside a new guess would be a lie."""
        self._grades, self._said.value, self._below.children = [], "", ()

    def __repr__(self) -> str:
        head = f"{'kernel':<10}" + "".join(f"{column:>14}" for column in WRITES)
        rows = [
            f"{kernel:<10}" + "".join(f"{self._guesses[kernel, column].value:>14}" for column in WRITES)
            for kernel in KERNELS
        ]
        return "\n".join(["The hunt", head, *rows, *(self._lines() if self._grades else ())])
