"""The progress file: appended to, never lost, never in the way."""

from pathlib import Path

import pytest

from kvmlab.labs import progress


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A progress file in a folder that does not exist yet."""
    named = tmp_path / "deep" / "progress.jsonl"
    monkeypatch.setenv(progress.VARIABLE, str(named))
    return named


def test_guesses_come_back_in_order(file: Path) -> None:
    """What was recorded is what is read, oldest first."""
    assert progress.record("01.1", 2, True) and progress.record("01.2", 1, False)
    assert progress.guesses() == [
        {"question": "01.1", "choice": 2, "right": True},
        {"question": "01.2", "choice": 1, "right": False},
    ]


@pytest.mark.parametrize("broken", [b'{"question": "01', b"\xff\xfe not text\n", b"[1, 2]\n", b"\n\n"])
def test_a_broken_line_costs_only_itself(file: Path, broken: bytes) -> None:
    """Whatever stands in the file is kept, and the guesses around it are still read."""
    progress.record("01.1", 1, False)
    with file.open("ab") as out:
        out.write(broken)
    progress.record("01.1", 2, True)
    assert [guess["choice"] for guess in progress.guesses()] == [1, 2]
    assert broken in file.read_bytes()


def test_a_file_that_cannot_be_written_stops_nothing(file: Path) -> None:
    """A folder in the place of the file: the guess is not kept, and nobody is told by an exception."""
    file.mkdir(parents=True)
    assert not progress.record("01.1", 1, False)
    assert progress.guesses() == []


def test_nobody_at_home_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a variable and without a home directory there is no file, and no exception."""
    monkeypatch.delenv(progress.VARIABLE)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert not progress.record("01.1", 1, False)
    assert progress.guesses() == []


def test_the_default_is_in_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable the file is the learner's own."""
    monkeypatch.delenv(progress.VARIABLE)
    assert progress.path() == Path.home() / ".kvmlab" / "progress.jsonl"
