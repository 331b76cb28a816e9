"""A stack of hypervisors: the records of every level, written once for however many there are.

L0 to L(n-1) are KVM, each with a kernel of its own. L(n) is code of which a scenario brings the program:
a guest, or one more hypervisor with one guest, L(n+1). At the start L(n) runs, and every KVM stands
behind the VM entry that led there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.patch_4 import hooks
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.kvm.levels import at_level
from kvmlab.kvm.mode import IN_GUEST_MODE
from kvmlab.kvm.nested_entry import OWN_EXCEPTIONS, OWN_PROC
from kvmlab.kvm.nested_tsc import Tsc, stacked
from kvmlab.kvm.nested_vmx import Hrtimer, NestedVmx
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.letters import capitals
from kvmlab.machine.state import Cell, Layout
from kvmlab.machine.system import Actor
from kvmlab.processor.controls import EXTERNAL_INTERRUPT_EXITING, show_pin
from kvmlab.processor.intr_info import show as show_event
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Flags, Guest, Vmcs, frame, show_flag
from kvmlab.processor.wire import Wire

Forms = Mapping[tuple[int, int], Vmcs]


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of a stack is there.

    ``hypervisor``: L(n) is one and has a guest. ``apicv``: level 0 gives L1 a CPU with APICv.
    ``slow_ipi``: an IPI that level 0 sends to itself takes its time: ``delay`` where ``now`` is the cell
    that counts it, else any. ``cap`` is how many instructions of a guest are counted. ``code``: the guest
    runs code of its own, with all that an instruction may touch; its handlers of vectors in
    ``trap_gates`` keep IF. ``tscs[n]``: what level n does to the TSC of L(n+1), if anything.
    """

    hypervisor: bool = True
    apicv: bool = False
    slow_ipi: bool = False
    cap: int = 1
    code: bool = False
    now: Cell | None = None
    delay: int = 0
    trap_gates: frozenset[int] = frozenset()
    tscs: tuple[Tsc, ...] = ()


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

    @property
    def told(self) -> Guest:
        """The guest as L(n) has it, where L(n) is a hypervisor."""
        return replace(self.top, host=self.cpus[self.kvms], vmcs=self.form)


def _vmcs(layout: Layout, owner: int, guest: int, kernel: Kernel | None, code: bool) -> Vmcs:
    """Allocate V[owner -> guest]; KVM has switched on what it always switches on."""
    name = f"V{owner}_{guest}"
    more = {"pin": layout.add(f"{name}.pin", EXTERNAL_INTERRUPT_EXITING if kernel else 0, show_pin)}
    more["timer"] = layout.add(f"{name}.timer")
    if code:
        more["exception_bitmap"] = layout.add(f"{name}.exceptions", OWN_EXCEPTIONS if kernel else 0)
    if code and not kernel:
        more["saves_timer"] = layout.add(f"{name}.saves_timer", 0, show_flag)
    controls, proc = (kernel.setting("exit_controls"), OWN_PROC) if kernel else (0, 0)
    return layout.record(Vmcs, name, owner=owner, guest=guest, exit_controls=controls, proc=proc, **more)


def _code(
    layout: Layout, core: Core, cpus: Sequence[Cpu], forms: Forms, kvms: int, detail: Detail
) -> dict[int, Guest]:
    """Return the contexts; only hypervisors write MSRs here, only the guest on top runs code of its own."""
    code = {}
    for level in range(1, len(cpus)):
        name, top = f"guest{level}", level == len(cpus) - 1
        cells = [] if top and detail.hypervisor else ["msr", "value"]
        if top and detail.code:
            cells = ["shadow", "activity", "debug", "return_rip", "nmi_blocked", "exit_length"]
        extra: dict[str, object] = {part: layout.add(f"{name}.{part}") for part in cells}
        if top and detail.code:
            extra["flags"] = layout.record(Flags, f"{name}.flags")
        if level == 1 and detail.apicv:
            extra["apicv"] = layout.record(Apicv, f"{name}.apicv")
        code[level] = layout.record(
            Guest,
            name,
            level=level,
            core=core,
            host=cpus[0],
            cpu=cpus[level],
            vmcs=forms[0, level],
            trap_gates=detail.trap_gates,
            cap=detail.cap,
            length=detail.cap + 1,
            **extra,
        )
    return code


