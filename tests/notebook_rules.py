"""The house rules for notebooks: each looks at one notebook, parsed from JSON, and yields its complaints.

Hygiene keeps strict nbval honest. It passes without a word over a cell that nobody ran, compares memory
addresses, and miscounts what some widgets capture; so none of that may be in a saved notebook. The rest keeps
a notebook readable in one sitting: short cells, prose beside each, and no helper code, which belongs in the
package.
"""

from __future__ import annotations

import ast
import json
import math
import re
import statistics
from collections.abc import Callable, Iterator
from typing import Any

Notebook = dict[str, Any]
Rule = Callable[[Notebook], Iterator[str]]

KERNEL = "python3"
ABOUT = ("kind", "question", "minutes", "leaves_behind")
KINDS = ("core", "star")
"""A core notebook is one lesson; a star notebook is its second hour."""

CODE_CELLS = range(12, 25 + 1)
PROSE_WORDS = range(800, 1800 + 1)
MEDIAN_LINES, P90_LINES, MOST_LINES = 3, 8, 15

ALLOWED_IMPORTS = ("kvmlab", "matplotlib.pyplot")
EXERCISE, RAISES = "exercise", "raises-exception"
NOT_COMPARED = {"nbval-ignore-output", "nbval-skip"}
UNCOMPARABLE = {
    "Output", "clear_output", "interact", "interactive", "interactive_output", "jslink", "jsdlink",
}  # fmt: skip
"""nbval miscounts what these capture, nbclient may hang on them, and a link overwrites Python's value."""


def complaints(notebook: Notebook) -> list[str]:
    """Return what all rules have against the notebook."""
    return [complaint for rule in RULES for complaint in rule(notebook)]


# What the file says about itself.


def format_is_current(notebook: Notebook) -> Iterator[str]:
    """nbformat 4.5 gives every cell an id, so that a diff shows which cell changed."""
    if (notebook["nbformat"], notebook["nbformat_minor"]) != (4, 5):
        yield "is not nbformat 4.5"
    ids = [cell.get("id") for cell in notebook["cells"]]
    if None in ids or len(set(ids)) < len(ids):
        yield "has cells without an id of their own"


def metadata_is_portable(notebook: Notebook) -> Iterator[str]:
    """Nothing of the machine that ran it is in the metadata."""
    metadata = notebook["metadata"]
    if metadata.get("kernelspec", {}).get("name") != KERNEL:
        yield f"does not name the kernel {KERNEL}"
    if metadata.get("language_info") != {"name": "python"}:
        yield "has more in language_info than the name: run `make refresh`"
    if "widgets" in metadata:
        yield "has the state of widgets in its metadata: run `make refresh`"
    for where, cell in code_cells(notebook):
        if "execution" in cell["metadata"]:
            yield f"{where} has times in its metadata"


def course_facts_are_stated(notebook: Notebook) -> Iterator[str]:
    """The `kvmlab` metadata says what the notebook asks, how long it takes and what it leaves behind."""
    about = notebook["metadata"].get("kvmlab", {})
    for key in ABOUT:
        if not about.get(key):
            yield f"has no kvmlab.{key} in its metadata"
    if about.get("kind") not in KINDS:
        yield f"is neither of {KINDS}"


# What was saved.


