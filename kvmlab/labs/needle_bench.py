"""The bench of the exercise Thread the needle: write a schedule, press Check, see where the kick lands."""

from html import escape
from textwrap import fill

import ipywidgets as widgets

from kvmlab.errors import BadInput
from kvmlab.labs.needle import Attempt, attempt
from kvmlab.labs.prose import paragraph
from kvmlab.labs.watch00 import WATCH
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.turns import on_press
from kvmlab.show.widgets.twin import TwinBox


class Threaded(TwinBox):
    """What became of a schedule: the reason in words and, if the needle was missed, the run in a stepper."""

    def __init__(self, tried: Attempt) -> None:
        self.tried = tried
        verdict = "Threaded" if tried.threaded else "✕ Not yet"
        said = paragraph(f"<b>{verdict}.</b> {escape(tried.sentence)}", role="status")
        scene = [] if tried.threaded else [_scene(tried)]
        super().__init__([widgets.HTML(said), *scene])

    @property
    def threaded(self) -> bool:
        """Whether the kick went through."""
        return self.tried.threaded

    def __repr__(self) -> str:
        return "\n".join(fill(line, 80) for line in repr(self.tried).splitlines())


def _scene(tried: Attempt) -> Stepper:
    """Return the run in a stepper, at the last step of the other thread."""
    mine = [n for n, step in enumerate(tried.run.steps, 1) if step.move.actor.letter == "a"]
    at = mine[-1] if mine else None
    return Stepper(tried.scenario, tried.run.schedule, "Where does the kick land?", at, WATCH)


def check_needle(schedule: str) -> Threaded:
    """Replay ``schedule`` and say whether its kick threads the needle.

    Raises BadInput for text that is no schedule, or one that cannot be carried out.
    """
    return Threaded(attempt(schedule))


class NeedleBench(TwinBox):
    """A line for the schedule, and a button Check."""

    def __init__(self) -> None:
        self._line = widgets.Text(
            description="Schedule",
            placeholder="a letter for each step: v, a, h, g",
            continuous_update=False,
            layout={"width": "480px"},
        )
        self._check = widgets.Button(description="Check")
        self._result = widgets.VBox()
        self._last: Threaded | None = None
        super().__init__([widgets.HBox([self._line, self._check]), self._result])
        on_press(self._check, self._pressed)

    @property
    def schedule(self) -> str:
        """What is written on the line."""
        return str(self._line.value)

    @schedule.setter
    def schedule(self, text: str) -> None:
        self._line.value = text

    def check(self) -> Threaded | None:
        """Press Check; return what was found, ``None`` if the line holds no schedule that can be run."""
        self._check.click()
        return self._last

    def _pressed(self) -> None:
        try:
            self._last = check_needle(self.schedule)
            self._result.children = (self._last,)
        except BadInput as why:
            self._last = None
            self._result.children = (widgets.HTML(paragraph(escape(str(why)), role="status")),)

    def __repr__(self) -> str:
        lines = ["Thread the needle", f"  schedule: {self.schedule or 'nothing written yet'}"]
        return "\n".join([*lines, *([repr(self._last)] if self._last else [])])
