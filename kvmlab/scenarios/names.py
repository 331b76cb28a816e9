"""Every scenario by its name."""

from collections.abc import Callable
from typing import Any

from kvmlab.errors import unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.scenario import Scenario

SCENARIOS: dict[str, Callable[..., Scenario]] = {"immediate-exit": immediate_exit}


def scenario(name: str, kernel: Kernel, **knobs: Any) -> Scenario:
    """Return the scenario called ``name`` on ``kernel``; raise BadInput for a name nobody knows."""
    if name not in SCENARIOS:
        raise unknown("scenario", name, SCENARIOS)
    return SCENARIOS[name](kernel, **knobs)
