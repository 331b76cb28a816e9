"""Proof tables of nested kernels: a cell opens its mix as cards, and its counterexample in a stepper."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import ipywidgets as widgets

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import METHODS
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.cards import EXIT, LOOKS, Mix
from kvmlab.show.verdicts import ROWS, Build, verdict_table
from kvmlab.show.widgets.cards import Cards
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.twin import TwinBox
from kvmlab.show.widgets.verdicts import VerdictGrid

ALONE = "at level 0"
BELOW: Mapping[str, str] = {"over self-IPI": "ipi", "over timer 0": "timer0"}
"""What it may run on at level 1: level 0's method."""
WAYS = {name: way for way, name in METHODS.items()}

APICV: Mapping[str, bool] = {"without APICv": False, "with APICv": True}
OLD = METHODS["ipi"]
FINDS = {OLD + edit: what for what, edit in LOOKS.items()}
"""The kernel at level 0, and what it looks for on a card that it puts away."""


class MixGrid(TwinBox):
    """Kernels down, their company across; every cell was computed by trying all schedules.

    A press shows the cell's ``mix`` as cards, at the exit; a button below opens the shortest counterexample.
    """

    def __init__(
        self,
        kernels: Sequence[str],
        columns: Mapping[str, Build],
        mix: Callable[[str, str], Mix],
        beside: str,
        rows: str = ROWS,
    ) -> None:
        named = [kernel(name) for name in kernels]
        self.grid = VerdictGrid(verdict_table(named, columns, beside=beside, rows=rows), self._open)
        self._mix = mix
        self.cards: Cards | None = None
        super().__init__([self.grid])

    def press(self, name: str, column: str) -> None:
        """Press the cell of a kernel and a column; raise BadInput if there is none."""
        self.grid.press(name, column)

    def _open(self, scenario: Scenario, schedule: str | None) -> None:
        cells = self.grid.table.cells.items()
        name, column = next(where for where, cell in cells if cell.scenario is scenario)
        mix = self._mix(name, column)
        self.cards = Cards(mix.methods, at=EXIT, looks=mix.looks, apicv=mix.apicv)
        self.children = (self.grid, self.cards, self._steps(scenario, schedule))

    def _steps(self, scenario: Scenario, schedule: str | None) -> widgets.VBox:
        """Return a button, and below it, once it was pressed, the cell's schedule in a stepper."""
        below = widgets.VBox()

        def step_through() -> None:
            if not below.children[1:]:
                below.children = (*below.children, self.grid.stepper(scenario, schedule))

        below.children = (button("Step through its schedule", step_through, width="220px"),)
        return below

    def __repr__(self) -> str:
        shown = [] if self.cards is None else ["", repr(self.cards)]
        return "\n".join([repr(self.grid), *shown])


def _alone(under_test: Kernel) -> Scenario:
    return levels(under_test, levels=1)


def _over(way: str) -> Build:
    def build(under_test: Kernel) -> Scenario:
        named = f"L0={METHODS[way]},L1={under_test.name}"
        return replace(levels(under_test, levels=2, kernels=named), kernel=under_test)

    return build


def _under_old(apicv: bool) -> Build:
    def build(below: Kernel) -> Scenario:
        named = f"L0={below.name},L1={OLD}"
        return replace(levels(below, levels=2, kernels=named, apicv=apicv), kernel=below)

    return build


def by_method() -> MixGrid:
    """Return each method at level 0, and at level 1 over either."""

    def mix(name: str, column: str) -> Mix:
        below = [] if column == ALONE else [BELOW[column]]
        return Mix((*below, WAYS[name]))

    columns = {ALONE: _alone, **{name: _over(way) for name, way in BELOW.items()}}
    return MixGrid(list(WAYS), columns, mix, beside="it runs")


def by_look() -> MixGrid:
    """Return what level 0 must look for under a level 1 of old, without and with APICv."""

    def mix(name: str, column: str) -> Mix:
        return Mix(("ipi", "ipi"), looks=(FINDS[name], ""), apicv=APICV[column])

    columns = {name: _under_old(apicv) for name, apicv in APICV.items()}
    return MixGrid(list(FINDS), columns, mix, beside="L1", rows="L0's kernel")
