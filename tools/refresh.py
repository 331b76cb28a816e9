#!/usr/bin/env python3
"""Run every notebook from top to bottom and save what it prints; twice in a row gives the same bytes.

    python tools/refresh.py [--check] [NOTEBOOK.ipynb ...]

Strict nbval compares each saved output with a new run, so a saved output must be the notebook's own and
nothing of the machine's: no widget ids, no times, no versions, no paths in tracebacks.

With --check nothing is written, and the exit status says whether every notebook is saved as a run would save
it. Pictures (PNG) are not compared then: their bytes depend on matplotlib's version.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SECONDS_PER_CELL = 60
"""nbclient can wait for ever on a lost reply, so there is always a limit."""

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PNG = "image/png"


def main(arguments: list[str] | None = None) -> int:
    """Refresh or check the notebooks named, or all; return the exit status."""
    parser = argparse.ArgumentParser(description="Run the notebooks and save what they print.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if one is not current")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all in notebooks/")
    options = parser.parse_args(arguments)
    paths = options.notebooks or sorted(NOTEBOOKS.glob("*.ipynb"))
    if options.check:
        stale = [path for path in paths if not is_current(path)]
        return 1 if stale else 0
    for path in paths:
        save(path)
    return 0


def is_current(path: Path) -> bool:
    """Run a notebook and say whether it is saved as that run would save it, pictures aside."""
    saved = nbformat.read(path, as_version=4)
    current: bool = without_png(run(saved, path)) == without_png(saved)
    print(f"{path.name}: {'current' if current else 'not current, run `make refresh`'}")
    return current


def save(path: Path) -> None:
    """Run a notebook and save it, saying whether that changed the file."""
    before = path.read_bytes()
    fresh = run(nbformat.read(path, as_version=4), path)
    path.write_text(nbformat.writes(fresh).rstrip("\n") + "\n", "utf-8", newline="\n")
    print(f"{path.name}: {'unchanged' if path.read_bytes() == before else 'saved'}")


def run(saved: Any, path: Path) -> Any:
    """Return the notebook with every cell run in a fresh kernel, its outputs made reproducible."""
    fresh = copy.deepcopy(saved)
    fresh.metadata = {**kept_metadata(saved), "kernelspec": KERNEL, "language_info": {"name": "python"}}
    client = NotebookClient(
        fresh,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.resolve().parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # It warns of local TCP, for every notebook.
        coalesce_streams=True,  # Else the number of chunks would depend on how fast they came.
        record_timing=False,
        store_widget_state=False,
    )
    with tempfile.TemporaryDirectory() as profile:  # What somebody's own IPython does at start is not ours.
        own = {"IPYTHONDIR": profile, "KVMLAB_PROGRESS": f"{profile}/progress.jsonl"}
        client.execute(env={**os.environ, **own})
    fresh.metadata["language_info"] = {"name": "python"}  # nbclient has put the versions in.
    for cell in fresh.cells:
        for output in cell.get("outputs", []):
            make_reproducible(output)
    return nbformat.from_dict(fresh)


def kept_metadata(notebook: Any) -> dict[str, Any]:
    """Return what the notebook says about itself, without the state of widgets that no longer live."""
    return {key: value for key, value in notebook.metadata.items() if key != "widgets"}


def make_reproducible(output: Any) -> None:
    """Drop from an output what another run or another machine would print differently."""
    if output.output_type == "error":
        output.traceback = [f"{output.ename}: {output.evalue}"]
    output.get("data", {}).pop(WIDGET_VIEW, None)  # The widget's text twin, text/plain, stays.


def without_png(notebook: Any) -> Any:
    """Return a copy of the notebook in which pictures are not compared."""
    bare = copy.deepcopy(notebook)
    for cell in bare.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(PNG, None)
    return bare


if __name__ == "__main__":
    sys.exit(main())
