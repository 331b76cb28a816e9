"""From a key press to the changed picture, in a real JupyterLab: medians in milliseconds."""

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

# The clock starts with the key (or click) and stops when the picture's sentence changes.
ARM = """picture => {
    window.changed = new Promise(done => {
        const end = () => { watch.disconnect(); done(performance.now()); };
        const watch = new MutationObserver(end);
        watch.observe(picture, {subtree: true, childList: true, attributes: true, characterData: true});
    });
    const start = () => { window.started = performance.now(); };
    const once = {capture: true, once: true};
    for (const what of ['keydown', 'click']) window.addEventListener(what, start, once);
}"""
READ = "async () => (await window.changed) - window.started"


def measured(page: Any, picture: Any, act: Any, rounds: int = 20) -> float:
    """Return the median time from ``act`` to the change of ``picture``, in milliseconds."""
    times = []
    for _ in range(rounds):
        picture.evaluate(ARM)
        act()
        times.append(float(page.evaluate(READ)))
        page.wait_for_timeout(120)
    return statistics.median(times)


def medians() -> dict[str, float]:
    """Return the medians by what was done; needs JupyterLab, playwright and Chromium."""
    import harness
    import lab_server

    scratch = tempfile.TemporaryDirectory(prefix="kvmlab-bench-")
    with scratch as folder, lab_server.jupyterlab(Path(folder)) as server, harness.browser() as running:
        lab = harness.Lab(server, harness.open_page(running))
        lab.open_notebook("01-enter-just-to-leave.ipynb")
        lab.run_all()
        return {"slider to picture": _slider(lab), "Step to picture": _step(lab)}


def _slider(lab: Any) -> float:
    cell = lab.page.locator(".jp-CodeCell").filter(has_text='story = nb01.threshold("No tripwire")').first
    handle = cell.get_by_role("slider").first
    handle.focus()
    keys = iter(["ArrowLeft", "ArrowRight"] * 100)
    return measured(lab.page, cell.locator(".widget-html").first, lambda: handle.press(next(keys)))


def _step(lab: Any) -> float:
    cell = lab.page.locator(".jp-CodeCell").filter(has_text="fixed = nb01.stepper").first
    cell.get_by_role("button", name="Reset", exact=True).click()
    step = cell.get_by_role("button", name="Step", exact=True)
    picture = cell.locator(".widget-html").filter(has=lab.page.locator("svg")).first
    return measured(lab.page, picture, step.click)


if __name__ == "__main__":
    for what, ms in medians().items():
        print(f"{what}: {ms:.0f} ms")
