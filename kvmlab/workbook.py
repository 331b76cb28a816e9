"""Give learners notebooks of their own, with nothing answered in advance.

The notebooks in the repository keep their outputs, because a saved output is what a test can compare. To a
learner who is asked to predict one it is the answer. So nobody works in the originals: a workbook is a folder
of copies without outputs, and what a learner has written into a copy is never overwritten.

Copying is plain JSON and needs no Jupyter; only signing and opening do.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def open_lab(source: Path, target: Path, launch: bool) -> None:
    """Fill the workbook `target` from `source`, say what was done, and open it in JupyterLab if `launch`.

    With `launch` this does not return: the process becomes JupyterLab's.
    """
    for line in fill(source, target):
        print(line)
    if launch:
        sys.stdout.flush()  # What is still buffered would be lost with the process image.
        os.execv(sys.executable, [sys.executable, *lab_arguments(target)])


def fill(source: Path, target: Path) -> list[str]:
    """Copy to `target` each notebook of `source` that is not there yet; return one line for each.

    A copy that exists is left alone, whatever is in it. New copies are signed where Jupyter is installed.
    """
    originals = sorted(source.glob("*.ipynb"))
    if not originals:
        raise FileNotFoundError(
            f"no notebooks in {source}: run this in the project's folder, or say --notebooks"
        )
    target.mkdir(parents=True, exist_ok=True)
    lines = []
    for original in originals:
        copy = target / original.name
        if copy.exists():
            lines.append(f"kept {copy} (yours; delete it to get a fresh one)")
        else:
            copy.write_text(without_outputs(original.read_text("utf-8")), "utf-8", newline="\n")
            sign(copy)
            lines.append(f"made {copy}")
    return lines


def without_outputs(notebook: str) -> str:
    """Return the notebook, as JSON text, with no cell run yet; everything else is as it was."""
    content: dict[str, Any] = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def sign(copy: Path) -> None:
    """Tell Jupyter to trust the copy, so that its pictures show; without Jupyter, do nothing."""
    try:
        import nbformat
        from nbformat.sign import NotebookNotary
    except ImportError:
        return
    NotebookNotary().sign(nbformat.read(copy, as_version=4))


def lab_arguments(target: Path) -> list[str]:
    """Return Python's arguments that open the workbook in this environment's JupyterLab."""
    arguments = ["-m", "jupyterlab", str(target)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # In a container there may be nobody else to be.
    return arguments
