"""Notebook 04, Zero is a promise: everything its cells use.

Levels are named as keywords, from ``L0`` up: ``cards(L0="timer0", L1="ipi")``.
"""

from dataclasses import replace
from textwrap import fill
from typing import Protocol

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kernels.names import kernel as named
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.labs.late import TEST, both_real, real_and_model, real_verdicts
from kvmlab.labs.mix_grid import MixGrid, by_method
from kvmlab.labs.predict import Predict
from kvmlab.labs.questions04 import QUESTIONS
from kvmlab.labs.rule import proof, tried
from kvmlab.labs.rule_bench import check_rule
from kvmlab.labs.unittest import DEFAULT_KERNEL, Result
from kvmlab.labs.unittest import unittest as run_unittest
from kvmlab.scenarios.unittests.scenario import unit_test
from kvmlab.schedulers.explore import Exploration
from kvmlab.show.diff import KernelDiff
from kvmlab.show.tower import tower
from kvmlab.show.widgets.cards import Cards
from kvmlab.show.widgets.landing import Landings
from kvmlab.show.widgets.tower import LevelView

__all__ = [
    "both_real",
    "cards",
    "check_rule",
    "diff",
    "explore",
    "foot",
    "landing",
    "late",
    "predict",
    "proof",
    "real_and_model",
    "real_verdicts",
    "unittest",
    "verdicts",
    "who",
]

PARAMETER = {"self-IPI": 0, "timer 0": 1}
"""The module parameter preemption_timer of v6.1, by how it forces an exit then."""


class Foot(Protocol):
    """Any picture with a sentence under it."""

    @property
    def foot(self) -> str:
        """The sentence."""


def foot(shown: Foot) -> str:
    """Return the sentence under a picture, in lines that fit the page."""
    return fill(shown.foot, 80)


def predict(number: str) -> Predict:
    """Return the predict box of a question; raise BadInput for a number that is none."""
    if number not in QUESTIONS:
        raise unknown("question", number, QUESTIONS)
    return Predict(QUESTIONS[number])


def from_0_up(levels: dict[str, str]) -> tuple[str, ...]:
    """Return what is said of each level; raise BadInput if one is left out or is no level."""
    wanted = [f"L{n}" for n in range(len(levels))]
    if not levels or sorted(levels) != wanted:
        raise BadInput(f"levels: L0, L1 and so on, none left out; not {', '.join(levels) or 'none at all'}")
    return tuple(levels[name] for name in wanted)


def unittest(ipi_delay: int = 0, **kernels: str) -> Result:
    """Run the test "preemption timer" on the kernels of L0, L1 and so on; the last one is under test."""
    names = from_0_up(kernels)
    text = ",".join(f"L{level}={name}" for level, name in enumerate(names))
    return run_unittest(TEST, level=len(names) - 1, kernels=text, ipi_delay=ipi_delay)


def who(**kernels: str) -> LevelView:
    """Return who is where when that test begins: the levels, and their cards."""
    names = from_0_up(kernels)
    scenario = unit_test(TEST, [named(name) for name in names], [CpuModel()] * len(names))
    return LevelView(tower(scenario, scenario.system.start, dict(enumerate(names))), "Who is where")


def cards(k: int = 1000, at: int | str = 1, **methods: str) -> Cards:
    """Return the card in the slot for the methods of L0, L1 and so on, "ipi" or "timer0", at a moment."""
    return Cards(from_0_up(methods), k, at)


def explore(a1: bool = True, **methods: str) -> Exploration:
    """Try every schedule of a mix of methods, of L0, L1 and so on."""
    return tried(from_0_up(methods), a1)


def verdicts() -> MixGrid:
    """Return the proof table: each method at level 0, and at level 1 over either."""
    return by_method()


def diff(before: str, after: str) -> KernelDiff:
    """Return what distinguishes two kernels in the run loop."""
    return KernelDiff(_run_loop(before), _run_loop(after))


def _run_loop(name: str) -> Kernel:
    """Return a kernel with its run loop alone, without a module parameter that is older than the patch."""
    kernel = named(name)
    settings = {name: each for name, each in kernel.settings.items() if name != "preemption_timer"}
    return replace(kernel, paths={RUN_LOOP: kernel.paths[RUN_LOOP]}, settings=settings)


def landing(phase: int = 20) -> Landings:
    """Return where an exit lands, by the timer's value and the TSC's phase at the entry."""
    return Landings(phase)


def late(*delays: int) -> str:
    """Return what the test says of v6.1 at level 0 by either method, its IPI so many instructions late."""
    return "\n".join(_late(how, delay) for how in PARAMETER for delay in delays)


def _late(how: str, delay: int) -> str:
    kernel = f"{DEFAULT_KERNEL}+preemption-timer={PARAMETER[how]}"
    *_, last = unittest(delay, L0=kernel).lines
    return f"{how:<9} {delay:>5} late: {'PASS' if last.ok else 'FAIL'}, {last.text}"