def every_cell_was_run_in_order(notebook: Notebook) -> Iterator[str]:
    """nbval compares nothing for a cell that was not run, and so passes it."""
    counts = [cell["execution_count"] for _, cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"was not run once from top to bottom (execution counts {counts}): run `make refresh`"


def every_output_is_compared(notebook: Notebook) -> Iterator[str]:
    """No tag tells nbval to look away."""
    for where, cell in code_cells(notebook):
        for tag in sorted(tags(cell) & NOT_COMPARED):
            yield f"{where} is tagged {tag}"


def outputs_are_reproducible(notebook: Notebook) -> Iterator[str]:
    """No output is a warning, an accident or an address in memory."""
    for where, cell in code_cells(notebook):
        for output in cell["outputs"]:
            if output.get("name") == "stderr":
                yield f"{where} prints to stderr"
            if output["output_type"] == "error" and RAISES not in tags(cell):
                yield f"{where} fails with {output['ename']}"
            if " at 0x" in json.dumps(output):
                yield f"{where} shows an address in memory"


# What is in the cells.


def code_is_plain_python(notebook: Notebook) -> Iterator[str]:
    """No magics and no closing `;`, which means one thing to JupyterLab and another to nbval."""
    for where, cell in code_cells(notebook):
        if syntax(cell) is None:
            yield f"{where} is not plain Python"
        if re.search(r";\s*(#.*)?$", source(cell)):
            yield f"{where} ends in `;`"


def helpers_are_in_the_package(notebook: Notebook) -> Iterator[str]:
    """Functions and classes are written in exercises only, and imports come from kvmlab."""
    for where, cell in code_cells(notebook):
        for node in nodes(cell):
            if isinstance(node, DEFINITIONS) and EXERCISE not in tags(cell):
                yield f"{where} defines a function or a class and is no exercise"
            for module in imported_modules(node):
                if not re.match(rf"({'|'.join(ALLOWED_IMPORTS)})(\.|$)", module):
                    yield f"{where} imports {module}"


def widgets_are_comparable(notebook: Notebook) -> Iterator[str]:
    """Widgets draw into their own values, never into a captured output."""
    for where, cell in code_cells(notebook):
        names = {getattr(node, field, None) for node in nodes(cell) for field in ("id", "attr", "name")}
        for name in sorted(names & UNCOMPARABLE):
            yield f"{where} uses {name}"


# How long it is.


def cells_are_short(notebook: Notebook) -> Iterator[str]:
    """No cell is longer than a screen's worth of attention."""
    for where, cell in code_cells(notebook):
        if line_count(cell) > MOST_LINES:
            yield f"{where} has {line_count(cell)} lines (at most {MOST_LINES})"


def a_lesson_fits_its_hour(notebook: Notebook) -> Iterator[str]:
    """A core notebook keeps the measures of lessons that people finish."""
    if notebook["metadata"].get("kvmlab", {}).get("kind") != "core":
        return
    code = [cell for _, cell in code_cells(notebook)]
    prose = [source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    if len(code) not in CODE_CELLS:
        yield f"has {len(code)} code cells (wanted {within(CODE_CELLS)})"
    if len(prose) < len(code):
        yield f"has {len(prose)} cells of prose for {len(code)} of code (at least one each)"
    if word_count(prose) not in PROSE_WORDS:
        yield f"has {word_count(prose)} words of prose (wanted {within(PROSE_WORDS)})"
    lengths = sorted(line_count(cell) for cell in code) or [0]
    if statistics.median(lengths) > MEDIAN_LINES:
        yield f"has a median of {statistics.median(lengths)} lines a cell (at most {MEDIAN_LINES})"
    if (p90 := lengths[math.ceil(0.9 * len(lengths)) - 1]) > P90_LINES:
        yield f"has {p90} lines in its 90th percentile cell (at most {P90_LINES})"


RULES: tuple[Rule, ...] = (
    format_is_current,
    metadata_is_portable,
    course_facts_are_stated,
    every_cell_was_run_in_order,
    every_output_is_compared,
    outputs_are_reproducible,
    code_is_plain_python,
    helpers_are_in_the_package,
    widgets_are_comparable,
    cells_are_short,
    a_lesson_fits_its_hour,
)

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def code_cells(notebook: Notebook) -> list[tuple[str, dict[str, Any]]]:
    """Return the code cells, each with the words that name it in a complaint."""
    return [
        (f"cell {number} ({cell.get('id')})", cell)
        for number, cell in enumerate(notebook["cells"], start=1)
        if cell["cell_type"] == "code"
    ]


def source(cell: dict[str, Any]) -> str:
    """Return the cell's text, which JSON may hold as a string or as a list of lines."""
    return "".join(cell["source"])


def tags(cell: dict[str, Any]) -> set[str]:
    """Return the cell's tags."""
    return set(cell["metadata"].get("tags", []))


def line_count(cell: dict[str, Any]) -> int:
    """Count the lines of a cell that have something on them."""
    return sum(bool(line.strip()) for line in source(cell).splitlines())


def word_count(prose: list[str]) -> int:
    """Count the words a learner reads: not what is in code blocks, and not markup."""
    text = re.sub(r"```.*?```|<[^>]+>", "", "\n\n".join(prose), flags=re.DOTALL)
    return len(re.findall(r"\w[\w'’-]*", text))


def syntax(cell: dict[str, Any]) -> ast.Module | None:
    """Return the cell's syntax tree, or None if it is not Python alone."""
    try:
        return ast.parse(source(cell))
    except SyntaxError:
        return None


def nodes(cell: dict[str, Any]) -> list[ast.AST]:
    """Return every node of the cell's syntax tree."""
    return list(ast.walk(syntax(cell) or ast.Module([], [])))


def imported_modules(node: ast.AST) -> list[str]:
    """Return the modules that an import statement names; of any other node, none."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [node.module or "."] if isinstance(node, ast.ImportFrom) else []


def within(wanted: range) -> str:
    """Spell a range as people do."""
    return f"{wanted[0]} to {wanted[-1]}"
