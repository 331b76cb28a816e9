"""The learner's guesses, one line of JSON each, in a file of their own.

The file is only ever appended to. So a torn or foreign line costs nothing but itself, and two
notebooks may write at the same time. A file that cannot be written is no reason to stop a lesson.
"""

import json
import os
from pathlib import Path
from typing import Any

VARIABLE = "KVMLAB_PROGRESS"
"""The environment variable that names another file."""


def path() -> Path:
    """Return the progress file: ``$KVMLAB_PROGRESS``, else ``~/.kvmlab/progress.jsonl``."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path.home() / ".kvmlab" / "progress.jsonl"


def record(question: str, choice: int, right: bool) -> bool:
    """Append a guess; return whether it could be written. Never raises for the file's sake."""
    line = json.dumps({"question": question, "choice": choice, "right": right})
    try:
        _append(path(), line)
    except (OSError, RuntimeError):  # Path.home() knows no home: RuntimeError.
        return False
    return True


def _append(file: Path, line: str) -> None:
    """Write ``line`` as a line of its own, whatever the file ends with."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as out:
        size = out.seek(0, os.SEEK_END)
        out.seek(max(size - 1, 0))
        torn = size and out.read(1) != b"\n"
        out.write((b"\n" if torn else b"") + line.encode() + b"\n")


def guesses() -> list[dict[str, Any]]:
    """Return the guesses that can be read, oldest first; lines that are none are passed over."""
    try:
        lines = path().read_text("utf-8", errors="replace").splitlines()
    except (OSError, RuntimeError):
        return []
    return [guess for guess in map(_guess, lines) if guess]


def _guess(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "question" in value else None
