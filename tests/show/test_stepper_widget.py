"""The stepper's controls: each does what the desk does, and the picture follows."""

import asyncio
import subprocess
import sys

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import IllegalTransition
from kvmlab.show.stepper import stepper_svg, stepper_text
from kvmlab.show.widgets import stepper
from kvmlab.show.widgets.stepper import Stepper
from tests.show.pictures import alternative
from tests.show.stories import LATE, scenario


def opened(schedule: str | None = LATE, question: str = "", at: int | None = None) -> Stepper:
    """Return a stepper with patch 1 as a toggle."""
    return Stepper([scenario("v3.2"), scenario("d6185f2")], schedule, question, at)


def test_the_text_of_a_cell_is_the_whole_twin() -> None:
    """repr and text/plain are the twin, however long; the widget itself is shown beside it."""
    shown = opened()
    bundle = shown._repr_mimebundle_()
    assert bundle is not None
    assert bundle["text/plain"] == repr(shown) == stepper_text(shown.moment)
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_the_picture_is_the_moment() -> None:
    """After each action the HTML holds the picture of what the desk shows, and the foot is its text."""
    shown = opened(at=0)
    for act in (shown.step, shown.step, shown.back, lambda: shown.run_to("verdict"), shown.reset):
        act()
        assert shown._picture.value == stepper_svg(shown.moment)
        assert alternative(shown._picture.value) == shown.foot


def test_controls_do_what_their_names_say() -> None:
    """Buttons, the list of targets, the toggle and the text are the Python calls."""
    shown = opened(at=0)
    shown._step.click()
    assert shown.moment.at == 1
    shown._back.click()
    shown._target.value = "change of requests"
    shown._run.click()
    assert shown.moment.at == 6
    shown._kernels.value = "d6185f2"
    assert (shown.kernel, shown.moment.at) == ("d6185f2", 6)
    shown._text.value = "m v"
    assert (shown.schedule, shown.moment.at) == ("mv", 2)
    shown._reset.click()
    assert (shown.schedule, shown.moment.at) == (LATE, 0)


def test_controls_follow_what_python_does() -> None:
    """A notebook that sets kernel and schedule sees them in the controls."""
    shown = opened()
    shown.kernel, shown.schedule = "d6185f2", "mvv"
    assert (shown._kernels.value, shown._text.value) == ("d6185f2", "mvv")


def test_actors_buttons_stay_in_place() -> None:
    """There is one for each choice, in the order of the actors; who cannot move is disabled."""
    shown = opened(at=0)
    places = list(shown._actors)
    assert places == [("v", 0), ("h", 0), ("m", 0), ("m", 1), ("g", 0), ("g", 1), ("d", 0)]
    assert [place for place, control in shown._actors.items() if not control.disabled] == [("m", 0), ("m", 1)]
    shown._actors["m", 1].click()
    assert shown.schedule == "m1"
    assert list(shown._actors) == places
    assert shown._actors["m", 1].layout.visibility == "hidden"


def test_a_late_click_is_no_accident() -> None:
    """A button whose move has passed does nothing; in Python the same press is an error."""
    shown = opened(at=0)
    shown._actors["g", 0].click()
    assert shown.moment.at == 0
    with pytest.raises(IllegalTransition):
        shown.press("g")


def test_a_bad_schedule_is_told_in_the_foot_and_left_to_be_mended() -> None:
    """The text stays as typed, the run stays as it was; the next action brings its schedule back."""
    shown = opened()
    shown._text.value = "mv?"
    assert shown.foot.startswith("schedule: '?' is no actor")
    assert (shown._text.value, shown.schedule, shown.moment.at) == ("mv?", LATE, len(LATE))
    shown.back()
    assert shown._text.value == LATE


def test_every_control_has_a_name() -> None:
    """No button is an icon only, and what takes a value has a label."""
    shown = opened(question="Who?")
    named = [*shown._actors.values(), shown._back, shown._step, shown._run, shown._play, shown._reset]
    assert all(control.description for control in (*named, shown._target, shown._text))
    assert "Who?" in shown.children[0].value


def test_a_question_is_data() -> None:
    """Markup in it is shown, not obeyed."""
    assert "&lt;b&gt;" in opened(question="<b>").children[0].value


def test_one_scenario_needs_no_list_and_no_toggle() -> None:
    """With a single kernel there is nothing to choose."""
    alone = Stepper(scenario("v3.2"))
    assert (alone.kernel, len(alone.children), alone.moment.rival) == ("v3.2", 5, "")


def test_play_steps_up_to_the_verdict_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes along the schedule and behind it, and switches itself off; once more changes nothing."""
    monkeypatch.setattr(stepper, "PACE", 0)
    shown = opened("mvvvvdvvvvvvvvvv", at=0)

    async def play() -> None:
        shown._play.value = True
        while shown._play.value:
            await asyncio.sleep(0)

    for _ in range(2):
        asyncio.run(play())
        assert shown.moment.at == 17 and shown.foot.startswith("Broken (L2_RAN)")


def test_play_is_off_unless_asked() -> None:
    """Nothing moves by itself."""
    assert (opened(at=0)._play.value, stepper.PACE) == (False, 0.5)


def test_the_model_and_its_pictures_do_without_ipywidgets() -> None:
    """Neither kvmlab nor the pure part of the stepper imports it."""
    code = "import kvmlab, kvmlab.show.stepper.desk, sys; sys.exit('ipywidgets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_legend_is_there_and_closed() -> None:
    """One press away, and in no one's way."""
    last = opened().children[-1].value
    assert "<summary>Legend</summary>" in last and "<details open" not in last


def test_whoever_follows_sees_every_redraw() -> None:
    """A follower is called at once, then after each action, with the picture already drawn."""
    shown, seen = opened(at=0), []

    def follow(followed: Stepper) -> None:
        assert followed._picture.value == stepper_svg(followed.moment)
        seen.append((followed.kernel, followed.moment.at))

    shown.on_draw(follow)
    shown.step()
    shown._back.click()
    shown.kernel = "d6185f2"
    assert seen == [("v3.2", 0), ("v3.2", 1), ("v3.2", 0), ("d6185f2", 0)]
