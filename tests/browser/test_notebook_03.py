"""The lost interrupt in a real browser: the scheduler game, a proof cell, an entry path of one's own."""

from harness import Lab, Ran, expect, playwright

from kvmlab.labs.transfer import judge

NOTEBOOK = "03-where-did-my-interrupt-go.ipynb"


def cell_with(lab: Lab, source: str) -> playwright.Locator:
    """Return the code cell that contains ``source``, brought into view."""
    cell = lab.page.locator(".jp-CodeCell").filter(has_text=source).first
    cell.scroll_into_view_if_needed()
    return cell


def press(cell: playwright.Locator, name: str) -> None:
    """Press a button of a cell by its name."""
    cell.get_by_role("button", name=name, exact=True).click()


def put(cell: playwright.Locator, step: str, by: int, lists: int = 0) -> None:
    """Select a step in a cell's list and press Up or Down so many times, each time until it has moved."""
    chosen = cell.locator("select").nth(lists)
    at = chosen.locator("option", has_text=step).first.evaluate("option => option.index")
    chosen.select_option(index=at)
    name, way = ("Down", 1) if by > 0 else ("Up", -1)
    for moved in range(1, abs(by) + 1):
        cell.get_by_role("button", name=name, exact=True).nth(lists).click()
        expect(chosen).to_have_js_property("selectedIndex", at + moved * way)


def test_the_scheduler_game_is_played_to_a_loss(ran: Ran) -> None:
    """Thirteen presses lose 0x31; each is told what still holds it; the patched kernel loses nothing."""
    lab = ran(NOTEBOOK)
    game = cell_with(lab, "game = nb03.game")
    line, picture = game.locator("[role=status]").first, game.locator("svg[role=img]").first
    expect(line).to_contain_text("Nothing to lose yet")
    for n, who in enumerate("vvvaaaavvvvvv", 1):
        name = {"v": "vCPU thread", "a": "sender of 0x31"}[who]
        game.locator("button:enabled", has_text=name).first.click()
        expect(picture).to_contain_text(f"step {n} of")
        if n == 6:
            expect(line).to_contain_text("Not lost yet, because the sender is still to kick")
    expect(line).to_contain_text("LOST")
    expect(line).to_contain_text("The scheduler wins")
    lab.screenshot("03-game", of=game)
    press(game, "b95234c (2017)")
    expect(line).to_contain_text("The kernel wins")
    assert lab.troubles() == []


def test_a_proof_cell_opens_its_schedule(ran: Ran) -> None:
    """What breaks opens its shortest schedule, with the kernel that holds at hand; what holds, its story."""
    lab = ran(NOTEBOOK)
    grid = cell_with(lab, "grid = nb03.verdicts()")
    press(grid, "✕ LOST, 16 steps")
    picture = grid.locator("svg[role=img]").first
    expect(picture).to_contain_text("step 16 of 16")
    expect(grid.locator("[role=status]").first).to_contain_text("v4.10, another CPU: LOST after 16 steps")
    lab.screenshot("03-grid", of=grid)
    press(grid, "✓ ok, 61 states")
    expect(picture).to_contain_text("b95234c (2017)")
    expect(picture).to_contain_text("step 15 of 15")
    assert lab.troubles() == []


def test_an_entry_path_is_judged_at_every_press(ran: Ran) -> None:
    """From v4.10's order to one that holds: three presses, and the stepper with the loss is gone."""
    lab = ran(NOTEBOOK)
    bench = cell_with(lab, "path = nb03.own_path()")
    said = bench.locator("[role=status]").first
    expect(said).to_contain_text("✕ LOST")
    put(bench, "interrupts off", -2)
    expect(said).to_contain_text("VT-d: ok")
    lab.screenshot("03-own-path", of=bench)
    put(bench, "sync", 1)
    expect(said).to_contain_text("holds")
    expect(bench.locator("svg[role=img]")).to_have_count(0)
    assert lab.troubles() == []


def test_the_lost_wake_up_is_ordered_and_checked(ran: Ran) -> None:
    """The order it begins with loses; the answer, put together by Up and Down, holds."""
    lab = ran(NOTEBOOK)
    bench = cell_with(lab, "nb03.wakeup()")
    said = bench.locator("[role=status]").first
    press(bench, "Check")
    expect(said).to_contain_text(
        judge(("test", "publish", "sleep", "barrier"), ("read", "wake", "set", "barrier")).sentence
    )
    put(bench, "publish", -1)
    put(bench, "barrier", -2)
    put(bench, "set", -2, lists=1)
    put(bench, "barrier", -2, lists=1)
    press(bench, "Check")
    expect(said).to_contain_text("holds")
    lab.screenshot("03-wakeup", of=bench)
    assert lab.troubles() == []
