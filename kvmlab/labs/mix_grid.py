"""The proof table of two levels: each method under test beside what lies below; a cell opens its cards."""

from collections.abc import Mapping
from dataclasses import replace

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import METHODS
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.cards import ENTRY, LOOKS
from kvmlab.show.verdicts import Build
from kvmlab.show.widgets.cards import Cards
from kvmlab.show.widgets.twin import TwinBox
from kvmlab.show.widgets.verdicts import VerdictGrid

BELOW: Mapping[str, tuple[str, str]] = {
    "over self-IPI": ("ipi", ""),
    "over timer 0": ("timer0", ""),
    "over b5861e5": ("timer0", "window"),
}
"""What it may run on at level 1: level 0's method, and what that looks for on a card that it puts away."""

ALONE = "at level 0"
WAYS = {name: way for way, name in METHODS.items()}


def _alone(under_test: Kernel) -> Scenario:
    return levels(under_test, levels=1)


def _over(way: str, looks: str) -> Build:
    def build(under_test: Kernel) -> Scenario:
        named = f"L0={METHODS[way]}{LOOKS[looks]},L1={under_test.name}"
        return replace(levels(under_test, levels=2, kernels=named), kernel=under_test)

    return build


COLUMNS: Mapping[str, Build] = {ALONE: _alone, **{name: _over(*below) for name, below in BELOW.items()}}


class MixGrid(TwinBox):
    """Kernels down, their level across; every cell was computed by trying all schedules.

    A press shows the cell's mix as cards, at the moment of the entry.
    """

    def __init__(self) -> None:
        self.grid = VerdictGrid([kernel(name) for name in WAYS], COLUMNS, self._open, beside="it runs")
        self.cards: Cards | None = None
        super().__init__([self.grid])

    def press(self, name: str, column: str) -> None:
        """Press the cell of a kernel and a column; raise BadInput if there is none."""
        self.grid.press(name, column)

    def _open(self, scenario: Scenario, _: str | None) -> None:
        cells = self.grid.table.cells.items()
        name, column = next(where for where, cell in cells if cell.scenario is scenario)
        below = [] if column == ALONE else [BELOW[column][0]]
        looks = "" if column == ALONE else BELOW[column][1]
        self.cards = Cards((*below, WAYS[name]), at=ENTRY, looks=looks)
        self.children = (self.grid, self.cards)

    def __repr__(self) -> str:
        shown = [] if self.cards is None else ["", repr(self.cards)]
        return "\n".join([repr(self.grid), *shown])
