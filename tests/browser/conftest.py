"""The fixtures of the browser tests; `harness` says what one can do with them.

`harness` is imported late: it skips where playwright is missing, and a conftest cannot be skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness import Lab, Ran
    from lab_server import Server
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One JupyterLab for all browser tests; starting it takes seconds."""
    import harness
    from lab_server import jupyterlab

    harness.chromium()  # Skip before those seconds, not after.
    with jupyterlab(tmp_path_factory.mktemp("jupyterlab")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file, and no longer: its event loop is in the way of other tests."""
    import harness

    with harness.browser() as running:
        yield running


@pytest.fixture
def lab(server: Server, browser: Browser) -> Iterator[Lab]:
    """A fresh page on the server."""
    import harness

    opened = harness.Lab(server, harness.open_page(browser))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def ran(server: Server, browser: Browser) -> Iterator[Ran]:
    """Notebooks that have been run, each once for the tests of a file; they use different cells of it."""
    import harness

    with harness.runs(server, browser) as running:
        yield running
