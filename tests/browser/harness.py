"""A learner's screen for tests: JupyterLab on a copy of the notebooks, in a headless Chromium.

A test gets it as the fixture `lab`:

    def test_a_click_is_seen(lab):
        lab.open_notebook("01.ipynb")
        lab.run_all()
        lab.button("Step").click()
        expect(lab.page.locator("svg")).to_contain_text("ON 0→1")
        assert lab.troubles() == []

A test that presses only in cells which no other test of its file uses takes the fixture `ran`:
`ran("01.ipynb")` is a page on which that notebook has been run, once for all of them.

Importing this module skips the tests that do so if playwright is not installed.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lab_server import TOKEN, Server

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no playwright: pip install -e '.[test]'", exc_type=ImportError
)
expect = playwright.expect

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox",  # root cannot have one, and no page but ours is opened
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers give /dev/shm 64 MB
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
)

LONGEST_WAIT_MS = 60_000
expect.set_options(timeout=LONGEST_WAIT_MS)  # A busy machine is slow, and that is no fault.

# The toolbar says "idle" before a kernel exists, and running then opens a dialog: wait for the session.
SESSION_READY = """async () => {
    const soon = () => new Promise(resolve => setTimeout(resolve, 50));
    while (!window.jupyterapp?.shell?.currentWidget?.sessionContext) await soon();
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
}"""
SESSION_END = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.shutdown()"
COMMAND = "name => window.jupyterapp.commands.execute(name)"  # resolves when the command is done
NUMBERED = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
    .every(prompt => /\\[\\d+\\]:/.test(prompt.textContent))"""
ERROR_OUTPUTS = ", ".join(
    f".jp-OutputArea [data-mime-type='application/vnd.jupyter.{kind}']" for kind in ("error", "stderr")
)


def chromium() -> str:
    """Return the path of a Chromium, or skip the test and say how to get one."""
    for name in CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium; on Debian: apt-get update && apt-get install -y chromium")


class Lab:
    """One page on one server, and what a test wants to do and ask there."""

    def __init__(self, server: Server, page: playwright.Page) -> None:
        self.server = server
        self.page = page
        self.errors: list[str] = []
        self.requests_abroad: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda socket: self._note(socket.url))

    def open_notebook(self, name: str) -> None:
        """Show a notebook alone, without side bars, and wait for its kernel."""
        self.page.goto(f"{self.server.url}/doc/tree/{name}?token={TOKEN}")
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        self.page.evaluate(SESSION_READY)

    def run_all(self) -> None:
        """Run every cell and wait for the last; fail with the traceback of a cell that stops the run."""
        # Saved outputs and saved prompts must not pass for new ones.
        self.page.evaluate(COMMAND, "notebook:clear-all-cell-outputs")
        self.page.evaluate(COMMAND, "notebook:run-all-cells")
        self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        self.page.wait_for_function(f"() => ({NUMBERED})() || document.querySelector(`{ERROR_OUTPUTS}`)")
        assert self.page.evaluate(NUMBERED), "\n".join(["not every cell ran", *self.error_outputs()])

    def button(self, name: str) -> playwright.Locator:
        """Return the button in the notebook that a screen reader would announce by exactly this name."""
        return self.page.locator(".jp-Notebook").get_by_role("button", name=name, exact=True)

    def screenshot(self, name: str, of: playwright.Locator | None = None) -> Path:
        """Save what is on the screen, or one part of it, to look at later; return the picture's path."""
        path = SCREENSHOTS / f"{name}.png"
        (of or self.page).screenshot(path=path)
        return path

    def error_outputs(self) -> list[str]:
        """Return what cells print as errors: tracebacks and stderr."""
        return self.page.locator(ERROR_OUTPUTS).all_inner_texts()

    def troubles(self) -> list[str]:
        """Return what should not have happened: errors in page and cells, requests to other machines."""
        abroad = [f"request to {url}" for url in self.requests_abroad]
        return [*self.errors, *self.error_outputs(), *abroad]

    def close(self) -> None:
        """End the notebook's kernel, so that the next test of the same notebook starts afresh."""
        self.page.evaluate(SESSION_END)
        self.page.context.close()

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.requests_abroad.append(url)


@contextlib.contextmanager
def browser() -> Iterator[playwright.Browser]:
    """Run the system's Chromium, without a window."""
    path = chromium()
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, headless=True, args=list(CHROMIUM_FLAGS))
        yield running
        running.close()


def open_page(running: playwright.Browser) -> playwright.Page:
    """Return a page the size of a laptop's screen, with nothing remembered from before."""
    context = running.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    context.set_default_timeout(LONGEST_WAIT_MS)
    return context.new_page()


Ran = Callable[[str], Lab]
"""A notebook's name -> the page on which it has been run."""


@contextlib.contextmanager
def runs(server: Server, running: playwright.Browser) -> Iterator[Ran]:
    """Give pages of notebooks that have been run from top to bottom: one page and one run for each."""
    with contextlib.ExitStack() as pages:

        @functools.cache
        def ran(name: str) -> Lab:
            lab = Lab(server, open_page(running))
            pages.callback(lab.close)
            lab.open_notebook(name)
            lab.run_all()
            return lab

        yield ran
