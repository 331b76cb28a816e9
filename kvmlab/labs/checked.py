"""A judgement on the screen: the reason in words and, if something broke, the schedule in a stepper."""

from collections.abc import Sequence
from html import escape
from textwrap import fill

import ipywidgets as widgets

from kvmlab.labs.judgement import Judgement
from kvmlab.labs.prose import paragraph
from kvmlab.show.places import NINE, Place
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.twin import TwinBox


class Checked(TwinBox):
    """What was found; ``watch`` are the places of the stepper's state."""

    def __init__(self, found: Judgement, watch: Sequence[Sequence[Place]] = NINE) -> None:
        self.found = found
        verdict = "holds" if found.passed else f"✕ {found.broken}"
        said = paragraph(f"<b>{verdict}.</b> {escape(found.sentence)}", role="status")
        scene = [] if found.passed else [_scene(found, watch)]
        super().__init__([widgets.HTML(said), *scene])

    @property
    def passed(self) -> bool:
        """Whether every schedule keeps every demand."""
        return self.found.passed

    def __repr__(self) -> str:
        return "\n".join(fill(line, 80) for line in repr(self.found).splitlines())


def _scene(found: Judgement, watch: Sequence[Sequence[Place]]) -> Stepper:
    return Stepper((found.scenario,), found.schedule, "What went wrong?", watch=watch)
