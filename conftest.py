"""No test, and no notebook under test, writes into a learner's progress file."""

import gc
import os
import tempfile
from pathlib import Path

PROGRESS = tempfile.TemporaryDirectory(prefix="kvmlab-")
os.environ["KVMLAB_PROGRESS"] = str(Path(PROGRESS.name) / "progress.json")


def pytest_unconfigure() -> None:
    """Leave nothing behind, and end at once."""
    PROGRESS.cleanup()
    gc.freeze()  # Else pytest looks through millions of objects for cycles, five times.
