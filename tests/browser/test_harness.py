"""The harness itself: what it reports is what happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import Lab, expect

LAMP = """\
import ipywidgets as widgets
lamp = widgets.HTML('<svg role="img"><text y="20">off</text></svg>')
switch = widgets.Button(description='Switch')
switch.on_click(lambda _: setattr(lamp, 'value', lamp.value.replace('off', 'on')))
widgets.VBox([lamp, switch])"""

PHONE_HOME = """\
from IPython.display import HTML
HTML('<img alt="" src="http://kvmlab.invalid/pixel.png">')"""


def save(path: Path, *sources: str) -> None:
    """Write a notebook of code cells that look as if they had been run."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": number,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": "saved before"}],
            "source": source,
        }
        for number, source in enumerate(sources, start=1)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), "utf-8")


def test_a_click_is_seen(lab: Lab) -> None:
    """A press on a button reaches Python, and the picture it changes reaches the screen."""
    save(lab.server.root / "lamp.ipynb", LAMP)
    lab.open_notebook("lamp.ipynb")
    lab.run_all()
    picture = lab.page.locator(".jp-OutputArea svg[role=img]")
    expect(picture).to_have_text("off")
    lab.button("Switch").click()
    expect(picture).to_have_text("on")
    assert lab.screenshot("harness").stat().st_size > 0
    assert lab.troubles() == []


def test_saved_outputs_do_not_count(lab: Lab) -> None:
    """After a run the screen shows what the run printed, and a failing cell fails the run by name."""
    save(lab.server.root / "fails.ipynb", "print('printed now')", "lost", "3")
    lab.open_notebook("fails.ipynb")
    with pytest.raises(AssertionError, match="name 'lost' is not defined"):
        lab.run_all()
    expect(lab.page.locator(".jp-Notebook")).to_contain_text("printed now")
    expect(lab.page.locator(".jp-Notebook")).not_to_contain_text("saved before")


def test_a_request_abroad_is_noticed(lab: Lab) -> None:
    """What a page asks of another machine is on record, also when nobody answers."""
    save(lab.server.root / "phone.ipynb", PHONE_HOME)
    lab.open_notebook("phone.ipynb")
    with lab.page.expect_request("**/pixel.png"):
        lab.run_all()
    assert set(lab.requests_abroad) == {"http://kvmlab.invalid/pixel.png"}  # A browser may try twice.
