"""Exit multiplication: what one exit of Ln costs in exits to level 0, counted, and as a plot."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from textwrap import wrap
from typing import Any

import ipywidgets as widgets
from matplotlib.axes import Axes

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.labs import plots
from kvmlab.labs.prose import paragraph
from kvmlab.processor.records import ROOT
from kvmlab.scenarios.cpuid import cpuid
from kvmlab.schedulers.clock import Clock
from kvmlab.show.theme import Palette
from kvmlab.show.widgets.twin import TwinBox

KERNEL = "d264ee0"
LEVELS, ACCESSES = range(1, 6), range(4)
"""What is on the plot: the level of the guest that exits, and how many accesses to a form trap in a lap."""
MARKERS = "osD^"


@lru_cache(64)
def exits(level: int, accesses: int) -> int:
    """Count the exits to level 0 from one CPUID of L``level`` to its next one.

    Each KVM above level 0 reads or writes its form ``accesses`` times in a lap. Raises BadInput for a level
    or a number that cannot be.
    """
    scenario = cpuid(kernel(KERNEL), levels=level, accesses=accesses)
    running, clock = scenario.records["core"].frame, Clock(scenario.system)
    counted = asked = 0
    while True:
        inside = clock.state[running] != ROOT
        move = clock.step()
        if move is None:
            raise BadInput(f"L{level} never runs again")
        asked += move.step.label == "CPUID"
        if asked == 2:
            return counted
        counted += inside and clock.state[running] == ROOT


def table() -> dict[int, list[int]]:
    """Return for each number of accesses the exits at each level."""
    return {p: [exits(n, p) for n in LEVELS] for p in ACCESSES}


class Multiplied(TwinBox):
    """The plot, drawn for both themes; the twin is the numbers behind it."""

    def __init__(self) -> None:
        self.table = table()
        picture = widgets.HTML(plots.plot_html(_lines(self.table), self.foot))
        super().__init__([picture, widgets.HTML(paragraph(escape(self.foot)))])

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        deepest, most = LEVELS[-1], ACCESSES[-1]
        return (
            f"One exit of L{deepest} is {self.table[0][-1]} exits to level 0 if no access traps, and"
            f" {self.table[most][-1]} if {most} do in each lap."
        )

    def __repr__(self) -> str:
        head = "trapping accesses" + "".join(f"{f'L{n}':>7}" for n in LEVELS)
        rows = [f"{p:>17}" + "".join(f"{n:>7}" for n in row) for p, row in self.table.items()]
        return "\n".join(["Exits to level 0 for one exit of", head, *rows, "", *wrap(self.foot, 80)])


def _lines(counted: Mapping[int, Sequence[int]]) -> plots.Draw:
    """Return what draws one line for each number of accesses, over a logarithmic axis."""

    def draw(axes: Axes, palette: Palette) -> None:
        label: dict[str, Any] = {"color": palette.ink, "fontsize": plots.POINTS}
        for (p, row), marker in zip(counted.items(), MARKERS, strict=True):
            axes.plot(list(LEVELS), row, color=palette.ink, marker=marker, markerfacecolor=palette.paper)
            at = (LEVELS[-1], row[-1])
            axes.annotate(f"{p} a lap: {row[-1]}", at, (8, -4), textcoords="offset points", **label)
        axes.set_yscale("log")
        axes.set_yticks([1, 10, 100], ["1", "10", "100"])
        axes.minorticks_off()
        axes.set_xticks(list(LEVELS), [f"L{n}" for n in LEVELS])
        axes.set_xlim(LEVELS[0] - 0.2, LEVELS[-1] + 0.7)
        axes.set_xlabel("who exits once", label)
        axes.set_ylabel("exits to level 0", label)

    return draw
