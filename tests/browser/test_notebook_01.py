"""A learner's first lesson in a real browser: notebook 01, its stepper, its questions, its grid."""

import re

from harness import Lab, Ran, expect, playwright

from kvmlab.labs.questions01 import FAKED

NOTEBOOK = "01-enter-just-to-leave.ipynb"

ASK_KERNEL = """async code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({code, store_history: false});
    let text = '';
    future.onIOPub = message => { if (message.header.msg_type === 'stream') text += message.content.text; };
    await future.done;
    return text;
}"""


def asked(lab: Lab, expression: str) -> str:
    """Return what the notebook's kernel prints for an expression."""
    return str(lab.page.evaluate(ASK_KERNEL, f"print({expression})")).rstrip("\n")


def test_the_first_lesson_runs_and_its_stepper_obeys(ran: Ran) -> None:
    """Run all; Step, Back, another kernel, an actor's button: picture and twin change, and agree."""
    lab = ran(NOTEBOOK)
    cell = lab.page.locator(".jp-CodeCell").filter(has_text="fixed = nb01.stepper").first
    picture = cell.locator("svg[role=img]").first
    cell.scroll_into_view_if_needed()

    def foot() -> str:
        """Picture and twin end in the same sentence; return it."""
        said = asked(lab, "fixed.foot")
        expect(picture).to_have_attribute("aria-label", said)
        assert " ".join(asked(lab, "repr(fixed)").split()).endswith(" ".join(said.split()))
        return said

    def press(button: playwright.Locator) -> None:
        """Press a button and wait for the picture: a question to the kernel may overtake a press."""
        before = str(picture.get_attribute("aria-label"))
        button.click()
        expect(picture).not_to_have_attribute("aria-label", before)

    cell.get_by_role("button", name="Reset", exact=True).click()
    expect(picture).to_have_attribute("aria-label", re.compile("^Start: "))
    seen = [foot()]
    for name in ("Step", "Step", "Back"):
        press(cell.get_by_role("button", name=name, exact=True))
        seen.append(foot())
    assert seen[1] != seen[0] and seen[2] != seen[1] and seen[3] == seen[1]
    before = asked(lab, "repr(fixed)")
    press(cell.get_by_role("button", name="v3.2", exact=False).first)
    expect(picture).to_contain_text("v3.2")
    assert asked(lab, "fixed.kernel") == "v3.2" and asked(lab, "repr(fixed)") != before
    press(cell.locator("button:enabled", has_text="VMEXIT").first)
    assert foot().startswith("Step 2, vCPU thread")
    lab.screenshot("01-stepper", of=picture)
    assert lab.troubles() == []


def test_a_question_answers_every_choice_without_blame(ran: Ran) -> None:
    """Nothing is chosen after Run All; each choice gets its own feedback; "show me" opens a stepper."""
    lab = ran(NOTEBOOK)
    cell = lab.page.locator(".jp-CodeCell").filter(has_text='nb01.predict("01.1")').first
    cell.scroll_into_view_if_needed()
    radios = cell.locator("input[type=radio]")
    asked(lab, "'', end='') or exec('guess = nb01.predict(\"01.1\")'")
    assert radios.count() == 4
    assert [radios.nth(n).is_checked() for n in range(4)] == [False] * 4
    for n in range(4):
        radios.nth(n).check()
        cell.get_by_role("button", name="Show me", exact=True).click()
        said = FAKED.choice(n + 1).feedback
        expect(cell.locator("[role=status]")).to_contain_text(said)
        assert "wrong" not in said.lower()
    expect(cell.locator("svg[role=img]").first).to_be_visible()
    lab.screenshot("01-question", of=cell)
    assert lab.troubles() == []


def test_a_cell_of_the_verdict_grid_opens_its_schedule(ran: Ran) -> None:
    """Pressing a losing cell shows the losing schedule in a stepper below the grid."""
    lab = ran(NOTEBOOK)
    cell = lab.page.locator(".jp-CodeCell").filter(has_text="grid = nb01.verdicts()").first
    cell.scroll_into_view_if_needed()
    cell.get_by_role("button", name="LOST").first.click()
    expect(cell.locator("svg[role=img]").first).to_contain_text("v3.2+fake-exit")
    lab.screenshot("01-grid", of=cell)
    assert lab.troubles() == []
