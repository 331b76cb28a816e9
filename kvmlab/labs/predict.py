"""The predict box: guess first, then see.

A choice may be changed until "Show me" is pressed. Then the guess is kept, the learner hears what is
true in it and which fact decides, and a stepper opens there, or whatever else shows it. Where the next cell
shows it nothing opens, and the button is called "Tell me". Skipping is allowed: press twice.
"""

from collections.abc import Callable, Mapping
from html import escape

import ipywidgets as widgets

from kvmlab.errors import unknown
from kvmlab.labs.progress import record
from kvmlab.labs.prose import paragraph
from kvmlab.labs.question import Question
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.turns import on_change, on_press
from kvmlab.show.widgets.twin import TwinBox

UNCHOSEN = "Choose first, or press again to skip."
"""What the button says without a choice."""


class Predict(TwinBox):
    """One question with radio buttons, none chosen; ``repr`` never gives the answer away.

    ``scene`` makes what "Show me" opens; without one it is a stepper on the question's schedule, if it has
    one, else nothing.
    """

    def __init__(self, question: Question, scene: Callable[[], widgets.Widget] | None = None) -> None:
        self.question = question
        own = (lambda: Stepper(question.scenarios(), question.schedule)) if question.kernels else None
        self._make = scene or own
        self._guess = widgets.RadioButtons(
            options=[(choice.text, n) for n, choice in enumerate(question.choices, 1)],
            value=None,
            description="Your guess:",
            layout={"width": "max-content", "max_width": "100%"},
        )
        self._show = widgets.Button(description="Show me" if self._make else "Tell me")
        self._said = widgets.HTML()
        self._scene = widgets.VBox()
        self._feedback = ""
        self._kept: int | None = None
        asked = widgets.HTML(paragraph(f"<b>Predict {escape(question.id)}.</b> {escape(question.text)}"))
        super().__init__([asked, self._guess, self._show, self._said, self._scene])
        on_change(self._guess, lambda _: self._say(""))
        on_press(self._show, self._pressed)

    @property
    def said(self) -> str:
        """The feedback on the screen, empty as long as nothing was asked for."""
        return self._feedback

    def show(self) -> None:
        """Press the button."""
        self._show.click()

    def answer(self, n: int) -> str:
        """Choose ``n``, counted from 1, press the button and return the feedback.

        Raises BadInput if there is no such choice.
        """
        self.choose(n)
        self.show()
        return self._feedback

    def choose(self, n: int) -> None:
        """Choose ``n``, counted from 1; nothing is kept yet. Raises BadInput if there is no such choice."""
        self.question.choice(n)
        self._guess.value = n

    def _pressed(self) -> None:
        """Keep the guess, say what is true in it, open the scene; without a guess ask for one, once."""
        n = self._guess.value
        if n is None and not self._feedback:
            self._say(UNCHOSEN)
            return
        if n is None:
            self._say(self.question.fact)
        else:
            self._keep(n)
            self._say(self.question.choice(n).feedback, self.question.fact)
        if self._make and not self._scene.children:
            self._scene.children = (self._make(),)

    def _keep(self, n: int) -> None:
        """Record a guess, once for as long as it is not changed."""
        if n != self._kept:
            self._kept = n
            record(self.question.id, n, self.question.choice(n).right)

    def _say(self, *lines: str) -> None:
        self._feedback = " ".join(lines)
        told = paragraph("<br>".join(map(escape, lines)), "status")
        self._said.value = told if self._feedback else ""

    def __repr__(self) -> str:
        return self.question.twin()


def asked(number: str, questions: Mapping[str, Question]) -> Predict:
    """Return the box of the question ``number``; raise BadInput, with the nearest one, if there is none."""
    if number not in questions:
        raise unknown("question", number, questions)
    return Predict(questions[number])
