"""What a learner may rely on: fresh copies show no answers, and work is never lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kvmlab import workbook

RUN_CELL = {
    "cell_type": "code",
    "execution_count": 1,
    "id": "answer",
    "metadata": {"tags": ["exercise"]},
    "outputs": [{"name": "stdout", "output_type": "stream", "text": ["the answer\n"]}],
    "source": ["print('the answer')"],
}
PROSE = {"cell_type": "markdown", "id": "question", "metadata": {}, "source": ["What will it print → 42?"]}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with one notebook that was run."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = {"cells": [PROSE, RUN_CELL], "metadata": {"kvmlab": {"kind": "core"}}}
    save(folder / "01.ipynb", {**notebook, "nbformat": 4, "nbformat_minor": 5})
    return folder


def load(path: Path) -> dict:
    return json.loads(path.read_text("utf-8"))


def save(path: Path, notebook: dict) -> None:
    path.write_text(json.dumps(notebook), "utf-8")


def test_a_copy_shows_no_answers(source: Path, tmp_path: Path) -> None:
    """No code cell of a copy has an output or an execution count."""
    workbook.open_lab(source, tmp_path / "mine", launch=False)
    prose, code = load(tmp_path / "mine" / "01.ipynb")["cells"]
    assert (code["outputs"], code["execution_count"]) == ([], None)


def test_a_copy_keeps_everything_else(source: Path, tmp_path: Path) -> None:
    """Prose, sources, ids, tags and the notebook's metadata are those of the original."""
    workbook.fill(source, tmp_path / "mine")
    expected = load(source / "01.ipynb")
    expected["cells"][1].update(outputs=[], execution_count=None)
    assert load(tmp_path / "mine" / "01.ipynb") == expected


def test_the_original_is_only_read(source: Path, tmp_path: Path) -> None:
    """Making copies leaves the originals' bytes as they are."""
    before = (source / "01.ipynb").read_bytes()
    workbook.fill(source, tmp_path / "mine")
    assert (source / "01.ipynb").read_bytes() == before


def test_work_is_never_overwritten(source: Path, tmp_path: Path) -> None:
    """An existing copy keeps its bytes, also when the original has changed since."""
    mine = tmp_path / "mine" / "01.ipynb"
    workbook.fill(source, mine.parent)
    mine.write_text("my own work", "utf-8")
    save(source / "01.ipynb", {**load(source / "01.ipynb"), "metadata": {}})
    workbook.fill(source, mine.parent)
    assert mine.read_text("utf-8") == "my own work"


def test_every_notebook_gets_one_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A learner reads, in the order of the notebooks, which copies are new and which were kept."""
    workbook.fill(source, tmp_path / "mine")
    save(source / "02.ipynb", load(source / "01.ipynb"))
    workbook.open_lab(source, tmp_path / "mine", launch=False)
    kept, made = capsys.readouterr().out.splitlines()
    assert kept.startswith(f"kept {tmp_path / 'mine' / '01.ipynb'}")
    assert made == f"made {tmp_path / 'mine' / '02.ipynb'}"


def test_a_folder_without_notebooks_is_an_error(tmp_path: Path) -> None:
    """Nothing to copy means a wrong path: it is named, and no empty workbook is left behind."""
    with pytest.raises(FileNotFoundError, match="no notebooks in"):
        workbook.fill(tmp_path, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_a_copy_is_trusted(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jupyter's own notary finds the signature of a fresh copy."""
    nbformat = pytest.importorskip("nbformat", reason="signing needs Jupyter")
    from nbformat.sign import NotebookNotary

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    workbook.fill(source, tmp_path / "mine")
    copy = nbformat.read(tmp_path / "mine" / "01.ipynb", as_version=4)
    assert NotebookNotary().check_signature(copy)


def test_opening_becomes_jupyterlab(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Launching replaces the process with this interpreter's JupyterLab, once the workbook is filled."""
    calls: list[list[str]] = []
    monkeypatch.setattr(workbook.os, "execv", lambda _program, arguments: calls.append(arguments))
    workbook.open_lab(source, tmp_path / "mine", launch=True)
    assert calls[0][1:4] == ["-m", "jupyterlab", str(tmp_path / "mine")]
    assert (tmp_path / "mine" / "01.ipynb").exists()
