"""Every notebook keeps the house rules, and every rule notices when it is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook_rules import RULES, complaints

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_house_rules(path: Path) -> None:
    """No rule has a complaint about a notebook of the course."""
    assert complaints(json.loads(path.read_text("utf-8"))) == []


def prose(number: int = 0, text: str = "word " * 80) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": f"prose-{number}", "metadata": {}, "source": text}


def code(number: int, text: str = "1 + 1", tag: str = "", outputs: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": number,
        "id": f"code-{number}",
        "metadata": {"tags": [tag] if tag else []},
        "outputs": list(outputs),
        "source": text,
    }


def lesson(*cells: dict[str, Any], fill: int = 12, **changes: Any) -> dict[str, Any]:
    """Return a core notebook: `fill` pairs of prose and code, then `cells`; `changes` are metadata."""
    body = [cell for number in range(1, fill + 1) for cell in (prose(number), code(number))]
    about = {"kind": "core", "question": "Why?", "minutes": 40, "leaves_behind": "a doubt"}
    metadata = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}, "kvmlab": about}
    return {"cells": [*body, *cells], "metadata": {**metadata, **changes}, "nbformat": 4, "nbformat_minor": 5}


def last(text: str = "1 + 1", **how: Any) -> dict[str, Any]:
    """Return a lesson whose thirteenth code cell is as described."""
    return lesson(prose(), code(13, text, **how))


STREAM = {"output_type": "stream", "name": "stdout", "text": ["<Line at 0x7f00>\n"]}
ERROR = {"output_type": "error", "ename": "LostInterrupt", "evalue": "0x31", "traceback": []}

BROKEN = {
    "an old format": ({**lesson(), "nbformat_minor": 4}, "nbformat 4.5"),
    "one id twice": (lesson(prose(1)), "without an id of their own"),
    "another kernel": (lesson(kernelspec={"name": "mine"}), "kernel python3"),
    "a version": (lesson(language_info={"name": "python", "version": "3.11"}), "language_info"),
    "widget state": (lesson(widgets={}), "state of widgets"),
    "times": (lesson(prose(), code(13) | {"metadata": {"execution": {}}}), "times in its metadata"),
    "no question": (lesson(kvmlab={"kind": "star", "minutes": 1, "leaves_behind": "x"}), "kvmlab.question"),
    "no such kind": (lesson(kvmlab={"kind": "app"}), "neither of"),
    "a cell nobody ran": (lesson(prose(), code(13) | {"execution_count": None}), "top to bottom"),
    "cells run out of order": (lesson(prose(), code(14)), "top to bottom"),
    "an output not compared": (last(tag="nbval-ignore-output"), "tagged nbval-ignore-output"),
    "stderr": (last(outputs=({**STREAM, "name": "stderr"},)), "prints to stderr"),
    "an accident": (last(outputs=(ERROR,)), "fails with LostInterrupt"),
    "an address": (last(outputs=(STREAM,)), "address in memory"),
    "a magic": (last("%matplotlib inline"), "not plain Python"),
    "a closing semicolon": (last("x = 1;  # quiet"), "ends in `;`"),
    "a helper function": (last("def helper(): ..."), "is no exercise"),
    "a lambda": (last("key = lambda step: step"), "is no exercise"),
    "a foreign import": (last("from random import choice"), "imports random"),
    "a foreign import that starts alike": (last("import kvmlabels"), "imports kvmlabels"),
    "a captured output": (last("with widgets.Output(): pass"), "uses Output"),
    "interact": (last("interact(print)"), "uses interact"),
    "a link": (last("from kvmlab import jslink"), "uses jslink"),
    "a long cell": (last("x = 1\n" * 16), "16 lines"),
    "too few cells": (lesson(fill=11), "11 code cells (wanted 12 to 25)"),
    "too many cells": (lesson(fill=26), "26 code cells"),
    "too little prose": (lesson(fill=12) | {"cells": [code(n) for n in range(1, 13)]}, "0 words"),
    "too much prose": (lesson(prose(0, "word " * 900)), "1860 words"),
    "code without prose": (lesson(code(13)), "12 cells of prose for 13"),
    "a high median": (lesson() | {"cells": [code(n, "x\n" * 4) for n in range(1, 13)]}, "median of 4"),
    "a high 90th percentile": (lesson(code(13, "x\n" * 9), code(14, "x\n" * 9)), "9 lines in its 90th"),
}


@pytest.mark.parametrize("notebook, complaint", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rule_is_noticed(notebook: dict[str, Any], complaint: str) -> None:
    """A notebook with one fault gets a complaint that names it."""
    assert complaint in "\n".join(complaints(notebook))


@pytest.mark.parametrize(
    "notebook",
    [
        lesson(),
        last("def rule(methods): ...", tag="exercise"),
        last("run()", tag="raises-exception", outputs=(ERROR,)),
        last("import matplotlib.pyplot as plt\nfrom kvmlab.show import timeline"),
        last("print('Output: clear_output(;')"),
        lesson(fill=3, kvmlab={"kind": "star", "question": "?", "minutes": 20, "leaves_behind": "x"}),
    ],
    ids=["plain", "exercise", "wanted error", "imports", "words in a string", "star"],
)
def test_a_good_notebook_is_left_in_peace(notebook: dict[str, Any]) -> None:
    """What the rules allow gets no complaint."""
    assert complaints(notebook) == []


def test_no_rule_is_idle() -> None:
    """Each rule is the one that notices some fault above."""
    faulty = [notebook for notebook, _ in BROKEN.values()]
    assert [rule.__name__ for rule in RULES if not any(any(rule(notebook)) for notebook in faulty)] == []
