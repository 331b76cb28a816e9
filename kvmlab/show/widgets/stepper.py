"""The stepper as a widget: buttons around a picture. Everything it can do is in the desk."""

import asyncio
from collections.abc import Callable, Sequence

import ipywidgets as widgets

from kvmlab.errors import BadInput
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.places import NINE, Place
from kvmlab.show.stepper import StepperView, stepper_svg, stepper_text
from kvmlab.show.stepper.desk import Desk, choices, label
from kvmlab.show.stepper.key import key_svg
from kvmlab.show.stepper.past import short
from kvmlab.show.titles import title
from kvmlab.show.widgets.controls import beside, button, folded, legend, question_line
from kvmlab.show.widgets.turns import TURN, on_change
from kvmlab.show.widgets.twin import TwinBox

PACE = 0.5
"""Seconds from step to step while it plays."""

WIDE = {"width": "960px", "max_width": "100%"}
"""As wide as the picture."""

TARGETS = {"exit": "exit", "change of requests": "requests", "verdict": "verdict"}
"""What "run to" offers, and what the desk calls it."""


class Stepper(TwinBox):
    """Press whose step is next, go back, go on; several scenarios are one, on several kernels.

    It opens with the first scenario's story, nothing carried out; with a ``schedule``, at its end;
    ``at`` puts the cursor elsewhere. ``watch`` are the nine places of the state. ``repr`` is the text twin.
    """

    def __init__(
        self,
        scenarios: Scenario | Sequence[Scenario],
        schedule: str | None = None,
        question: str = "",
        at: int | None = None,
        watch: Sequence[Sequence[Place]] = NINE,
    ) -> None:
        several = [scenarios] if isinstance(scenarios, Scenario) else scenarios
        self.desk = Desk(several, schedule, question, at, watch)
        self._playing: asyncio.Task[None] | None = None
        self._rejected = False
        self._followers: list[Callable[[Stepper], object]] = []
        self._make_controls()
        super().__init__(children=self._rows())
        self._draw()

    # What a notebook calls; each is a button too.

    def press(self, token: str) -> None:
        """Take one move, ``v`` or ``g1``; raise IllegalTransition if it is not possible."""
        self._do(lambda: self.desk.press(token))

    def step(self) -> None:
        """Go on along the schedule; behind it whoever runs goes on."""
        self._do(self.desk.step)

    def back(self) -> None:
        """Take the last step back."""
        self._do(self.desk.back)

    def reset(self) -> None:
        """Go back to the start of the schedule that the stepper opened with."""
        self._do(self.desk.reset)

    def run_to(self, what: str) -> None:
        """Go on to the next ``exit``, to the ``verdict``, or until a cell (``requests``) changes."""
        self._do(lambda: self.desk.run_to(what))

    def on_draw(self, follow: Callable[["Stepper"], object]) -> None:
        """Call ``follow`` with this stepper now, and after every redraw: a picture beside it keeps up."""
        self._followers.append(follow)
        follow(self)

    @property
    def kernel(self) -> str:
        """The kernel on show; another one replays the same schedule."""
        return self.desk.kernel

    @kernel.setter
    def kernel(self, name: str) -> None:
        self._do(lambda: self.desk.switch(name))

    @property
    def schedule(self) -> str:
        """The schedule; another one is replayed as far as it is possible, a bad one is told in the foot."""
        return self.desk.schedule

    @schedule.setter
    def schedule(self, text: str) -> None:
        self._do(lambda: self._load(text))

    @property
    def moment(self) -> StepperView:
        """What is on show, as data."""
        return self.desk.view

    @property
    def foot(self) -> str:
        """The sentence under the picture."""
        return self.moment.foot

    def __repr__(self) -> str:
        return stepper_text(self.moment)

    # Controls.

    def _make_controls(self) -> None:
        desk = self.desk
        self._picture = widgets.HTML()
        kernels = [(title(scenario.kernel), name) for name, scenario in desk.scenarios.items()]
        self._kernels = widgets.ToggleButtons(options=kernels, style={"button_width": "auto"})
        self._back = button("Back", self.back, "take the last step back")
        self._step = button("Step", self.step, "along the schedule; behind it, whoever runs goes on")
        self._actors = self._make_actors()
        wide, narrow = {"width": "240px"}, {"width": "80px"}
        self._target = widgets.Dropdown(options=list(TARGETS), description="Run to", layout=wide)
        self._run = button("Run", lambda: self.run_to(TARGETS[self._target.value]), "run to what is chosen")
        self._play = widgets.ToggleButton(description="Play", layout=narrow)
        self._reset = button("Reset", self.reset, "back to the start of the opening schedule")
        self._text = widgets.Text(description="Schedule", continuous_update=False, layout={"width": "480px"})
        on_change(self._kernels, self._chosen)
        on_change(self._text, self._typed)
        on_change(self._play, self._play_or_stop)

    def _make_actors(self) -> dict[tuple[str, int], widgets.Button]:
        """Return a button for each actor and choice, so that none has to move later."""
        most: dict[str, int] = {}
        for scenario in self.desk.scenarios.values():
            for letter, n in choices(scenario.system).items():
                most[letter] = max(n, most.get(letter, 0))
        return {(letter, i): self._actor_button(letter, i) for letter, n in most.items() for i in range(n)}

    def _actor_button(self, letter: str, choice: int) -> widgets.Button:
        token = f"{letter}{choice}" if choice else letter
        return button(token, lambda: self._pressed(token), width="auto")

    def _rows(self) -> list[widgets.Widget]:
        """Return the controls in reading order: above the picture, the picture, below it."""
        names = {x.letter: short(x) for s in self.desk.scenarios.values() for x in s.system.actors.values()}
        above = [question_line(self.desk.question)] if self.desk.question else []
        above += [beside("Kernel", self._kernels)] if len(self.desk.scenarios) > 1 else []
        lead = [self._back, self._step, self._target, self._run, self._play, self._reset]
        grid = WIDE | {"grid_template_columns": "repeat(4, minmax(0, 1fr))"}
        return [
            *above,
            self._picture,
            widgets.HBox(lead, layout=WIDE),
            widgets.GridBox([*self._actors.values()], layout=grid),
            widgets.HBox([self._text, legend(names)], layout=WIDE),
            folded("Legend", key_svg()),
        ]

    # What happens.

    def _do(self, act: Callable[[], object]) -> None:
        """Act, and draw what came of it."""
        self._rejected = False
        act()
        self._draw()

    def _load(self, text: str) -> None:
        """Replay ``text``; of a schedule that is none, say why, and leave it there to be mended."""
        try:
            self.desk.load(text)
        except BadInput as why:
            self._rejected = True
            self.desk.note = f"{why}."

    def _pressed(self, token: str) -> None:
        """Take a move whose button was pressed; a second click may come too late."""
        if any(move.token == token for move in self.desk.moves):
            self.press(token)

    def _chosen(self, kernel: str) -> None:
        if kernel != self.kernel:
            self.kernel = kernel

    def _typed(self, text: str) -> None:
        if text != self.schedule:
            self.schedule = text

    def _draw(self) -> None:
        """Bring picture and controls in line with the desk."""
        self._picture.value = stepper_svg(self.moment)
        self._kernels.value = self.kernel
        self._back.disabled = not self.desk.session.at
        if not self._rejected:
            self._text.value = self.schedule
        self._draw_actors()
        for follow in self._followers:
            follow(self)

    def _draw_actors(self) -> None:
        """Enable whoever can move; hide second choices where there are none."""
        system, state = self.desk.scenario.system, self.desk.session.state
        possible = {(move.actor.letter, move.choice): move for move in self.desk.moves}
        can = {letter for letter, _ in possible}
        for (letter, choice), control in self._actors.items():
            actor, move = system.actors.get(letter), possible.get((letter, choice))
            control.disabled = move is None
            shown = move is not None or (choice == 0 and letter not in can)
            control.layout.visibility = "visible" if shown and actor else "hidden"
            if actor:
                control.description = label(actor, move, system, state)
                control.tooltip = move.step.says if move else ""

    def _play_or_stop(self, on: bool) -> None:
        """Start a task that steps while the button is down, up to a verdict, the end, or a choice."""
        if on and self._playing is None:
            self._playing = asyncio.ensure_future(self._play_on())

    async def _play_on(self) -> None:
        while self._played():
            await asyncio.sleep(PACE)
        self._play.value, self._playing = False, None

    def _played(self) -> bool:
        """Go on by a step, and draw; return whether the button is down and there was one."""
        with TURN:
            gone = self._play.value and not self.desk.stands and self.desk.step()
            self._draw()
        return bool(gone)
