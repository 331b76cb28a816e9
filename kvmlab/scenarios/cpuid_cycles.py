"""One CPUID, n levels up, in cycles: the round trip of Ln as a measurement.

What hardware does, it does for level 0 only. So the steps of a hypervisor above it have labels of their own
here, and a machine may say that the same step costs something else up there.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel as named
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.bench import ABOVE, Bench
from kvmlab.machine.edit import each_step
from kvmlab.machine.system import Actor, Move, System
from kvmlab.processor.exits import show
from kvmlab.scenarios.cpuid import tower

MOST, EXITS = 32, 20_000
"""So many trapping accesses in a lap have a name on a machine; so many exits are followed one by one."""

PUBLISHED, KERNEL = 13142, "d264ee0"
"""The one figure that there is for a guest's guest, and the kernel that is nearest to it.

List mail "[PATCH 00/43] VMX optimizations", June 2019: a CPUID of L2, on an unnamed CPU. It does not say how
many accesses trapped in a lap.
"""


def nested_cpuid(kernel: Kernel, *, levels: int = 1, accesses: int = 0, kernels: str = "") -> Bench:
    """Return what measures one CPUID of L``levels`` up to its next one, and counts exits to level 0.

    The knobs are those of the scenario; raises BadInput for one that cannot be.
    """
    if accesses > MOST:
        raise BadInput(f"accesses: at most {MOST} where cycles are counted")
    if (accesses + 2) ** (levels - 1) > EXITS:
        raise BadInput(f"more than {EXITS} exits, too many to follow; fewer levels, or fewer accesses")
    built = tower(kernel, levels, accesses, kernels)
    return Bench(
        f"cpuid of L{levels}",
        built.sentence,
        System(built.layout, [_marked(actor) for actor in built.actors]),
        end="CPUID",
        samples=1,
        skip=1,
        patience=100 * EXITS,
        tallies={"VMEXIT": _reason},
        knobs=built.knobs,
    )


def published(accesses: int) -> Bench:
    """Return the measurement of which a figure was published, if so many accesses trapped there."""
    return nested_cpuid(named(KERNEL), levels=2, accesses=accesses)


def _reason(move: Move, s: Sequence[int]) -> str:
    vcpu: Vcpu = move.me
    return show(s[vcpu.guests[s[vcpu.current]].vmcs.reason])


def _marked(actor: Actor) -> Actor:
    """Return a hypervisor above level 0 with its steps under labels of their own, any other as it is."""
    if not isinstance(actor.me, Vcpu) or actor.me.under is None:
        return actor
    return replace(actor, path=each_step(actor.path, lambda step: replace(step, label=step.label + ABOVE)))