def _nested(layout: Layout, level: int, detail: Detail) -> NestedVmx:
    name = f"nested{level}"
    cells = ("mtf_pending", "halted", "init") if detail.code else ()
    more: dict[str, object] = {part: layout.add(f"{name}.{part}", 0, show_flag) for part in cells}
    if detail.now is not None:
        more["clock"] = layout.record(
            Hrtimer, f"{name}.clock", now=detail.now, tsc=stacked(detail.tscs[: level + 1])
        )
    return layout.record(NestedVmx, name, **more)


def _vcpu(
    layout: Layout,
    stack: Stack,
    level: int,
    kernel: Kernel,
    cpu: CpuModel,
    above: Vcpu | None,
    detail: Detail,
) -> Vcpu:
    top = len(stack.cpus) - 1
    guests = tuple(
        replace(stack.code[k], host=stack.cpus[level], vmcs=stack.vmcs[level, k])
        for k in range(level + 1, top + 1)
    )
    wire = None
    if detail.slow_ipi and not level:
        irr = stack.cpus[0].irr
        wire = layout.record(Wire, "wire", irr=irr, now=detail.now, delay=detail.delay)
    exception = layout.add(f"vcpu{level}.exception", 0, show_event) if detail.code else None
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
        wire=wire,
        nested=_nested(layout, level, detail),
        ops=hooks(kernel, cpu),
        forced=layout.add(f"vcpu{level}.forced", 0, show_flag),
        exception=exception,
        mode=IN_GUEST_MODE,
        current=stack.kvms - level - 1,
    )


def stack(layout: Layout, kernels: Sequence[Kernel], cpus: Sequence[CpuModel], detail: Detail) -> Stack:
    """Allocate a stack with one KVM for each of ``kernels``, from level 0 on, each on its CPU of ``cpus``."""
    n = len(kernels)
    top = n + detail.hypervisor
    core = layout.record(Core, "core", frame=frame(n))
    seen = [layout.record(Cpu, f"L{k}", irq=0) for k in range(top + 1)]
    owners = [*kernels, None]
    forms = {
        (h, k): _vmcs(layout, h, k, owners[h], detail.code and k == top)
        for h in range(top)
        for k in range(h + 1, top + 1)
    }
    code = _code(layout, core, seen, forms, n, detail)
    bare = Stack(n, core, tuple(seen), code, forms, ())
    vcpus: list[Vcpu] = []
    for level in reversed(range(n)):
        above = vcpus[0] if vcpus else None
        vcpus.insert(0, _vcpu(layout, bare, level, kernels[level], cpus[level], above, detail))
    for level in range(1, n):
        vcpus[level] = replace(vcpus[level], below=vcpus[level - 1])
    return replace(bare, vcpus=tuple(vcpus))


def kvms(stack: Stack, kernels: Sequence[Kernel], accesses: int = 0) -> list[Actor]:
    """Return the KVMs as actors, and the host's interrupts; ``accesses`` trap in each lap above level 0."""
    top, letters = stack.core.frame, chain("v", capitals())
    threads = [
        Actor(
            next(letters),
            f"KVM at L{level}",
            at_level(kernel.paths["vcpu_run"], stack.vcpus[level], accesses),
            stack.vcpus[level],
            top,
            frame(level),
            "VMEXIT",
        )
        for level, kernel in enumerate(kernels)
    ]
    host = Actor("h", "host interrupts", kernels[0].paths["host_irq"], stack.vcpus[0], top, ROOT + 1)
    return [*threads, host]
