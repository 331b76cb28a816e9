"""What saves the notebooks saves nothing of the machine, and the same every time."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("nbclient", reason="running notebooks needs Jupyter")
pytest.importorskip("ipywidgets", reason="running notebooks needs Jupyter")

import nbformat
from nbformat import v4

TOOL = Path(__file__).parents[1] / "tools" / "refresh.py"
CELLS = {
    "streams": "print('one', flush=True); print('two')",
    "widget": "import ipywidgets\nipywidgets.Button(description='Step')",
    "picture": "from IPython.display import Image\nImage(b'\\x89PNG')",
    "accident": "1 / 0",
}


@pytest.fixture(scope="module")
def refresh() -> ModuleType:
    """The tool as a module; it is a script and in no package."""
    spec = importlib.util.spec_from_file_location("refresh", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def saved(refresh: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What becomes of a notebook that nobody has run, with widget state left by an editor."""
    cells = [v4.new_code_cell(source, id=name) for name, source in CELLS.items()]
    cells[-1].metadata.tags = ["raises-exception"]
    path = tmp_path_factory.mktemp("refresh") / "one.ipynb"
    metadata = {"widgets": {"state": {}}, "kvmlab": {"kind": "core"}}
    nbformat.write(v4.new_notebook(cells=cells, metadata=metadata), path)
    assert refresh.main([str(path)]) == 0
    return path.read_bytes()


@pytest.fixture
def notebook(saved: bytes, tmp_path: Path) -> Path:
    """A copy of it, to write to."""
    path = tmp_path / "one.ipynb"
    path.write_bytes(saved)
    return path


def outputs(path: Path) -> dict[str, Any]:
    return {cell.id: cell.outputs for cell in nbformat.read(path, as_version=4).cells}


def test_a_second_run_saves_the_same_bytes(refresh: ModuleType, notebook: Path) -> None:
    """Saving twice is saving once, and then the check passes and writes nothing."""
    first = notebook.read_bytes()
    assert refresh.main([str(notebook)]) == 0
    assert refresh.main(["--check", str(notebook)]) == 0
    assert notebook.read_bytes() == first


def test_only_the_notebooks_own_words_are_saved(notebook: Path) -> None:
    """Streams are whole, widgets are their text, tracebacks one line, and metadata names no version."""
    saved = outputs(notebook)
    assert [output.text for output in saved["streams"]] == ["one\ntwo\n"]
    assert [set(output.data) for output in saved["widget"]] == [{"text/plain"}]
    assert saved["accident"][0].traceback == ["ZeroDivisionError: division by zero"]
    metadata = nbformat.read(notebook, as_version=4).metadata
    assert set(metadata) == {"kernelspec", "kvmlab", "language_info"}
    assert metadata.language_info == {"name": "python"}


def test_the_check_sees_words_and_not_pixels(refresh: ModuleType, notebook: Path) -> None:
    """A picture that another matplotlib drew is current; a printed word that no run prints is not."""
    saved = nbformat.read(notebook, as_version=4)
    saved.cells[2].outputs[0].data["image/png"] = "b3RoZXI="
    nbformat.write(saved, notebook)
    assert refresh.main(["--check", str(notebook)]) == 0
    saved.cells[0].outputs[0].text = "one\nthree\n"
    nbformat.write(saved, notebook)
    before = notebook.read_bytes()
    assert refresh.main(["--check", str(notebook)]) == 1
    assert notebook.read_bytes() == before
