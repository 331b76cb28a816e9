"""A learner's first forty minutes in a real browser: the door, the timeline, two questions, the needle."""

from __future__ import annotations

import re

import nbformat
from harness import Lab, Ran, expect, playwright

from kvmlab.labs.needle import attempt
from kvmlab.labs.question import Question
from kvmlab.labs.questions00 import DAY, OUTSIDE

NOTEBOOK = "00-what-does-a-vcpu-do-all-day.ipynb"

ROGUE = "<script>alert(1)</script>"
SCRATCH = f"""\
from kvmlab.show.widgets.timeline import Timeline
from kvmlab.traces import Reader
lines = [
    "{ROGUE}-7  [000] d..1.  100: kvm_entry: vcpu 0, rip 0x1000",
    "{ROGUE}-7  [000] d..1.  400: kvm_exit: vcpu 0 reason HLT rip 0x1001 info 0 0",
    "{ROGUE}-7  [000] d..1.  900: kvm_entry: vcpu 0, rip 0x1002",
]
Timeline(list(Reader(lines)), "ticks", "A trace of {ROGUE}")"""


def cell_with(lab: Lab, source: str) -> playwright.Locator:
    """Return the code cell that contains ``source``, brought into view."""
    cell = lab.page.locator(".jp-CodeCell").filter(has_text=source).first
    cell.scroll_into_view_if_needed()
    return cell


def press(cell: playwright.Locator, name: str) -> None:
    """Press a button of a cell by its name."""
    cell.get_by_role("button", name=name, exact=True).click()


def told(cell: playwright.Locator) -> str:
    """Return the sentence of a cell's first picture, as a screen reader says it."""
    return str(cell.locator("svg[role=img]").first.get_attribute("aria-label"))


def test_the_notebook_runs_and_its_timeline_moves(ran: Ran) -> None:
    """Run all; stepping, jumping and zooming change picture and sentence; nothing is asked of others."""
    lab = ran(NOTEBOOK)
    day = cell_with(lab, "day = nb00.day()")
    picture = day.locator("svg[role=img]").first
    seen = [told(day)]
    for name in ("Next event", "Zoom in", "Next such exit", "Previous event", "Zoom out"):
        press(day, name)
        expect(picture).not_to_have_attribute("aria-label", seen[-1])
        seen.append(told(day))
    assert len(set(seen)) == len(seen) and "Event" in seen[1]
    handle = day.locator(".noUi-handle").first
    handle.focus()
    handle.press("ArrowRight")
    expect(picture).not_to_have_attribute("aria-label", seen[-1])
    lab.screenshot("00-timeline", of=picture)
    assert lab.troubles() == []


def test_the_door_opens_line_by_line(ran: Ran) -> None:
    """Untouched after Run All; then a press a line: each says what it is, and the last one ends it."""
    lab = ran(NOTEBOOK)
    door = cell_with(lab, "door = nb00.door()")
    picture = door.locator("svg[role=img]").first
    for n in (1, 2, 3, 4):
        press(door, "Next line")
        expect(picture).to_have_attribute("aria-label", starting(f"Line {n}"))
    expect(door.get_by_role("button", name="Next line", exact=True)).to_be_disabled()
    lab.screenshot("00-door", of=picture)
    assert lab.troubles() == []


def starting(words: str) -> re.Pattern[str]:
    """Return a pattern for what begins with ``words``."""
    return re.compile("^" + re.escape(words))


def ask(lab: Lab, question: Question, n: int) -> None:
    """Choose ``n``, press Show me, and look for the feedback of that choice, and the fact."""
    cell = cell_with(lab, f'nb00.predict("{question.id}")')
    radios = cell.locator("input[type=radio]")
    expect(radios).to_have_count(len(question.choices))
    radios.nth(n - 1).check()
    press(cell, "Show me")
    said = cell.locator("[role=status]").first
    expect(said).to_contain_text(question.choice(n).feedback)
    expect(said).to_contain_text(question.fact)
    expect(cell.locator("svg[role=img]").first).to_be_visible()


def test_two_questions_answer_right_and_other_guesses(ran: Ran) -> None:
    """Nothing is chosen after Run All; each guess hears its own feedback, and sees what answers it."""
    lab = ran(NOTEBOOK)
    assert lab.page.locator("input[type=radio]:checked").count() == 0
    for question in (DAY, OUTSIDE):
        for n, choice in enumerate(question.choices, 1):
            ask(lab, question, n)
            assert choice.feedback and "wrong" not in choice.feedback.lower()
    lab.screenshot("00-question", of=cell_with(lab, 'nb00.predict("00.3")'))
    assert lab.troubles() == []


def test_the_needle_is_missed_mended_and_threaded(ran: Ran) -> None:
    """A wrong letter, a miss and the needle: each gets its sentence; the miss opens in a stepper."""
    lab = ran(NOTEBOOK)
    bench = cell_with(lab, "needle = nb00.needle()")
    line, said = bench.locator("input[type=text]").first, bench.locator("[role=status]").first
    for text, words in (
        ("vvz", "no actor z"),
        ("vvv aaa h", attempt("vvv aaa h").sentence),
        ("vvvvvv aaa", attempt("vvvvvv aaa").sentence),
    ):
        line.fill(text)
        line.press("Enter")
        press(bench, "Check")
        expect(said).to_contain_text(words)
        expect(bench.get_by_role("button", name="Step", exact=True)).to_have_count(int(text == "vvv aaa h"))
    assert lab.troubles() == []


def test_a_comm_that_looks_like_markup_is_text(lab: Lab) -> None:
    """A trace written by somebody called <script>: shown as it is, in picture, title and line; never run."""
    note = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SCRATCH)])
    note.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(note, lab.server.root / "rogue.ipynb")
    dialogs: list[str] = []
    lab.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    lab.open_notebook("rogue.ipynb")
    lab.run_all()
    output = lab.page.locator(".jp-OutputArea").first
    press(output, "Next event")
    expect(output.locator("[role=status]")).to_contain_text(f"{ROGUE}-7")
    expect(output.locator("svg[role=img]")).to_contain_text(f"A trace of {ROGUE}")
    expect(output.locator("svg[role=img]")).to_contain_text("<script>")
    assert output.locator("script").count() == 0 and dialogs == []
    lab.screenshot("00-rogue", of=output)
    assert lab.troubles() == []
