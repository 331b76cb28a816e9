"""One CPUID, n levels up: what a single exit costs in exits to level 0.

Every KVM in between hears of the exit of its guest's guest, and hands it on by a VM entry of its own,
which is an exit again; so is each of its accesses to a form that is not shadowed. Left out: loading
another VMCS (VMPTRLD), TLB and EPT work, and the EOI of an interrupt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.machine.run import Run
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, loop
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import TIMER_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ROOT, Guest, frame
from kvmlab.scenarios.mixes import kernels_by_level
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.stack import Detail, Stack, kvms, stack


def _cpuid(s: list[int], me: Guest) -> None:
    vm_exit(s, me, Exit.CPUID)


GUEST = in_guest(
    loop("guest", Step("CPUID", _cpuid, says="the guest executes CPUID, which always exits")),
    lambda me: me,
    TIMER_EVENTS,
)


def exits_to_level_0(run: Run) -> int:
    """Return how often hardware left a guest of any level during ``run``."""
    running = run.system.layout.index("core.frame")
    return sum(step.before[running] != ROOT and step.after[running] == ROOT for step in run.steps)


@dataclass(frozen=True, slots=True)
class Tower:
    """What a system is made of: its layout, the stack's records, the KVMs and the guest; and the knobs."""

    layout: Layout
    stack: Stack
    actors: tuple[Actor, ...]
    sentence: str
    knobs: Mapping[str, Any]


def tower(kernel: Kernel, levels: int, accesses: int, kernels: str) -> Tower:
    """Return the KVMs of so many ``levels`` and the guest on top; the knobs are those of :func:`cpuid`."""
    kernel.require("levels")
    if levels < 1 or accesses < 0:
        raise BadInput("levels: 1 or more; accesses: 0 or more")
    layout, models = Layout(), [CpuModel()] * levels
    chosen = kernels_by_level(kernel, models, "", kernels)
    parts = stack(layout, chosen, models, Detail(hypervisor=False))
    guest = Actor("g", f"L{levels}, the guest", GUEST, parts.top, parts.core.frame, frame(levels))
    actors = (*kvms(parts, chosen, accesses), guest)
    sentence = f"a guest at L{levels} executes CPUID, again and again"
    knobs = {"levels": levels, "accesses": accesses, "kernels": kernels}
    return Tower(layout, parts, actors, sentence, knobs)


def cpuid(kernel: Kernel, *, levels: int = 1, accesses: int = 0, kernels: str = "") -> Scenario:
    """Return the scenario with so many ``levels`` of KVM on ``kernel`` under the guest.

    ``accesses`` is how often in a lap a KVM above level 0 reads or writes a form that is not shadowed;
    ``kernels`` (``L0=v4.18``) names the kernel of single levels. Raises BadInput for an impossible knob.
    """
    built = tower(kernel, levels, accesses, kernels)

    def never(s: Sequence[int]) -> bool:
        return False

    return Scenario(
        "cpuid",
        built.sentence,
        kernel,
        System(built.layout, built.actors),
        (),
        never,
        "g",
        built.knobs,
        {"core": built.stack.core, "stack": built.stack},
    )
