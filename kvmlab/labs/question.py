"""A question asked before the answer is shown, and what is said to each guess.

No guess is called wrong: the learner first hears what is true in it, then the fact that decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel as named
from kvmlab.scenarios.names import scenario
from kvmlab.scenarios.scenario import Scenario

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose; ``feedback`` says what is true in it."""

    text: str
    feedback: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its choices, the fact that decides, and where to see it.

    ``kernels`` (by name, or a kernel that has none) and ``schedule`` say what a stepper shows; ``scenario``
    and ``knobs`` what it runs.
    """

    id: str
    text: str
    choices: tuple[Choice, ...]
    fact: str
    kernels: tuple[str | Kernel, ...]
    schedule: str
    scenario: str = "immediate-exit"
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def choice(self, n: int) -> Choice:
        """Return choice ``n``, counted from 1; raise BadInput if there is none."""
        if not 1 <= n <= len(self.choices):
            raise BadInput(f"question {self.id} has the choices 1 to {len(self.choices)}, not {n}")
        return self.choices[n - 1]

    def feedback(self, n: int) -> str:
        """Return what is said to choice ``n``: what is true in it, then the fact that decides."""
        return f"{self.choice(n).feedback} {self.fact}"

    def scenarios(self) -> tuple[Scenario, ...]:
        """Return what the stepper shows, one scenario a kernel."""
        kernels = (named(it) if isinstance(it, str) else it for it in self.kernels)
        return tuple(scenario(self.scenario, kernel, **self.knobs) for kernel in kernels)

    def twin(self) -> str:
        """Return question and choices as text, never the answer."""
        asked = wrap(self.text, WIDTH - 2, initial_indent="  ", subsequent_indent="  ")
        lines = [f"Predict {self.id}", *asked]
        for n, choice in enumerate(self.choices, 1):
            lines += wrap(choice.text, WIDTH, initial_indent=f"    {n}. ", subsequent_indent="       ")
        return "\n".join(lines)
