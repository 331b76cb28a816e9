"""The proof table: every kernel beside every companion, each cell the answer of all schedules."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import zip_longest
from textwrap import wrap

from kvmlab.errors import unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import Exploration, explore
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.show.titles import plural, title

ROWS, BESIDE = "kernel", "beside it"
"""What rows and columns are, where nothing else is said."""
LONGEST = 80
"""No line of a twin is longer."""
NAME = 24
"""Columns for a kernel's name."""
FORM = f"{{:<{NAME}}}{{:<14}}{{:<22}}{{:>8}}{{:>11}}".format

Build = Callable[[Kernel], Scenario]
"""How a column makes its scenario for the kernel of a row."""

COLUMNS: Mapping[str, Build] = {
    "nothing else": immediate_exit,
    "a canceller": partial(immediate_exit, cancel=True),
}
"""The first lesson's columns: alone, and beside a thread that makes a request and kicks at any point."""


@dataclass(frozen=True)
class Verdict:
    """One cell: a scenario, and what trying every schedule of it gave."""

    column: str
    scenario: Scenario
    exploration: Exploration

    def __str__(self) -> str:
        """``✓ ok``, or ``✕``, the property and the steps of its shortest counterexample."""
        worst = self.exploration.shortest
        if worst is not None:
            return f"✕ {worst.property.label}, {plural(len(worst.labels) - 1, 'step')}"
        return "✓ ok" if self.holds else "– ok so far"

    @property
    def holds(self) -> bool:
        """Whether every schedule was tried and none breaks anything."""
        return self.exploration.complete and self.exploration.shortest is None

    @property
    def sentence(self) -> str:
        """The verdict as a sentence, with its scope."""
        found, where = self.exploration, f"{title(self.scenario.kernel)}, {self.column}"
        tried = "every schedule" if found.complete else f"the first {found.bound} states"
        if found.shortest is None:
            return f"{where}: nothing is broken; {tried} tried, {plural(found.states, 'state')}."
        worst = found.shortest.property
        after = f"{worst.label} after {plural(len(found.shortest.labels) - 1, 'step')}"
        return f"{where}: {after}. Must hold: {worst.sentence}."

    @cached_property
    def schedule(self) -> str | None:
        """The most readable of the shortest counterexamples; ``None`` if there is none."""
        worst = self.exploration.shortest
        if worst is None:
            return None
        return fewest_switches(self.scenario.system, worst.property.broken, len(worst.labels) - 1)


class VerdictTable:
    """Kernels down, columns across; ``repr`` is the table in words. ``rows`` and ``beside`` say so."""

    def __init__(
        self, cells: Mapping[tuple[str, str], Verdict], beside: str = BESIDE, rows: str = ROWS
    ) -> None:
        self.cells, self.beside, self.rows = cells, beside, rows

    @property
    def kernels(self) -> list[str]:
        """The names of the rows."""
        return list(dict.fromkeys(name for name, _ in self.cells))

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(dict.fromkeys(column for _, column in self.cells))

    def at(self, kernel: str, column: str) -> Verdict:
        """Return one cell; raise BadInput, with the nearest name, if there is no such row or column."""
        if kernel not in self.kernels:
            raise unknown("kernel", kernel, self.kernels)
        if column not in self.columns:
            raise unknown("column", column, self.columns)
        return self.cells[kernel, column]

    def rival(self, scenario: Scenario) -> Scenario | None:
        """Return the same column on the nearest kernel with the other verdict, a later one first."""
        column = next(cell.column for cell in self.cells.values() if cell.scenario is scenario)
        cells = [self.at(name, column) for name in self.kernels]
        here = next(i for i, cell in enumerate(cells) if cell.scenario is scenario)
        verdict = cells[here].exploration.verdict
        nearest_first = cells[here + 1 :] + cells[:here][::-1]
        return next((cell.scenario for cell in nearest_first if cell.exploration.verdict != verdict), None)

    @property
    def sentence(self) -> str:
        """The foot: which kernels hold in every column, and how much was searched."""
        good = [name for name in self.kernels if all(self.at(name, c).holds for c in self.columns)]
        states = sum(cell.exploration.states for cell in self.cells.values())
        whole = all(cell.exploration.complete for cell in self.cells.values())
        scope = "Every schedule was tried" if whole else "Not every schedule was tried"
        return f"ok in every column: {', '.join(good) or 'no kernel'}. {scope}: {states} states."

    @property
    def rules(self) -> list[tuple[str, str]]:
        """The rules that some kernel breaks, each as the label of what breaks it, and what must hold."""
        broken = (cell.exploration.shortest for cell in self.cells.values())
        return list(dict.fromkeys((x.property.label, x.property.sentence) for x in broken if x))

    def __repr__(self) -> str:
        rules = (f"✕ {label} breaks: {must}" for label, must in self.rules)
        must = (line for rule in rules for line in wrap(rule, LONGEST, subsequent_indent="  "))
        return "\n".join([*_table(self), "", *must, *wrap(self.sentence, LONGEST)])


def verdict_table(
    kernels: Sequence[Kernel],
    columns: Mapping[str, Build] = COLUMNS,
    limit: int | None = None,
    beside: str = BESIDE,
    rows: str = ROWS,
) -> VerdictTable:
    """Try every schedule of every kernel in every column; ``limit`` bounds the states of each search."""
    cells = {}
    for kernel in kernels:
        for column, build in columns.items():
            cells[kernel.name, column] = verdict(column, build(kernel), limit)
    return VerdictTable(cells, beside, rows)


def verdict(column: str, scenario: Scenario, limit: int | None = None) -> Verdict:
    """Try every schedule of one cell; ``limit`` bounds the states."""
    return Verdict(column, scenario, explore(scenario, limit))


def _table(table: VerdictTable) -> Iterator[str]:
    """Yield a line per cell: kernel, column, verdict, states; a long name goes on in the next line."""
    yield FORM(table.rows, table.beside, "verdict", "states", "schedules").rstrip()
    for name in table.kernels:
        cells = [table.at(name, column) for column in table.columns]
        for label, cell in zip_longest(_parts(title(cells[0].scenario.kernel)), cells):
            yield _line(label or "", cell)


def _line(label: str, cell: Verdict | None) -> str:
    if cell is None:
        return label
    found = cell.exploration
    return FORM(label, cell.column, str(cell), found.states, "all" if found.complete else "some")


def _parts(name: str) -> list[str]:
    """Return a kernel's name in pieces that fit the column, parted at its edits."""
    lines = [""]
    for part in re.findall(r"\+?[^+]+", name):
        if len(lines[-1]) + len(part) >= NAME:
            lines.append("")
        lines[-1] += part
    return lines
