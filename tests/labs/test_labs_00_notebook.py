"""Notebook 00 as a text: at most ten new words, each met before it is named and used again soon."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "notebooks" / "00-what-does-a-vcpu-do-all-day.ipynb"
CELLS: list[dict[str, Any]] = json.loads(PATH.read_text("utf-8"))["cells"]

MET = {
    "entry": "kvm_entry",
    "exit": "kvm_exit",
    "non-root mode": "the guest's code runs",
    "VMCS": "the form",
    "IRR": "IRR",
    "ISR": "ISR",
    "EOI": "IRR",
    "requests": "vcpu->requests",
    "mode": "vcpu->mode",
    "kick": "kicks",
}
"""Each new word, and by what it is met in a picture or a trace line before."""

NO_WORDS = ("You will be able to", "You need", "Time:", "Next line", "Step", "Back", "host's", "guest's")
SENTENCES = ("an IPI sent with IF=0 waits at the door.", "Check for understanding.", "Sources.")


def prose(n: int) -> str:
    """Return the text of cell ``n`` if it is prose."""
    return "".join(CELLS[n]["source"]) if CELLS[n]["cell_type"] == "markdown" else ""


def shown(n: int) -> str:
    """Return what cell ``n`` shows: the twins of its pictures and what it prints."""
    outputs = CELLS[n].get("outputs", [])
    return "".join("".join(o.get("text") or o.get("data", {}).get("text/plain", "")) for o in outputs)


def named(word: str) -> int:
    """Return the cell that names a word."""
    return next(n for n in range(len(CELLS)) if f"**{word}**" in prose(n))


def test_there_are_ten_new_words_and_no_more() -> None:
    """What is bold in the prose is a new word, a button, a heading or the sentence to keep."""
    bold = {word for n in range(len(CELLS)) for word in re.findall(r"\*\*(.+?)\*\*", prose(n))}
    assert bold == {*MET, *NO_WORDS, *SENTENCES} and len(MET) <= 10


@pytest.mark.parametrize("word", MET)
def test_a_word_is_met_before_it_is_named(word: str) -> None:
    """Something above has shown it."""
    before = [shown(n) for n in range(named(word))]
    assert any(MET[word] in text for text in before)


@pytest.mark.parametrize("word", MET)
def test_a_word_is_used_again(word: str) -> None:
    """In a later cell, before the key points, or further down in its own."""
    at = named(word)
    own = prose(at).split(f"**{word}**", 1)[1]
    later = " ".join([own, *(prose(n) for n in range(at + 1, len(CELLS) - 1))])
    assert re.search(rf"\b{re.escape(word.rstrip('s'))}", later)


def test_the_questions_come_before_their_answers() -> None:
    """Each predict box stands above the cell that shows what it asks."""
    ids = [cell["id"] for cell in CELLS]
    pairs = (("predict-1", "day-timeline"), ("predict-2", "life-twice"), ("predict-3", "loop-explore"))
    assert all(ids.index(asked) < ids.index(seen) for asked, seen in pairs)
    table = next(n for n, cell in enumerate(CELLS) if cell["id"] == "predict-1")
    assert not any("98.56" in shown(n) or "asleep" in shown(n) for n in range(table))


@pytest.mark.parametrize("words", ["ple_window", "PAUSE", "EPT violation", "page fault", "tick", "marks"])
def test_what_the_comparison_leaves_out_is_named(words: str) -> None:
    """On the page, beside the comparison."""
    assert words in prose([cell["id"] for cell in CELLS].index("real-left-out"))
