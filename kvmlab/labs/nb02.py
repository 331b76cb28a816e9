"""Notebook 02, A cheaper alarm clock: everything its cells use."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from textwrap import fill
from typing import Any, Protocol

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel as named
from kvmlab.kernels.timers import without
from kvmlab.labs import timer_traces
from kvmlab.labs.alarm_grid import HALTS, AlarmLine, AlarmVerdicts
from kvmlab.labs.keep_one_bench import KeepOneBench, check_switch
from kvmlab.labs.predict import Predict, asked
from kvmlab.labs.questions02 import QUESTIONS
from kvmlab.labs.scenes02 import SCENES, halting
from kvmlab.machine.call import Call
from kvmlab.machine.step import Block, Node
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.scenarios.published import FIGURES
from kvmlab.schedulers.explore import Exploration
from kvmlab.schedulers.explore import explore as explore_all
from kvmlab.schedulers.profile import Status
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.diff import KernelDiff
from kvmlab.show.published import Published
from kvmlab.show.verdicts import verdict_table
from kvmlab.show.widgets.countdown import Calculator as calculator
from kvmlab.show.widgets.deadline import DeadlinePicture as picture
from kvmlab.show.widgets.deadline import ZeroAtDeadline as deadline
from kvmlab.show.widgets.timeline import Timeline

__all__ = [
    "alarm_line",
    "calculator",
    "check_switch",
    "deadline",
    "diff",
    "exits",
    "explore",
    "fitted",
    "foot",
    "keep_one",
    "late",
    "picture",
    "predict",
    "recording",
    "unseen",
    "verdicts",
]

NO_SWITCH = ("pre_block()",)
"""What a halt without the switch leaves out."""
HALT = "vcpu_block"
"""Where the switch between the timers is called."""
SWITCH = ("pre_block", "switch_to_sw_timer", "post_block", "switch_to_hv_timer")
"""The switch: these calls are unfolded, and no other."""


class Foot(Protocol):
    """Any picture with a sentence under it."""

    @property
    def foot(self) -> str:
        """The sentence."""


def predict(number: str) -> Predict:
    """Return the predict box of a question; "Show me" opens what answers it.

    Raises BadInput for a number that is none.
    """
    box = asked(number, QUESTIONS)
    return Predict(box.question, SCENES[number])


def foot(shown: Foot) -> str:
    """Return the sentence under a picture, in lines that fit the page."""
    return fill(shown.foot, 80)


def exits(guest: str) -> str:
    """Return the exits of a recorded guest, "busy" or "halt", by reason: timer off, timer on."""
    return "\n".join(timer_traces.exits(guest))


def late(guest: str) -> str:
    """Return how long behind its deadline a recorded guest was entered."""
    return "\n".join(timer_traces.late(guest))


def recording() -> Timeline:
    """Return the halting guest's recorded timeline, a round of it."""
    return halting()


def fitted() -> str:
    """Return the numbers that were set so that a published figure comes out: what they are, and which."""
    return "\n".join(_fitted())


def _fitted() -> Iterator[str]:
    for parameter in HSW16.parameters.values():
        if parameter.status is Status.FITTED:
            yield f"{parameter.name:<13}{parameter.cycles:>5}  {parameter.says}"
            yield f"{'':<20}{parameter.source.partition(';')[0]}"


def unseen() -> Published:
    """Return the published figures that no number was fitted to, beside the model's."""
    return Published(HSW16, [figure for figure in FIGURES if figure.case.startswith("tscdeadline")])


def diff(before: str, after: str) -> KernelDiff:
    """Return what distinguishes two kernels where a vCPU blocks, the switch between the timers unfolded."""
    return KernelDiff(*(_blocking(named(name)) for name in (before, after)))


def _blocking(whole: Kernel) -> Kernel:
    """Return a kernel of which only that is left."""
    path = _unfolded(whole.paths[HALT], whole.paths)
    assert isinstance(path, Block)
    return replace(whole, paths={HALT: path}, settings={})


def _unfolded(node: Node, paths: Mapping[str, Block]) -> Node:
    if isinstance(node, Call) and node.function in SWITCH:
        node = paths[node.function]
    if not isinstance(node, Block):
        return node
    return replace(node, items=tuple(_unfolded(item, paths) for item in node.items))


def verdicts() -> AlarmVerdicts:
    """Return the proof table: before, the patch without its switch, the patch, and two later kernels."""
    before, patch, *later = (named(name) for name in ("v4.7", "64672c9", "v4.10", "v4.19"))
    kernels = [before, without(patch, NO_SWITCH), patch, *later]
    return AlarmVerdicts(verdict_table(kernels, HALTS, beside="guest"))


def alarm_line(name: str, **knobs: Any) -> AlarmLine:
    """Return who has the alarm in a shortest schedule that breaks a kernel, else in its undisturbed run."""
    return AlarmLine(hv_timer(named(name), **knobs))


def explore(name: str, **knobs: Any) -> Exploration:
    """Try every schedule of a guest's deadline on a kernel."""
    return explore_all(hv_timer(named(name), **knobs))


def keep_one() -> KeepOneBench:
    """Return the bench of the exercise."""
    return KeepOneBench()
