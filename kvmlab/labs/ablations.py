"""What each step of the switch code is for: leave it out, try every schedule, say what breaks and how."""

from dataclasses import dataclass
from textwrap import fill
from typing import Any

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.timers import switch_steps
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import mechanisms_in


@dataclass(frozen=True, slots=True)
class Ablation:
    """One step or call left out: the first property that breaks, in how many steps, and by which mechanism.

    ``label`` and ``mechanism`` are empty, ``steps`` is 0 where every schedule is good.
    """

    without: str
    label: str
    steps: int
    mechanism: str
    states: int

    def __str__(self) -> str:
        return f"{self.label}, {self.steps} steps: {self.mechanism}" if self.label else "nothing breaks"


@dataclass(frozen=True, repr=False)
class Ablations:
    """All of them in the order of the path, and ``whole``, the kernel with every step."""

    kernel: str
    whole: Ablation
    rows: tuple[Ablation, ...]

    @property
    def needed(self) -> tuple[Ablation, ...]:
        """Return the rows that break in a way in which the whole kernel does not."""
        known = (self.whole.label, self.whole.mechanism)
        return tuple(row for row in self.rows if row.label and (row.label, row.mechanism) != known)

    def __repr__(self) -> str:
        rows = [
            _line(row.without, str(row) if row in self.needed or not row.label else "as it breaks anyway")
            for row in self.rows
        ]
        foot = f"{len(self.needed)} of {len(self.rows)} are needed. Every schedule was tried."
        return "\n".join([_line(f"{self.kernel}, whole", str(self.whole)), *rows, foot])


def _line(what: str, found: str) -> str:
    return fill(f"{what:<27} {found}", 80, subsequent_indent=" " * 28)


def ablations(kernel: Kernel, **knobs: Any) -> Ablations:
    """Leave each step and call of the switch between the two timers out, one at a time, wherever it stands.

    ``knobs`` are those of :func:`hv_timer` but ``without``; raises BadInput as it does.
    """
    whole = _without("", kernel, knobs)
    rows = tuple(_without(step, kernel, knobs) for step in switch_steps(kernel))
    return Ablations(kernel.name, whole, rows)


def _without(step: str, kernel: Kernel, knobs: dict[str, Any]) -> Ablation:
    question = hv_timer(kernel, **knobs, without=[step] if step else ())
    result = explore(question)
    if result.shortest is None:
        return Ablation(step, "", 0, "", result.states)
    assert question.monitor is not None
    (how,) = mechanisms_in(question, question.monitor, [result.shortest])
    return Ablation(step, how.label, how.steps, how.name, result.states)
