"""Controls that several widgets need: a button, a question, a line that names the actors."""

from collections.abc import Callable, Mapping
from html import escape

import ipywidgets as widgets

from kvmlab.show.widgets.turns import on_press


def button(name: str, act: Callable[[], object], tooltip: str = "", width: str = "80px") -> widgets.Button:
    """Return a button that does ``act`` when it is pressed."""
    made = widgets.Button(description=name, tooltip=tooltip, layout={"width": width})
    on_press(made, act)
    return made


def question_line(question: str) -> widgets.HTML:
    """Return the question of the moment, to stand above a picture."""
    return widgets.HTML(f"<strong>{escape(question)}</strong>")


def legend(names: Mapping[str, str]) -> widgets.HTML:
    """Return which letter of a schedule is who."""
    pairs = (f"<code>{escape(letter)}</code>&nbsp;{escape(name)}" for letter, name in names.items())
    return widgets.HTML(f'<span style="padding-left:8px">{" · ".join(pairs)}</span>')


def beside(words: str, control: widgets.Widget) -> widgets.HBox:
    """Return a control with its name at its left, for those that would put it above themselves."""
    return widgets.HBox([widgets.Label(words, layout={"width": "60px"}), control])


def folded(title: str, picture: str) -> widgets.HTML:
    """Return a picture behind its title, closed until someone wants it; Tab and Enter reach it too."""
    return widgets.HTML(f"<details><summary>{escape(title)}</summary>{picture}</details>")
