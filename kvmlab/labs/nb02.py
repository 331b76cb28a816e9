"""Notebook 02, A cheaper alarm clock: everything its cells use."""

from collections.abc import Iterator
from dataclasses import replace
from textwrap import fill
from typing import Any, Protocol

from kvmlab.kernels.names import kernel as named
from kvmlab.kernels.timers import without
from kvmlab.labs import timer_traces
from kvmlab.labs.alarm_grid import HALTS, AlarmLine, AlarmVerdicts
from kvmlab.labs.keep_one_bench import KeepOneBench, check_switch
from kvmlab.labs.predict import Predict, asked
from kvmlab.labs.questions02 import QUESTIONS
from kvmlab.labs.scenes02 import SCENES, halting
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.scenarios.published import FIGURES
from kvmlab.scenarios.vmexit import vmexit
from kvmlab.schedulers.explore import Exploration
from kvmlab.schedulers.explore import explore as explore_all
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profile import Status
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.diff import KernelDiff
from kvmlab.show.published import Published
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
    "price",
    "recording",
    "unseen",
    "verdicts",
]

NO_SWITCH = ("switch_to_sw_timer()",)
"""What a halt without the switch leaves out."""
HOOKS = ("timer_exits", "vcpu_block")
"""The functions that patch 2 hooks into."""
SELF_IPIS = ("self_ipi_sti_nop", "self_ipi_tpr", "x2apic_self_ipi_sti_nop", "x2apic_self_ipi_tpr")


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
    """Return the numbers that were set so that a published figure comes out, and which."""
    return "\n".join(_fitted())


def _fitted() -> Iterator[str]:
    for parameter in HSW16.parameters.values():
        if parameter.status is Status.FITTED:
            to = parameter.source.removeprefix("fitted to ").partition(";")[0]
            yield f"{parameter.name:<13}{parameter.cycles:>5}  to {to}"


def unseen() -> Published:
    """Return the published figures that no number was fitted to, beside the model's."""
    return Published(HSW16, [figure for figure in FIGURES if figure.case.startswith("tscdeadline")])


def diff(before: str, after: str) -> KernelDiff:
    """Return what distinguishes two kernels where a timer's exits are handled and where a vCPU blocks."""
    kernels = (named(name) for name in (before, after))
    return KernelDiff(*(replace(k, paths={name: k.paths[name] for name in HOOKS}) for k in kernels))


def verdicts() -> AlarmVerdicts:
    """Return the proof table: before, the patch without its switch, the patch, and two later kernels."""
    patch = named("64672c9")
    broken = without(patch, NO_SWITCH)
    broken = replace(broken, name="64672c9-switch", says="patch 2 without its switch at a halt")
    return AlarmVerdicts([named("v4.7"), broken, patch, named("v4.10"), named("v4.19")], HALTS)


def alarm_line(name: str, **knobs: Any) -> AlarmLine:
    """Return who has the alarm in a shortest schedule that breaks a kernel, else in its undisturbed run."""
    return AlarmLine(hv_timer(named(name), **knobs))


def explore(name: str, **knobs: Any) -> Exploration:
    """Try every schedule of a guest's deadline on a kernel."""
    return explore_all(hv_timer(named(name), **knobs))


def keep_one() -> KeepOneBench:
    """Return the bench of the exercise."""
    return KeepOneBench()


def price() -> str:
    """Return what the self-IPI cases of vmexit.flat cost before patch 3 and behind it."""
    return "\n".join(_price())


def _price() -> Iterator[str]:
    yield f"{'vmexit.flat':<26}{'v4.10':>10}{'b95234c':>10}{'saved':>10}"
    for case in SELF_IPIS:
        before, after = (
            round(measure(vmexit(named(k), case=case), HSW16).mean) for k in ("v4.10", "b95234c")
        )
        yield f"{case:<26}{before:>10}{after:>10}{before - after:>10}"
