"""The scheduler game: a stepper whose learner decides who moves, and a line that says what still holds."""

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets

from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.not_lost import HELD, WON, explained, not_lost_yet
from kvmlab.show.places import NINE, Place
from kvmlab.show.stepper import stepper_text
from kvmlab.show.widgets.stepper import Stepper

QUESTION = "You are the scheduler: can you lose the interrupt? Press whose step is next."


class SchedulerGame(Stepper):
    """A stepper on posted interrupts, nothing carried out, with the line of :mod:`kvmlab.show.not_lost`.

    The scheduler wins if an interrupt is lost, the kernel if everything posted is in the guest.
    """

    def __init__(
        self,
        scenarios: Scenario | Sequence[Scenario],
        schedule: str = "",
        question: str = QUESTION,
        at: int | None = None,
        watch: Sequence[Sequence[Place]] = NINE,
    ) -> None:
        self._line = widgets.HTML()
        super().__init__(scenarios, schedule, question, at, watch)

    @property
    def line(self) -> str:
        """What still holds the interrupt, or that it is lost."""
        desk = self.desk
        return not_lost_yet(desk.scenario, desk.session.state, explained(desk.scenario, desk.session.past))

    @property
    def won(self) -> bool | None:
        """Whether the scheduler has won; ``None`` as long as the game is open."""
        ends = {WON: True, HELD: False}
        return next((who for words, who in ends.items() if self.line.endswith(words)), None)

    @property
    def kernel(self) -> str:
        """The kernel on show; on another one a game that is over is played to its end at once."""
        return self.desk.kernel

    @kernel.setter
    def kernel(self, name: str) -> None:
        self._do(lambda: self._replay(name))

    def _replay(self, name: str) -> None:
        over = self.won is not None
        self.desk.switch(name)
        parted = self.desk.note
        while over and self.desk.step():
            self.desk.note = ""
        self.desk.note = parted

    def __repr__(self) -> str:
        return f"{self.line}\n\n{stepper_text(self.moment)}"

    def _rows(self) -> list[widgets.Widget]:
        rows = super()._rows()
        rows.insert(rows.index(self._picture), self._line)
        return rows

    def _draw(self) -> None:
        self._line.value = f'<p role="status" style="margin:4px 0"><b>{escape(self.line)}</b></p>'
        super()._draw()
