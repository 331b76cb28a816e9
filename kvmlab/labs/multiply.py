"""Exit multiplication: one exit of Ln in exits to level 0 and in cycles, from steps, and as a plot."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from html import escape
from textwrap import wrap
from typing import Any

import ipywidgets as widgets
from matplotlib.axes import Axes

from kvmlab.kernels.names import kernel
from kvmlab.labs import plots
from kvmlab.labs.prose import paragraph
from kvmlab.scenarios.cpuid_cycles import KERNEL
from kvmlab.schedulers.profiles.names import profile
from kvmlab.schedulers.profiles.nested import NESTED, NESTED_L0
from kvmlab.show.multiplication import Floor, Multiplication, multiplication
from kvmlab.show.theme import Palette
from kvmlab.show.widgets.twin import TwinBox

LEVELS, CYCLES, ACCESSES = range(1, 6), range(1, 5), range(4)
"""What is on the plots: the level of the guest that exits, and how many accesses to a form trap in a lap."""
MARKERS = "osD^"
Text = dict[str, Any]
Rows = Mapping[int, Sequence[int]]
Table = Mapping[int, tuple[Floor, ...]]
"""For each number of accesses the floors, from L1 up."""


@lru_cache(64)
def _tower(levels: int, accesses: int, machine: str = NESTED.name) -> Multiplication:
    return multiplication(kernel(KERNEL), levels, accesses=accesses, machine=profile(machine))


def floor(level: int, accesses: int) -> Floor:
    """Return what one CPUID of L``level`` costs up to its next one, its exits to level 0 and its cycles.

    Each KVM above level 0 reads or writes its form ``accesses`` times in a lap. Raises BadInput for a level
    or a number that cannot be.
    """
    levels = max(level, LEVELS[-1]) if level > 0 else level
    return _tower(levels, accesses).floors[level - 1]


def exits(level: int, accesses: int) -> int:
    """Return its exits to level 0."""
    return floor(level, accesses).exits


def cycles(level: int, accesses: int) -> int:
    """Return its cycles."""
    return floor(level, accesses).cycles


def table() -> Table:
    """Return what is on the plot."""
    return {p: tuple(floor(n, p) for n in LEVELS) for p in ACCESSES}


def readings() -> str:
    """Return what L3 would take if the one number that is fitted at L2 were paid elsewhere."""
    says = {"each KVM that emulates": NESTED.name, "level 0 alone": NESTED_L0.name}
    head = f"{'L3, if the sum is paid by':<28}" + "".join(f"{f'p = {p}':>9}" for p in ACCESSES)
    rows = (
        f"{payer:<28}" + "".join(f"{_tower(3, p, machine).floors[-1].cycles:>9}" for p in ACCESSES)
        for payer, machine in says.items()
    )
    return "\n".join([head, *rows])


class Multiplied(TwinBox):
    """The plots, drawn for both themes; the twin is the numbers behind them."""

    def __init__(self) -> None:
        self.table = table()
        picture = plots.plot_html(_exits(self.table), self.foot, _cycles(self.table))
        super().__init__([widgets.HTML(picture), widgets.HTML(paragraph(escape(self.foot)))])

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        deepest, most = LEVELS[-1], ACCESSES[-1]
        few, many = self.table[0], self.table[most]
        return (
            f"One exit of L{deepest} is {few[-1].exits} exits to level 0 if no access traps, and "
            f"{many[-1].exits} if {most} do in each lap. In cycles, the {few[1].cycles} of L2 are fitted for "
            f"every line, which proves nothing; L3, {few[2].cycles} to {many[2].cycles}, is predicted."
        )

    def __repr__(self) -> str:
        status = f"{'':<17}" + "".join(f"{floor.status:>11}" for floor in self.table[0][: len(CYCLES)])
        exits = _rows(self.table, LEVELS, 7, lambda floor: floor.exits)
        cycles = _rows(self.table, CYCLES, 11, lambda floor: floor.cycles)
        lines = ["Exits to level 0 for one exit of", *exits, "", "Cycles for one exit of", *cycles, status]
        return "\n".join([*lines, "", *wrap(self.foot, 80)])


def _rows(shown: Table, levels: range, width: int, number: Callable[[Floor], int]) -> list[str]:
    head = "trapping accesses" + "".join(f"{f'L{n}':>{width}}" for n in levels)
    numbers = {p: [number(floors[n - 1]) for n in levels] for p, floors in shown.items()}
    return [head, *(f"{p:>17}" + "".join(f"{n:>{width}}" for n in row) for p, row in numbers.items())]


def _frame(axes: Axes, palette: Palette, levels: range, ticks: Sequence[int], title: str) -> Text:
    """Give a plot its axes, the upright one logarithmic; return how text on it looks."""
    label: Text = {"color": palette.ink, "fontsize": plots.POINTS, "textcoords": "offset points"}
    axes.set_yscale("log")
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(levels[0] - 0.3, levels[-1] + 1.3)
    axes.annotate(title, (0, 1), (8, -12), xycoords="axes fraction", **label)
    return label


def _lines(axes: Axes, palette: Palette, label: Text, levels: range, rows: Rows, dash: str) -> None:
    """Draw one line for each number of accesses, with its last number behind it."""
    for (p, row), marker in zip(rows.items(), MARKERS, strict=True):
        at = (levels[-1], row[-1])
        axes.plot(levels, row, dash, color=palette.ink, marker=marker, markerfacecolor=palette.paper)
        axes.annotate(f"{p} a lap: {row[-1]}", at, (8, -4), **label)


def _exits(shown: Table) -> plots.Draw:
    """Return what draws the exits at every level."""
    rows = {p: [floors[n - 1].exits for n in LEVELS] for p, floors in shown.items()}

    def draw(axes: Axes, palette: Palette) -> None:
        label = _frame(axes, palette, LEVELS, (1, 10, 100), "exits to level 0, for one exit of Ln")
        _lines(axes, palette, label, LEVELS, rows, "-")
        axes.set_xticks(LEVELS, [f"L{n}\n" for n in LEVELS])

    return draw


def _cycles(shown: Table) -> plots.Draw:
    """Return what draws the cycles: one line up to L2, which was fitted, and dashed what is predicted."""
    rows = {p: [floors[n - 1].cycles for n in CYCLES[1:]] for p, floors in shown.items()}
    known, (least, *_, most) = [floor.cycles for floor in shown[0][:2]], [row[1] for row in rows.values()]

    def draw(axes: Axes, palette: Palette) -> None:
        label = _frame(axes, palette, CYCLES, (1_000, 10_000, 100_000), "cycles, for one exit of Ln")
        _lines(axes, palette, label, CYCLES[1:], rows, "--")
        axes.plot(CYCLES[:2], known, color=palette.ink, marker="o", markersize=8)
        for level, number, where in ((1, known[0], (10, -5)), (2, known[1], (8, -14))):
            axes.annotate(f"{number}", (level, number), where, **label)
        for number, where in ((least, (0, -18)), (most, (-44, 6))):
            axes.annotate(f"{number}", (CYCLES[2], number), where, **label)
        axes.set_xticks(CYCLES, [f"L{floor.level}\n{floor.status}" for floor in shown[0][: len(CYCLES)]])

    return draw
