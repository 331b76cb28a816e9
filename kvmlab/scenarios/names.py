"""Every scenario by its name."""

from collections.abc import Callable
from inspect import signature
from typing import Any

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.scenarios.directed_yield import directed_yield
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.kick import kick
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.pending_smi import pending_smi
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.posted_nested import posted_nested
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.self_ipi import self_ipi
from kvmlab.scenarios.tsc_deadline import tsc_deadline

SCENARIOS: dict[str, Callable[..., Scenario]] = {
    "immediate-exit": immediate_exit,
    "kick": kick,
    "posted-interrupts": posted_interrupts,
    "posted-nested": posted_nested,
    "directed-yield": directed_yield,
    "self-ipi": self_ipi,
    "hv-timer": hv_timer,
    "tsc-deadline": tsc_deadline,
    "levels": levels,
    "pending-smi": pending_smi,
}


def scenario(name: str, kernel: Kernel, **knobs: Any) -> Scenario:
    """Return the scenario called ``name`` on ``kernel``.

    Raises BadInput for a name nobody knows, a knob it does not have, or a kernel it does not fit.
    """
    known = knobs_of(name)
    for knob in knobs:
        if knob not in known:
            raise BadInput(f"{name} has no knob {knob}; it has {', '.join(known) or 'none'}")
    return SCENARIOS[name](kernel, **knobs)


def knobs_of(name: str) -> list[str]:
    """Return the names of a scenario's knobs."""
    if name not in SCENARIOS:
        raise unknown("scenario", name, SCENARIOS)
    return [knob for knob in signature(SCENARIOS[name]).parameters if knob != "kernel"]
