"""The registers' widget: one button, and a stepper that it follows."""

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.show.registers import Moment, Registers
from kvmlab.show.registers_source import after
from kvmlab.show.registers_svg import registers_svg
from kvmlab.show.registers_text import registers_text
from kvmlab.show.widgets.registers import RegisterView, following
from kvmlab.show.widgets.stepper import Stepper
from tests.show.pictures import alternative
from tests.show.register_values import vectors

NOW, WAS = Registers(irr=vectors(0x31), isr=0, ppr=0x20), Registers(irr=0, isr=0, ppr=0x20)


def stepper() -> Stepper:
    """Return posted interrupts on two kernels, nothing carried out."""
    names = ("v4.10", "b95234c")
    return Stepper([posted_interrupts(kernel(name)) for name in names], "a a v v v v v v v v", at=0)


def test_it_opens_with_one_line() -> None:
    """The grid is behind a button that has a name, and is closed until someone wants it."""
    shown = RegisterView(NOW, WAS)
    assert not shown.grid and shown._grid.description == "Grid"
    assert shown._picture.value == registers_svg(Moment(NOW, WAS))
    assert repr(shown) == registers_text(Moment(NOW, WAS))
    assert alternative(shown._picture.value) == shown.foot


def test_the_button_is_the_attribute() -> None:
    """Pressed or set in code: the grid opens in picture and twin, and closes again."""
    shown = RegisterView(NOW)
    for press in (lambda: setattr(shown._grid, "value", True), lambda: setattr(shown, "grid", True)):
        press()
        assert shown.grid and shown._grid.value
        assert shown._picture.value == registers_svg(Moment(NOW), grid=True)
        assert repr(shown) == registers_text(Moment(NOW), grid=True)
        shown.grid = False
        assert shown._picture.value == registers_svg(Moment(NOW))
    assert RegisterView(NOW, grid=True).grid


def test_the_text_of_a_cell_is_the_whole_twin() -> None:
    """However long: ipywidgets would cut it."""
    shown = RegisterView(NOW, grid=True)
    bundle = shown._repr_mimebundle_()
    assert bundle is not None and bundle["text/plain"] == repr(shown)


def test_it_follows_the_stepper() -> None:
    """After each press, step back and switch of kernel it shows the state at the cursor; the grid stays."""
    steps = stepper()
    shown, seen = following(steps, grid=True), set()
    for act in (steps.step, steps.step, steps.step, steps.back, lambda: steps.press("v"), steps.reset):
        act()
        past = steps.desk.session.past
        assert shown.moment == after(steps.desk.scenario, past) and shown.grid
        assert shown._picture.value == registers_svg(shown.moment, grid=True)
        seen.add(shown.foot)
    steps.kernel = "b95234c"
    steps.schedule = "aa"
    assert shown.moment.now == Registers(pir=vectors(0x31), on=1, virr=0, visr=0, vppr=0, rvi=0, svi=0)
    assert len(seen) > 2


def test_it_follows_whoever_is_asked_for() -> None:
    """Another record of the scenario: the host's CPU; one that is not there is refused at once."""
    steps = stepper()
    shown = following(steps, "L0")
    steps.run_to("verdict")
    core = steps.desk.scenario.records["L0"]
    assert shown.moment.now.irr == steps.desk.session.state[core.irr]
    with pytest.raises(BadInput, match="unknown record L9"):
        following(steps, "L9")
