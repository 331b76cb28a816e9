"""One CPUID, n levels up: what a single exit costs in exits to level 0.

Every KVM in between hears of the exit of its guest's guest, and hands it on by a VM entry of its own,
which is an exit again; so is each of its accesses to a form that is not shadowed. Left out: loading
another VMCS (VMPTRLD), TLB and EPT work, and the EOI of an interrupt.
"""

from collections.abc import Sequence

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.nesting import nested
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.machine.run import Run
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, loop
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import TIMER_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ROOT, Guest, frame
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.stack import LETTERS, Detail, kvms, stack


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


def cpuid(kernel: Kernel, *, levels: int = 1, accesses: int = 0) -> Scenario:
    """Return the scenario with so many ``levels`` of KVM on ``kernel`` under the guest.

    ``accesses`` is how often in a lap a KVM above level 0 reads or writes a form that is not shadowed. Raises
    BadInput for an impossible knob.
    """
    kernel.require("levels")
    if not 1 <= levels <= len(LETTERS) or accesses < 0:
        raise BadInput(f"levels: 1 to {len(LETTERS)}; accesses: 0 or more")
    layout = Layout()
    kernels = [nested(kernel)] * levels
    parts = stack(layout, kernels, [CpuModel()] * levels, Detail(hypervisor=False))
    guest = Actor("g", f"L{levels}, the guest", GUEST, parts.top, parts.core.frame, frame(levels))
    system = System(layout, [*kvms(parts, kernels, accesses), guest])

    def never(s: Sequence[int]) -> bool:
        return False

    return Scenario(
        "cpuid",
        f"a guest at L{levels} executes CPUID, again and again",
        kernel,
        system,
        (),
        never,
        "g",
        {"levels": levels, "accesses": accesses},
        {"core": parts.core, "stack": parts},
    )
