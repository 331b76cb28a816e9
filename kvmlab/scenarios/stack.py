"""A stack of hypervisors: the records of every level, written once for however many there are.

L0 to L(n-1) are KVM, each with a kernel of its own. L(n) is code of which a scenario brings the program:
a guest, or one more hypervisor with one guest, L(n+1). At the start L(n) runs, and every KVM stands
behind the VM entry that led there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.patch_4 import hooks
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.kvm.levels import at_level
from kvmlab.kvm.mode import IN_GUEST_MODE
from kvmlab.kvm.nested_vmx import NestedVmx
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.state import Layout
from kvmlab.machine.system import Actor
from kvmlab.processor.controls import EXTERNAL_INTERRUPT_EXITING, show_pin
from kvmlab.processor.records import ROOT, Core, Cpu, Guest, Vmcs, frame, show_flag
from kvmlab.processor.vectors import show_set

Forms = Mapping[tuple[int, int], Vmcs]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The actors of the KVMs above level 0; a schedule is written in letters, so here the alphabet ends."""


@dataclass(frozen=True, slots=True)
class Stack:
    """``cpus[k]`` is the CPU of level k, ``code[k]`` its code as hardware runs it (from level 1 on).

    ``vmcs[h, k]`` is V[h -> k]; ``vcpus[h]`` is KVM at level h. There are ``kvms`` of them.
    """

    kvms: int

    core: Core
    cpus: tuple[Cpu, ...]
    code: Mapping[int, Guest]
    vmcs: Forms
    vcpus: tuple[Vcpu, ...]

    @property
    def top(self) -> Guest:
        """The guest that runs nobody else."""
        return self.code[len(self.cpus) - 1]

    @property
    def form(self) -> Vmcs:
        """What L(n) fills in for it, where L(n) is a hypervisor."""
        return self.vmcs[self.kvms, self.kvms + 1]


def _vmcs(layout: Layout, owner: int, guest: int, exit_controls: int) -> Vmcs:
    name = f"V{owner}_{guest}"
    pin, timer = layout.add(f"{name}.pin", EXTERNAL_INTERRUPT_EXITING, show_pin), layout.add(f"{name}.timer")
    return layout.record(
        Vmcs, name, owner=owner, guest=guest, exit_controls=exit_controls, pin=pin, timer=timer
    )


def _code(
    layout: Layout, core: Core, cpus: Sequence[Cpu], forms: Forms, kvms: int, cap: int
) -> dict[int, Guest]:
    """Return the contexts; only KVM writes MSRs here."""
    code = {}
    for level in range(1, len(cpus)):
        name = f"guest{level}"
        extra = {part: layout.add(f"{name}.{part}") for part in ("msr", "value")} if level < kvms else {}
        code[level] = layout.record(
            Guest,
            name,
            level=level,
            core=core,
            host=cpus[0],
            cpu=cpus[level],
            vmcs=forms[0, level],
            cap=cap,
            length=cap + 1,
            **extra,
        )
    return code


def _vcpu(
    layout: Layout, stack: Stack, level: int, kernel: Kernel, cpu: CpuModel, above: Vcpu | None
) -> Vcpu:
    top = len(stack.cpus) - 1
    guests = tuple(
        replace(stack.code[k], host=stack.cpus[level], vmcs=stack.vmcs[level, k])
        for k in range(level + 1, top + 1)
    )
    return layout.record(
        Vcpu,
        f"vcpu{level}",
        level=level,
        core=stack.core,
        cpu=stack.cpus[level],
        guests=guests,
        forms=tuple(stack.vmcs[level + 1, k] for k in range(level + 2, top + 1)),
        loaded=above.current if above else None,
        under=stack.code.get(level),
        nested=layout.record(NestedVmx, f"nested{level}"),
        ops=hooks(kernel, cpu),
        forced=layout.add(f"vcpu{level}.forced", 0, show_flag),
        mode=IN_GUEST_MODE,
        current=stack.kvms - level - 1,
    )


def stack(
    layout: Layout,
    kernels: Sequence[Kernel],
    cpus: Sequence[CpuModel],
    *,
    hypervisor: bool = True,
    in_flight: bool = False,
    cap: int = 1,
) -> Stack:
    """Allocate a stack with one KVM for each of ``kernels``, from level 0 on, each on its CPU of ``cpus``.

    ``hypervisor``: L(n) is one and has a guest. ``in_flight``: an IPI that level 0 sends to itself takes its
    time. ``cap`` is how many instructions of a guest are counted.
    """
    n = len(kernels)
    top = n + hypervisor
    core = layout.record(Core, "core", frame=frame(n))
    flight = layout.add("L0.in_flight", 0, show_set) if in_flight else None
    seen = [layout.record(Cpu, f"L{k}", irq=0, in_flight=None if k else flight) for k in range(top + 1)]
    controls = [*(kernel.setting("exit_controls") for kernel in kernels), 0]
    forms = {(h, k): _vmcs(layout, h, k, controls[h]) for h in range(top) for k in range(h + 1, top + 1)}
    code = _code(layout, core, seen, forms, n, cap)
    bare = Stack(n, core, tuple(seen), code, forms, ())
    vcpus: list[Vcpu] = []
    for level in reversed(range(n)):
        vcpus.insert(0, _vcpu(layout, bare, level, kernels[level], cpus[level], vcpus[0] if vcpus else None))
    for level in range(1, n):
        vcpus[level] = replace(vcpus[level], below=vcpus[level - 1])
    return replace(bare, vcpus=tuple(vcpus))


def kvms(stack: Stack, kernels: Sequence[Kernel], accesses: int = 0) -> list[Actor]:
    """Return the KVMs as actors, and the host's interrupts; ``accesses`` trap in each lap above level 0."""
    top = stack.core.frame
    threads = [
        Actor(
            LETTERS[level - 1] if level else "v",
            f"KVM at L{level}",
            at_level(kernel.paths["vcpu_run"], level, accesses),
            stack.vcpus[level],
            top,
            frame(level),
            "VMEXIT",
        )
        for level, kernel in enumerate(kernels)
    ]
    host = Actor("h", "host interrupts", kernels[0].paths["host_irq"], stack.vcpus[0], top, ROOT + 1)
    return [*threads, host]
