"""Notebook 04b, What does a promise cost?: everything its cells use."""

from collections.abc import Mapping
from functools import partial

from kvmlab.errors import unknown
from kvmlab.kernels.names import kernel as named
from kvmlab.labs import nb04
from kvmlab.labs.in_the_end import in_the_end
from kvmlab.labs.mix_grid import MixGrid, by_look
from kvmlab.labs.multiply import Multiplied, cycles, exits, readings
from kvmlab.labs.predict import Predict
from kvmlab.labs.questions04b import QUESTIONS
from kvmlab.labs.repair_bench import check_repair
from kvmlab.labs.vendors import around, vendors
from kvmlab.scenarios.landing import landing
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import MODELS, method
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.explore import Exploration
from kvmlab.schedulers.explore import explore as explore_all
from kvmlab.show.cards import SAYS
from kvmlab.show.landing import AT_ENTRY
from kvmlab.show.verdicts import Build, verdict_table
from kvmlab.show.widgets.verdicts import VerdictGrid

__all__ = [
    "around",
    "cancelled",
    "cards",
    "check_repair",
    "chosen",
    "cycles",
    "exits",
    "explore",
    "foot",
    "in_the_end",
    "lands",
    "looked_for",
    "multiplied",
    "predict",
    "readings",
    "vendors",
]

foot, cards = nb04.foot, nb04.cards

CANCEL = ("d264ee0", "d264ee0+8081ad0")


def predict(number: str) -> Predict:
    """Return the predict box of a question; raise BadInput for a number that is none."""
    if number not in QUESTIONS:
        raise unknown("question", number, QUESTIONS)
    return Predict(QUESTIONS[number])


def multiplied() -> Multiplied:
    """Return the plots of exit multiplication: exits, and cycles."""
    return Multiplied()


# What the patch missed.


def looked_for() -> MixGrid:
    """Return what L0 must look for on the card that it puts away, with and without APICv."""
    return by_look()


def cancelled() -> VerdictGrid:
    """Return the patch alone and beside a thread that calls entries off, without and with the repair."""
    columns: Mapping[str, Build] = {
        "nothing else": partial(levels, levels=1),
        "a canceller": partial(levels, levels=1, cancel=True),
    }
    return VerdictGrid(verdict_table([named(name) for name in CANCEL], columns))


def explore(cpus: str = "", **kernels: str) -> Exploration:
    """Try every schedule on the kernels of L0, L1 and so on, on ``cpus`` (``L0=broken-timer``)."""
    names = nb04.from_0_up(kernels)
    text = ",".join(f"L{level}={name}" for level, name in enumerate(names))
    return explore_all(levels(named(names[0]), levels=len(names), kernels=text, cpus=cpus))


# Which CPU gets which method.

KERNELS = ("v4.18", "d264ee0", "v6.1", "v6.1+preemption-timer=0")
"""The last one is v6.1 with a module parameter."""


def chosen() -> str:
    """Return how some kernels force an exit on each kind of CPU."""
    head = f"{'':<14}" + "".join(f"{name:<14}" for name in KERNELS)
    rows = (
        f"{cpu:<14}" + "".join(f"{SAYS[method(named(name), model)]:<14}" for name in KERNELS)
        for cpu, model in MODELS.items()
    )
    return "\n".join(line.rstrip() for line in (head, *rows))


def lands(*rates: int) -> str:
    """Return behind how many instructions timer 0 and timer 1 leave, if the timer ticks every 2^X cycles."""
    return "\n".join(
        f"X = {rate:>2}: timer 0 after {_lands(0, rate)}, timer 1 after {_lands(1, rate)}" for rate in rates
    )


def _lands(value: int, rate: int) -> int:
    scenario = landing(value, rate=rate, cap=1 << rate + 1)
    clock = Clock(scenario.system, AT_ENTRY, scenario.records["now"])
    while not scenario.done(clock.state):
        clock.step()
    retired: int = clock.state[scenario.records["guest"].insns]
    return retired
