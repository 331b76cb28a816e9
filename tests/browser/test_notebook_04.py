"""A promise followed down in a real browser: cards, proof table, a rule, and the board of notebook 00."""

import re

from harness import Lab, Ran, expect, playwright

from kvmlab.labs.questions04 import FOUR

NOTEBOOK = "04-zero-is-a-promise.ipynb"
FIRST = "00-what-does-a-vcpu-do-all-day.ipynb"


def cell_with(lab: Lab, source: str) -> playwright.Locator:
    """Return the code cell that contains ``source``, brought into view."""
    cell = lab.page.locator(".jp-CodeCell").filter(has_text=source).first
    cell.scroll_into_view_if_needed()
    return cell


def press(cell: playwright.Locator, name: str, nth: int = 0) -> None:
    """Press a button of a cell by its name."""
    cell.get_by_role("button", name=name, exact=True).nth(nth).click()


def test_the_card_is_followed_to_the_drawer(ran: Ran) -> None:
    """Four presses: window, drawer, late, told; by timer 0 the same four end exact. Then four levels."""
    lab = ran(NOTEBOOK)
    cell = cell_with(lab, "cards = nb04.cards(L0=")
    picture = cell.locator("svg[role=img]").first
    told = ("must really enter L3", "window", "finds no wish on V[0→3]", "executes 1000 instructions", "LATE")
    for n, words in enumerate(told):
        expect(picture).to_have_attribute("aria-label", re.compile(re.escape(words)))
        if n < len(told) - 1:
            press(cell, "Step")
    lab.screenshot("04-late", of=cell)
    press(cell, "timer 0", nth=1)
    expect(picture).to_contain_text("EXACT")
    expect(picture).to_contain_text("L2 is told PREEMPTION_TIMER")
    press(cell, "Back")
    expect(picture).to_have_attribute(
        "aria-label", "L3 leaves before its first instruction: PREEMPTION_TIMER."
    )
    lab.screenshot("04-exact", of=cell)
    cell = cell_with(lab, 'nb04.cards(L0="ipi", L1="timer0", at="the entry")')
    picture = cell.locator("svg[role=img]").first
    expect(picture).to_contain_text("finds 0xfd at the CPU")
    press(cell, "L3")
    expect(picture).to_contain_text("L3 is to enter L5")
    press(cell, "timer 0", nth=2)
    press(cell, "timer 0", nth=3)
    expect(picture).to_contain_text("finds 0xfd at the CPU")
    press(cell, "self-IPI", nth=2)
    expect(picture).to_contain_text("finds no wish on V[0→5]")
    lab.screenshot("04-tower", of=cell)
    assert lab.troubles() == []


def test_a_proof_cell_opens_its_cards_and_a_question_is_answered(ran: Ran) -> None:
    """What breaks and what holds is shown at the exit, steps behind a button; a guess gets words."""
    lab = ran(NOTEBOOK)
    grid = cell_with(lab, "grid = nb04.verdicts()")
    press(grid, "✕ LATE, 66 steps")
    expect(grid.locator("[role=status]").first).to_contain_text("v4.18, over timer 0: LATE")
    picture = grid.locator("svg[role=img]").first
    expect(picture).to_contain_text("finds no wish on V[0→3]")
    expect(picture).to_contain_text("LATE")
    press(grid, "Step through its schedule")
    expect(grid.locator("svg[role=img]").nth(1)).to_contain_text("Broken (LATE)")
    press(grid, "✓ ok, 105 states")
    expect(picture).to_contain_text("finds timer 0 on V[0→3]")
    expect(picture).to_contain_text("EXACT")
    lab.screenshot("04-grid", of=grid)
    cell = cell_with(lab, 'nb04.predict("04.1")')
    cell.locator("input[type=radio]").nth(1).check()
    press(cell, "Tell me")
    expect(cell.locator("[role=status]").first).to_contain_text(FOUR.choice(2).feedback)
    expect(cell.locator("svg[role=img]")).to_have_count(0)
    lab.screenshot("04-question", of=cell)
    assert lab.troubles() == []


def test_the_knob_moves_one_and_not_zero_and_a_rule_is_shown_its_mix(ran: Ran) -> None:
    """A key on the slider, and timer 1 lands elsewhere; the rule that misses a mix gets its cards."""
    lab = ran(NOTEBOOK)
    cell = cell_with(lab, "knob = nb04.landing")
    picture = cell.locator("svg[role=img]").first
    expect(picture).to_contain_text("Timer 0 leaves after 0 instructions, timer 1 after 12 instructions")
    cell.get_by_role("slider").first.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(picture).to_contain_text("Timer 0 leaves after 0 instructions, timer 1 after 11 instructions")
    cell = cell_with(lab, "nb04.check_rule(exact)")
    expect(cell.locator("[role=status]").first).to_contain_text("Your exact(('ipi',), True) is False")
    press(cell, "Step")
    expect(cell.locator("svg[role=img]").first).to_contain_text("EXACT")
    lab.screenshot("04-rule", of=cell)
    assert lab.troubles() == []


def test_the_board_of_notebook_00_is_live(ran: Ran) -> None:
    """The fourth switch: with it the guest's guest executes nothing."""
    lab = ran(FIRST)
    cell = cell_with(lab, "nb00.board()")
    picture = cell.locator("svg[role=img]").first
    press(cell, "d264ee0")
    expect(picture).to_contain_text("d264ee0 on: KVM in a guest: its guest's guest executes 0 instructions.")
    press(cell, "d264ee0")
    expect(picture).to_contain_text(
        "d264ee0 off: KVM in a guest: its guest's guest executes 1000 instructions."
    )
    lab.screenshot("00-board", of=cell)
    assert lab.troubles() == []
