"""Notebook 03b, Why did nobody notice?: everything its cells use."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from kvmlab.kernels.copy_first import COPY_FIRST
from kvmlab.kernels.names import kernel as named
from kvmlab.labs import nb03, rare
from kvmlab.labs.happens import happens as ever
from kvmlab.labs.own_path import SENDERS
from kvmlab.labs.predict import Predict, asked
from kvmlab.labs.questions03b import QUESTIONS
from kvmlab.labs.watch03 import WATCH
from kvmlab.scenarios.avic import avic as with_avic
from kvmlab.scenarios.directed_yield import directed_yield
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.posted_nested import posted_nested
from kvmlab.scenarios.vmexit import vmexit
from kvmlab.schedulers.chance import draw
from kvmlab.schedulers.explore import Exploration
from kvmlab.schedulers.explore import explore as explore_all
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.verdicts import Build, verdict_table
from kvmlab.show.widgets.verdicts import VerdictGrid

__all__ = [
    "avic",
    "chances",
    "check_path",
    "copy_first",
    "design_space",
    "diff",
    "draws",
    "explore",
    "foot",
    "gap",
    "happens",
    "lanes",
    "nets",
    "predict",
    "price",
    "stepper",
    "verdicts",
    "why",
]

chances, design_space = rare.chances, nb03.design_space
check_path, diff, explore, foot = nb03.check_path, nb03.diff, nb03.explore, nb03.foot
lanes, nets, stepper, why = nb03.lanes, nb03.nets, nb03.stepper, nb03.why

HUNT: Mapping[str, Build] = {
    "preempted": partial(posted_interrupts, sender="vtd", preemptions=1),
    "nested": posted_nested,
    "a yield": directed_yield,
}
"""VT-d posts while the thread has lost its CPU; L2 is about to run; a spinning vCPU asks about another."""


def predict(number: str) -> Predict:
    """Return the predict box of a question; raise BadInput for a number that is none."""
    return asked(number, QUESTIONS)


def draws(name: str, number: int = 1000) -> str:
    """Return how many of so many drawn schedules lose."""
    scenario = posted_interrupts(named(name))
    lost = scenario.properties[0].broken
    losing = sum(bool(lost(draw(scenario.system, seed).state)) for seed in range(number))
    return f"{name}: {losing} of {number} drawn schedules lose"


def gap(name: str, between: int = 1_000_000, **cycles: int) -> str:
    """Return in how many of the cycles between two posts a post must begin to get lost, and how rare that is.

    ``cycles`` are what steps cost; a step that is not named costs 1.
    """
    width = len(rare.gap(name, **cycles))
    if not width:
        return f"{name}: no cycle; on this clock nothing is lost"
    return f"{name}: {width} of {between:,} cycles; one post in {between // width:,} is lost"


def happens(name: str, label: str, **knobs: Any) -> str:
    """Return a shortest schedule whose last step is called ``label``, told, or that there is none."""
    scenario = posted_interrupts(named(name), **knobs)
    found = ever(scenario.system, label)
    return nb03.turns(scenario, found) if found else "never, in any schedule"


def avic(name: str, senders: int = 2) -> Exploration:
    """Try every schedule of senders that ring, with AMD's entry in the place of Intel's and of the sync."""
    return explore_all(with_avic(named(f"{name}+avic"), senders=senders))


def copy_first() -> VerdictGrid:
    """Return the proof table of b95234c beside itself with the sync's last two steps swapped."""
    kernels = [named("b95234c"), COPY_FIRST.on(named("b95234c"))]
    return VerdictGrid(verdict_table(kernels, SENDERS, beside="sender"), watch=WATCH)


def verdicts(*kernels: str) -> VerdictGrid:
    """Return the proof table of the hunt: what stands beside the entry that the patch did not think of."""
    return VerdictGrid(verdict_table([named(name) for name in kernels], HUNT), watch=WATCH)


SELF_IPIS = ("self_ipi_sti_nop", "self_ipi_tpr", "x2apic_self_ipi_sti_nop", "x2apic_self_ipi_tpr")


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
