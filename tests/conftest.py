"""What all tests share: hypothesis draws the same examples everywhere, and no learner's file is touched."""

import os
import tempfile
from pathlib import Path

from hypothesis import settings

settings.register_profile("kvmlab", deadline=None, derandomize=True)
settings.load_profile("kvmlab")

os.environ["KVMLAB_PROGRESS"] = str(Path(tempfile.mkdtemp(prefix="kvmlab-")) / "progress.json")
