"""The alarm clock in a real browser: the picture, a proof cell, the exercise, the sliders, the hunt."""

from harness import Lab, Ran, expect, playwright

from kvmlab.labs.questions02 import COUNTDOWN

CORE, STAR = "02-a-cheaper-alarm-clock.ipynb", "02b-how-sure-is-25-percent.ipynb"


def cell_with(lab: Lab, source: str) -> playwright.Locator:
    """Return the code cell that contains ``source``, brought into view."""
    cell = lab.page.locator(".jp-CodeCell").filter(has_text=source).first
    cell.scroll_into_view_if_needed()
    return cell


def press(cell: playwright.Locator, name: str) -> None:
    """Press a button of a cell by its name."""
    cell.get_by_role("button", name=name, exact=True).click()


def bring(bench: playwright.Locator, words: str, place: int) -> None:
    """Bring the step with these words up to a place of the bench's list, press by press."""
    steps = bench.locator("select").first
    options = steps.locator("option")
    shown = [text.replace("\xa0", " ") for text in options.all_text_contents()]
    at = next(n for n, text in enumerate(shown) if words in text)
    steps.select_option(index=at)
    while at > place:
        press(bench, "Up")
        at -= 1
        expect(options.nth(at)).to_contain_text(words)
        expect(steps).to_have_js_property("selectedIndex", at)


def test_the_alarm_hops_and_is_lost(ran: Ran) -> None:
    """Busy and halt, the patch and what it is without its switch; a question answers; a proof cell opens."""
    lab = ran(CORE)
    cell = cell_with(lab, 'nb02.deadline("halt")')
    picture = cell.locator("svg[role=img]").first
    expect(picture).to_contain_text("+20 (+0.6 %)")
    lab.screenshot("02-halt", of=cell)
    press(cell, "busy")
    expect(picture).to_contain_text("−781 (−24.4 %)")
    lab.screenshot("02-busy", of=cell)
    press(cell, "halt")
    cell.locator("select").select_option(label="64672c9 - pre_block(): no switch before the wait")
    expect(picture).to_contain_text("LOST")
    cell.locator("select").select_option(label="64672c9 - SW.cancel_hv: nothing is given up")
    expect(picture).to_contain_text("TWICE")
    lab.screenshot("02-twice", of=cell)
    grid = cell_with(lab, "nb02.verdicts()")
    press(grid, "✕ LOST, 41 steps")
    expect(grid.locator("svg[role=img]").first).to_contain_text("LOST, who has the alarm")
    expect(grid.locator("svg[role=img]").nth(1)).to_contain_text("step 41 of 41")
    lab.screenshot("02-grid", of=grid)
    box = cell_with(lab, 'nb02.predict("02.3")')
    box.locator("input[type=radio]").nth(3).check()
    press(box, "Show me")
    expect(box.locator("[role=status]").first).to_contain_text(COUNTDOWN.choice(4).feedback)
    expect(box.locator("svg[role=img]").first).to_contain_text("12 early: exit at 1088")
    assert lab.troubles() == []


def test_the_exercise_is_solved_by_up_and_down(ran: Ran) -> None:
    """The order it begins with loses the alarm; the kernels' own holds; a move takes the verdict with it."""
    lab = ran(CORE)
    bench = cell_with(lab, "nb02.keep_one()")
    said = bench.locator("[role=status]")
    press(bench, "Check")
    expect(said.first).to_contain_text("only the preemption timer is set")
    expect(bench.locator("svg[role=img]").first).to_contain_text("your switch: LOST, who has the alarm")
    lab.screenshot("02-exercise", of=bench)
    wanted = (". give up", "start", "——", "nothing to wait for", "set the", "cancel", "if it rang")
    for place, words in enumerate(wanted):
        bring(bench, words, place)
    expect(said).to_have_count(0)
    press(bench, "Check")
    expect(said.first).to_contain_text("holds")
    lab.screenshot("02-solved", of=bench)
    assert lab.troubles() == []


def test_the_second_hour_has_its_sliders_and_its_hunt(ran: Ran) -> None:
    """The calculator follows a key, the histogram is drawn anew for both themes, guesses are graded."""
    lab = ran(STAR)
    count = cell_with(lab, "nb02b.calculator()")
    entry = count.get_by_role("slider").first
    entry.focus()
    for _ in range(20):
        entry.press("ArrowRight")
    expect(count.locator("svg[role=img]").first).to_contain_text("20 late: exit at 1120")
    lab.screenshot("02b-countdown", of=count)
    spread = cell_with(lab, "nb02b.histogram()")
    said = spread.locator("[role=status]").first
    expect(said).to_contain_text("v4.7: mean")
    before = said.inner_text()
    press(spread, "halt")
    expect(said).not_to_have_text(before)
    expect(said).to_contain_text("v4.7: mean")
    expect(spread.locator("img:visible")).to_have_count(1)
    lab.screenshot("02b-histogram", of=spread)
    hunt = cell_with(lab, "nb02b.hunt()")
    hunt.locator("select").nth(4).select_option(label="too often")  # the patch, a far deadline
    press(hunt, "Check")
    expect(hunt.locator("[role=status]").first).to_contain_text(
        "1 of 1 agree with the explorer; 11 are open."
    )
    lab.screenshot("02b-hunt", of=hunt)
    assert lab.troubles() == []
