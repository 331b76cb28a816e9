"""The second hour of the promises in a real browser: each level's turn, what L0 looks for, and a repair."""

from harness import Ran, expect
from test_notebook_04 import cell_with, press

NOTEBOOK = "04b-who-did-not-get-it.ipynb"


def test_each_level_has_its_turn(ran: Ran) -> None:
    """The picture opens where L1 sends its letter; one step back L2 repeats the promise."""
    lab = ran(NOTEBOOK)
    cell = cell_with(lab, "nb04b.cards(L0=")
    picture = cell.locator("svg[role=img]").first
    expect(picture).to_contain_text("L1 sends itself an IPI")
    lab.screenshot("04b-letter", of=cell)
    press(cell, "Back")
    expect(picture).to_contain_text("L2 reads V[3→5] and repeats it: timer 0 on V[2→5].")
    for _ in range(3):
        press(cell, "Step")
    expect(picture).to_contain_text("LATE")
    assert lab.troubles() == []


def test_what_level_0_looks_for_is_shown_as_cards_and_the_steps_are_behind_a_button(ran: Ran) -> None:
    """A cell that breaks and one that holds; the stepper names whose request and whose window it is."""
    lab = ran(NOTEBOOK)
    cell = cell_with(lab, "nb04b.looked_for()")
    expect(cell.get_by_text("L0's kernel", exact=True)).to_be_visible()
    press(cell, "✓ ok, 134 states")
    picture = cell.locator("svg[role=img]").first
    expect(picture).to_contain_text("EXACT")
    expect(picture).to_contain_text("L0 looks for window")
    cell.get_by_role("button", name="✕ LATE").first.click()
    expect(picture).to_contain_text("LATE")
    press(cell, "Step through its schedule")
    stepper = cell.locator("svg[role=img]").nth(1)
    expect(stepper).to_contain_text("V[0→1] window")
    expect(stepper).to_contain_text("KVM at L1 CHECK_IMMEDIATE")
    lab.screenshot("04b-looked-for", of=cell)
    assert lab.troubles() == []


def test_a_forgotten_wish_and_a_repair(ran: Ran) -> None:
    """The request that was used up is among the decisive steps; a repair that is late is shown as cards."""
    lab = ran(NOTEBOOK)
    cell = cell_with(lab, "nb04b.cancelled()")
    press(cell, "✕ LATE, 30 steps")
    expect(cell.locator("svg[role=img]").first).to_contain_text("(1) KVM at L0 CHECK_EVENT")
    lab.screenshot("04b-cancelled", of=cell)
    cell = cell_with(lab, "nb04b.check_repair(repair)")
    expect(cell.locator("[role=status]").first).to_contain_text("Without APICv a schedule of")
    expect(cell.locator("svg[role=img]").first).to_contain_text("L0 looks for window")
    lab.screenshot("04b-repair", of=cell)
    assert lab.troubles() == []
