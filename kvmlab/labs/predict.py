"""The predict box: guess first, then see.

A choice is kept, and the learner hears what is true in it and which fact decides. "Show me" opens
the stepper there; without a guess it also says the fact: skipping is allowed.
"""

from html import escape
from typing import Any

import ipywidgets as widgets

from kvmlab.labs.progress import record
from kvmlab.labs.prose import paragraph
from kvmlab.labs.question import Question
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.twin import TwinBox


class Predict(TwinBox):
    """One question with radio buttons, none chosen; ``repr`` never gives the answer away."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._guess = widgets.RadioButtons(
            options=[(choice.text, n) for n, choice in enumerate(question.choices, 1)],
            value=None,
            description="Your guess:",
            layout={"width": "max-content", "max_width": "100%"},
        )
        self._show = widgets.Button(description="Show me")
        self._said = widgets.HTML()
        self._scene = widgets.VBox()
        self._feedback = ""
        asked = widgets.HTML(paragraph(f"<b>Predict {escape(question.id)}.</b> {escape(question.text)}"))
        super().__init__([asked, self._guess, self._show, self._said, self._scene])
        self._guess.observe(lambda change: self._chosen(change["new"]), "value")
        self._show.on_click(self._pressed)

    @property
    def said(self) -> str:
        """The feedback on the screen, empty as long as nothing was asked for."""
        return self._feedback

    def show(self) -> None:
        """Press "Show me"."""
        self._show.click()

    def answer(self, n: int) -> str:
        """Choose ``n``, counted from 1, and return the feedback.

        Raises BadInput if there is no such choice.
        """
        self.question.choice(n)
        self._guess.value = n
        return self._feedback

    def _chosen(self, n: int) -> None:
        choice = self.question.choice(n)
        record(self.question.id, n, choice.right)
        self._feedback = self.question.feedback(n)
        self._said.value = paragraph(f"{escape(choice.feedback)}<br>{escape(self.question.fact)}", "status")

    def _pressed(self, _: Any) -> None:
        """Open the stepper; without a guess, say the fact."""
        if self._guess.value is None:
            self._feedback = self.question.fact
            self._said.value = paragraph(escape(self._feedback), "status")
        if not self._scene.children:
            self._scene.children = (Stepper(self.question.scenarios(), self.question.schedule),)

    def __repr__(self) -> str:
        return self.question.twin()
