"""No test, and no notebook under test, writes into a learner's progress file."""

import os
import tempfile
from pathlib import Path

os.environ["KVMLAB_PROGRESS"] = str(Path(tempfile.mkdtemp(prefix="kvmlab-")) / "progress.json")
