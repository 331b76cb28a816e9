"""Notebook 02b, How sure is 25 %?: everything its cells use."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import ipywidgets as widgets

from kvmlab.errors import unknown
from kvmlab.kernels.names import kernel as named
from kvmlab.labs import nb02
from kvmlab.labs.ablations import Ablations
from kvmlab.labs.ablations import ablations as every_step
from kvmlab.labs.alarm_grid import AlarmLine
from kvmlab.labs.histogram_bench import LatencyHistogram as histogram
from kvmlab.labs.hunt_bench import HuntBench
from kvmlab.labs.predict import Predict, asked
from kvmlab.labs.questions02b import QUESTIONS
from kvmlab.labs.recorded_machine import predictions
from kvmlab.machine.property import Property
from kvmlab.processor.errata import BROKEN_PREEMPTION_TIMER
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.scenarios.latency import periodic, tscdeadline_latency
from kvmlab.scenarios.vmexit import vmexit
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.widgets.sensitivity import RestsOn as rests_on

__all__ = [
    "ablations",
    "broken_timers",
    "calculator",
    "explore",
    "foot",
    "histogram",
    "hole",
    "hunt",
    "latency",
    "picture",
    "predict",
    "recorded_machine",
    "rests_on",
    "tscdeadline",
]

calculator, explore, foot, picture = nb02.calculator, nb02.explore, nb02.foot, nb02.picture

ADVANCES = (0, 500, 1000, 1500)
"""lapic_timer_advance_ns."""
TIMERS = {"deadline": tscdeadline_latency, "periodic": periodic}


def predict(number: str) -> Predict:
    """Return the predict box of a question; raise BadInput for a number that is none."""
    return Predict(asked(number, QUESTIONS).question, SCENES[number])


def _early() -> widgets.HTML:
    return widgets.HTML(f"<pre>{latency('v4.19', 'v6.1', timer='periodic')}</pre>")


SCENES: dict[str, Callable[[], widgets.Widget]] = {"02b.1": rests_on, "02b.2": _early}


def recorded_machine() -> str:
    """Return what was measured on the machine of the recordings, and what the model says of that machine."""
    return "\n".join(predictions())


def hole(kernel: str) -> AlarmLine:
    """Return who has the alarm where a guest *takes* two interrupts for a deadline that only an hrtimer fits.

    Two that are given before the guest takes the first are one for it, so they do not count here. Its handler
    counts the other CPU's interrupt too, once.
    """
    scenario = hv_timer(named(kernel), refuse=True, wakes=1)
    given, taken = scenario.records["timer"].injected, scenario.records["guest"].delivered
    twice = Property(
        "TWICE", "the guest takes one interrupt for one deadline", lambda s: s[given] > 1 < s[taken]
    )
    return AlarmLine(replace(scenario, properties=(twice,)))


def latency(*kernels: str, timer: str = "deadline") -> str:
    """Return how late a busy guest's handler is, by how much the timer is advanced; negative is early.

    The guest's ``timer`` is a "deadline", or "periodic"; raises BadInput for another one.
    """
    if timer not in TIMERS:
        raise unknown("timer", timer, TIMERS)
    return "\n".join(_latency(kernels, timer))


def _latency(kernels: tuple[str, ...], timer: str) -> Iterator[str]:
    yield f"{timer + ', ns early':<20}" + "".join(f"{name:>10}" for name in kernels) + "   cycles"
    for advance in ADVANCES:
        means = (measure(TIMERS[timer](named(k), advance=advance), HSW16).mean for k in kernels)
        yield f"{advance:<20}" + "".join(f"{round(mean):>10}" for mean in means)


def hunt() -> HuntBench:
    """Return the bench of the hunt."""
    return HuntBench()


def ablations(name: str) -> Ablations:
    """Return what breaks in the kernel called ``name`` without each step of its switch, and how."""
    return every_step(named(name))


def broken_timers() -> str:
    """Return the CPUs on which KVM does not trust the preemption timer's rate."""
    lines = (f"{eax:#010x}  {erratum}" for eax, erratum in BROKEN_PREEMPTION_TIMER.items())
    return "\n".join([f"{'CPUID.1:EAX':<12}erratum", *lines])


def tscdeadline(*kernels: str) -> str:
    """Return vmexit.flat's tscdeadline on a host with a preemption timer that works, and on one without."""
    return "\n".join(_tscdeadline(kernels))


def _tscdeadline(kernels: tuple[str, ...]) -> Iterator[str]:
    yield f"{'tscdeadline':<14}{'works':>10}{'broken':>10}   cycles"
    for name in kernels:
        means = (
            measure(vmexit(named(name), case="tscdeadline", preemption_timer=pt), HSW16).mean
            for pt in (True, False)
        )
        yield f"{name:<14}" + "".join(f"{round(mean):>10}" for mean in means)
