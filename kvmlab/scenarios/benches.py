"""Every measurement by its name."""

from collections.abc import Callable
from inspect import signature
from typing import Any

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.bench import Bench
from kvmlab.scenarios.cpuid_cycles import nested_cpuid
from kvmlab.scenarios.latency import cyclictest, periodic, tscdeadline_latency
from kvmlab.scenarios.vmexit import vmexit

BENCHES: dict[str, Callable[..., Bench]] = {
    "vmexit": vmexit,
    "tscdeadline_latency": tscdeadline_latency,
    "cyclictest": cyclictest,
    "periodic": periodic,
    "cpuid": nested_cpuid,
}


def bench(name: str, kernel: Kernel, **knobs: Any) -> Bench:
    """Return the measurement called ``name`` on ``kernel``.

    Raises BadInput for a name nobody knows, a knob it does not have, or a kernel that cannot be measured.
    """
    known = knobs_of(name)
    for knob in knobs:
        if knob not in known:
            raise BadInput(f"{name} has no knob {knob}; it has {', '.join(known)}")
    return BENCHES[name](kernel, **knobs)


def knobs_of(name: str) -> list[str]:
    """Return the names of a measurement's knobs; raise BadInput for one that nobody knows."""
    if name not in BENCHES:
        raise unknown("measurement", name, BENCHES)
    return [knob for knob in signature(BENCHES[name]).parameters if knob != "kernel"]
