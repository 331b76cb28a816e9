"""JupyterLab for tests: on a copy of the notebooks, on a free port, with nothing of the user's in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
TOKEN = "kvmlab-tests"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 10

SETTINGS = {
    # Otherwise cells that are off the screen are not in the page at all.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none", "recordTiming": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # A kernel with subshells serves two controls in two threads: a press may overtake the text typed before
    # it. A learner's hand is slower than that, a test's is not.
    "@jupyterlab/apputils-extension/kernels-settings": {"commsOverSubshells": "disabled"},
}


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: where it listens, and the folder it shows."""

    url: str
    root: Path


@contextlib.contextmanager
def jupyterlab(scratch: Path) -> Iterator[Server]:
    """Run JupyterLab on a copy of the notebooks, with nothing of the user's configuration, on a free port."""
    root = scratch / "notebooks"
    shutil.copytree(NOTEBOOKS, root)
    for plugin, settings in SETTINGS.items():
        file = scratch / "settings" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    with open(scratch / "log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *server_options(root)],
            env={**os.environ, **isolated(scratch)},
            stdout=log,
            stderr=log,
            start_new_session=True,  # Its kernels end with it.
        )
    try:
        yield Server(wait_for_url(process, scratch), root)
    finally:
        stop(process)


def server_options(root: Path) -> list[str]:
    """Return JupyterLab's options: local, quiet, and open to scripts in the page."""
    return [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        "--port=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={root}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None",
    ]


def isolated(scratch: Path) -> dict[str, str]:
    """Return the environment that keeps Jupyter and the lessons out of the user's folders."""
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "KVMLAB_PROGRESS": "progress.jsonl",
    }
    return {name: str(scratch / folder) for name, folder in folders.items()}


def wait_for_url(process: subprocess.Popen[bytes], scratch: Path) -> str:
    """Return the server's address once it answers; it writes down which port it was given."""
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        for file in (scratch / "runtime").glob("jpserver-*.json"):
            with contextlib.suppress(OSError, ValueError):  # The file may be half written, the port closed.
                url = f"http://127.0.0.1:{json.loads(file.read_text())['port']}"
                urllib.request.urlopen(f"{url}/api/status?token={TOKEN}", timeout=2).close()
                return url
        time.sleep(0.05)
    raise RuntimeError("JupyterLab did not start:\n" + (scratch / "log").read_text()[-3000:])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and its kernels, politely first."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
