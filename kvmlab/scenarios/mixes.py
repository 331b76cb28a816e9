"""Which kernel runs at which level, on which CPU, and how it forces an exit: read from a knob's text."""

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel as kernel_called
from kvmlab.kernels.nesting import nested
from kvmlab.kernels.patch_4 import hooks
from kvmlab.kvm.immediate_exit import VMX, CpuModel

METHODS = {"ipi": "v4.18", "timer0": "d264ee0"}
"""The kernel that forces an exit so, where no kernel is named."""

CPUS = {
    "intel": CpuModel(),
    "no-timer": CpuModel(preemption_timer=False),
    "broken-timer": CpuModel(signature=0x206E6),
}
"""What a level may run on: a CPU of today, one without the preemption timer, one of the errata list."""

AMD = "amd"
MODELS = {**CPUS, AMD: CpuModel(vendor=AMD)}
"""The same with AMD's, which has no such timer: for level 0 with one guest, nested SVM is not modelled."""


def by_level(text: str, levels: int, what: str) -> dict[int, str]:
    """Return {level: value} for ``L0=a,L1=b``; raise BadInput for anything else."""
    found: dict[int, str] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if not (name[:1] == "L" and name[1:].isdigit() and value):
            raise BadInput(f"{what}: {part!r} is no level; write L0=...,L1=...")
        if int(name[1:]) >= levels:
            raise BadInput(f"{what}: there is no KVM at {name}; the levels are L0 to L{levels - 1}")
        if int(name[1:]) in found:
            raise BadInput(f"{what}: {name} is there twice")
        found[int(name[1:])] = value
    return found


def method(kernel: Kernel, cpu: CpuModel) -> str:
    """Return how ``kernel`` forces an exit on ``cpu``: ``timer0`` or ``ipi``."""
    return "timer0" if hooks(kernel, cpu) is VMX else "ipi"


def _way(kernel: Kernel, cpu: CpuModel) -> str:
    """Return how ``kernel`` forces an exit on ``cpu``, and whether the CPU is why."""
    forced, elsewhere = method(kernel, cpu), method(kernel, CpuModel())
    name = next(name for name, model in MODELS.items() if model == cpu)
    return forced if forced == elsewhere else f"{forced} on {name}, which has no timer that it may use"


def cpus_by_level(text: str, levels: int) -> list[CpuModel]:
    """Return the CPU of each level; raise BadInput for a level that is not there, or a CPU that cannot be."""
    named = by_level(text, levels, "cpus")
    if AMD in named.values():
        raise BadInput("cpus: nested SVM is not modelled; amd is for L0 alone, with one guest (pending-smi)")
    for name in named.values():
        if name not in CPUS:
            raise unknown("CPU", name, MODELS)
    return [CPUS[named.get(level, "intel")] for level in range(levels)]


def kernels_by_level(base: Kernel, cpus: list[CpuModel], methods: str, kernels: str) -> list[Kernel]:
    """Return the kernel of each level: named, or else known by its method, or else ``base``; with nesting.

    Raises BadInput for a level that is not there, an unknown method, a kernel that is not modelled so
    far, or one that has another method than asked for.
    """
    levels = len(cpus)
    asked, named = by_level(methods, levels, "methods"), by_level(kernels, levels, "kernels")
    for wanted in asked.values():
        if wanted not in METHODS:
            raise unknown("method", wanted, METHODS)
    chosen = []
    for level, cpu in enumerate(cpus):
        name = named.get(level) or METHODS.get(asked.get(level, ""))
        found = kernel_called(name) if name else base
        found.require("levels")
        if level in asked and method(found, cpu) != asked[level]:
            if cpu.vendor == AMD:
                raise BadInput(f"methods: AMD's CPU has no timer that leaves at 0; L{level} can only do ipi")
            raise BadInput(f"methods: {found.name} at L{level} forces an exit by {_way(found, cpu)}")
        chosen.append(nested(found))
    return chosen
