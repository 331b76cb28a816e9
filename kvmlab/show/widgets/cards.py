"""The card in the slot with its controls: the level under test, a method a level, the natural exit."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets as widgets

from kvmlab.errors import BadInput, unknown
from kvmlab.show.cards import LOOKS, SAYS, Mix, Story
from kvmlab.show.cards_says import foot
from kvmlab.show.cards_story import story
from kvmlab.show.cards_svg import cards_svg
from kvmlab.show.cards_text import cards_text
from kvmlab.show.methods import count
from kvmlab.show.widgets.controls import button
from kvmlab.show.widgets.turns import on_change
from kvmlab.show.widgets.twin import TwinBox

LEVELS = range(4)
"""What can be put under test here; the model knows no highest level."""
COUNTS = (1, 2, 3, 10, 30, 100, 300, 1000, 3000, 10000)
"""What the slider offers, as in notebook 01; a guest that leaves at once by itself shows nothing."""
NEXT = "ipi"
"""The method of a level that is put on top."""


class Cards(TwinBox):
    """The picture of :mod:`kvmlab.show.cards_svg`; Back and Step go through its moments.

    ``methods`` are those of the levels from 0 up, "ipi" or "timer0"; the last one is under test. ``k``,
    ``a1``, ``looks`` and ``apicv`` are those of :class:`kvmlab.show.cards.Mix`. It opens ``at`` a moment,
    by number from 1 or by title ("the exit").
    """

    def __init__(
        self, methods: Sequence[str] = ("timer0", "ipi"), k: int = 1000, at: int | str = 1, **more: Any
    ) -> None:
        self._settling = False
        self._told = self._checked(Mix(tuple(methods), k, **more))
        self._at = self._number(at)
        self._make_controls()
        super().__init__(self._rows())
        self._show(self._told, self._at)

    # What a notebook calls; each is a control too.

    @property
    def told(self) -> Story:
        """What is on show, as data."""
        return self._told

    @property
    def mix(self) -> Mix:
        """What was given."""
        return self._told.mix

    @property
    def methods(self) -> tuple[str, ...]:
        """The method of each level, from 0 up."""
        return self.mix.methods

    @methods.setter
    def methods(self, wanted: Sequence[str]) -> None:
        self._become(methods=tuple(wanted))

    @property
    def level(self) -> int:
        """The level under test; a new one on top forces exits by self-IPI."""
        return self.mix.tested

    @level.setter
    def level(self, wanted: int) -> None:
        if wanted not in LEVELS:
            raise BadInput(f"level {wanted}: one of {', '.join(map(str, LEVELS))}")
        have = self.methods[: wanted + 1]
        self._become(methods=(*have, *[NEXT] * (wanted + 1 - len(have))))

    @property
    def k(self) -> int:
        """After how many instructions the guest would leave on its own; one of :data:`COUNTS`."""
        return self.mix.k

    @k.setter
    def k(self, instructions: int) -> None:
        self._become(k=instructions)

    @property
    def a1(self) -> bool:
        """Whether an IPI of level 0 to itself is there before the entry."""
        return self.mix.a1

    @a1.setter
    def a1(self, holds: bool) -> None:
        self._become(a1=holds)

    @property
    def looks(self) -> str | tuple[str, ...]:
        """What every KVM looks for on a card that it puts away; one of :data:`kvmlab.show.cards.LOOKS`."""
        return self.mix.looks

    @looks.setter
    def looks(self, wanted: str | tuple[str, ...]) -> None:
        self._become(looks=wanted)

    @property
    def apicv(self) -> bool:
        """Whether level 0 gives L1 a CPU with APICv."""
        return self.mix.apicv

    @apicv.setter
    def apicv(self, on: bool) -> None:
        self._become(apicv=on)

    @property
    def at(self) -> int:
        """Which moment is on show, from 1; it can be set by its title too."""
        return self._at

    @at.setter
    def at(self, wanted: int | str) -> None:
        self._show(self._told, self._number(wanted))

    def step(self) -> None:
        """Show the next moment; at the last one nothing happens."""
        self.at = min(self.at + 1, len(self._told.moments))

    def back(self) -> None:
        """Show the moment before; at the first one nothing happens."""
        self.at = max(self.at - 1, 1)

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return foot(self._told, self._told.moments[self.at - 1])

    def __repr__(self) -> str:
        return cards_text(self._told, self.at)

    # Controls.

    def _make_controls(self) -> None:
        wide = {"description_width": "initial"}
        self._level = widgets.ToggleButtons(
            options=[(f"L{n}", n) for n in LEVELS], style={"button_width": "56px"}
        )
        self._k = widgets.SelectionSlider(
            options=[(count(n), n) for n in COUNTS],
            description="Next natural exit after",
            style=wide,
            layout={"width": "440px", "margin": "2px 0 0 24px"},
        )
        ways = [(says, way) for way, says in SAYS.items()]
        self._ways = [widgets.ToggleButtons(options=ways, style={"button_width": "auto"}) for _ in LEVELS]
        self._a1 = widgets.Checkbox(description="A1: an IPI of L0 is there before the entry", indent=False)
        self._looks = widgets.Dropdown(
            options=[(name or "nothing", name) for name in LOOKS],
            description="Each KVM looks for",
            style=wide,
        )
        self._apicv = widgets.Checkbox(description="L1 has APICv", indent=False)
        self._back = button("Back", self.back, "the moment before")
        self._step = button("Step", self.step, "the next moment")
        near = {"width": "auto", "margin": "2px 6px 2px 14px"}
        self._names = [widgets.Label(f"L{n}", layout=near) for n in LEVELS]
        self._mix = widgets.HBox()
        self._picture = widgets.HTML()
        for name, control in self._named.items():
            on_change(control, partial(self._moved, name))
        for control in self._ways:
            on_change(control, lambda _: self._mixed())

    @property
    def _named(self) -> dict[str, widgets.Widget]:
        """The controls that hold a value, by its name."""
        return {
            "level": self._level,
            "k": self._k,
            "a1": self._a1,
            "looks": self._looks,
            "apicv": self._apicv,
        }

    def _rows(self) -> list[widgets.Widget]:
        more = widgets.Accordion(
            [widgets.VBox([self._a1, self._looks, self._apicv])], titles=["More"], layout={"width": "420px"}
        )
        tested = widgets.HBox([widgets.Label("Level under test"), self._level, self._k])
        return [tested, self._mix, widgets.HBox([self._back, self._step, more]), self._picture]

    # What happens.

    def _moved(self, name: str, value: Any) -> None:
        """Follow a control, unless it follows us."""
        if not self._settling and value is not None and value != getattr(self, name):
            setattr(self, name, value)

    def _mixed(self) -> None:
        """Follow the methods."""
        if not self._settling:
            self.methods = [control.value for control in self._ways[: self.level + 1]]

    def _become(self, **new: Any) -> None:
        """Show another mix at the same moment; raise BadInput and change nothing if there is none.

        What single levels look for holds for their own mix alone.
        """
        if "methods" in new and not isinstance(self.mix.looks, str):
            new = {"looks": "", **new}
        told = self._checked(replace(self.mix, **new))
        self._show(told, told.number(self._told.moments[self.at - 1].title))

    def _checked(self, mix: Mix) -> Story:
        if mix.k not in COUNTS:
            raise BadInput(f"k={mix.k}: the slider has {', '.join(map(str, COUNTS))}")
        if not 1 <= len(mix.methods) <= len(LEVELS):
            raise BadInput(f"{len(mix.methods)} methods: one for each of at most {len(LEVELS)} levels")
        return story(mix)

    def _number(self, at: int | str) -> int:
        """Return the number of a moment; raise BadInput if there is none such."""
        titles = [moment.title for moment in self._told.moments]
        if isinstance(at, str):
            if at not in titles:
                raise unknown("moment", at, titles)
            return titles.index(at) + 1
        if not 1 <= at <= len(titles):
            raise BadInput(f"moment {at}: there are 1 to {len(titles)}")
        return at

    def _show(self, told: Story, at: int) -> None:
        """Bring picture and controls in line with what is on show."""
        self._told, self._at = told, at
        self._settling = True
        for name, control in self._named.items():
            value = getattr(self, name)
            control.value = None if isinstance(value, tuple) else value
        for control, way in zip(self._ways, self.methods, strict=False):
            control.value = way
        self._settling = False
        shown = zip(self._names, self._ways[: self.level + 1], strict=False)
        self._mix.children = [part for pair in shown for part in pair]
        self._back.disabled, self._step.disabled = at == 1, at == len(told.moments)
        self._picture.value = cards_svg(told, at)
