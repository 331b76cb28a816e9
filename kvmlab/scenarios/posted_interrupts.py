"""Posted interrupts: senders post while the vCPU goes round its loop; the guest may stay for ever.

What must hold is asked at rest: the guest runs, every sender has returned, and nothing is pending at
the CPU. Then nobody will come any more, and what is still in PIR is lost until the guest's next exit.
Safety is enough: where the graph has no cycle, "at every rest nothing is left" is "everything posted gets
to the guest", and no fairness is assumed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import RUN_LOOP, Kernel, Patch, PathEdit
from kvmlab.kernels.tso import tso
from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm.preempted import preempted
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.edit import Before
from kvmlab.machine.property import Predicate, Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import STAY, Block, Step, block
from kvmlab.machine.store_buffer import DRAIN, StoreBuffer, buffered
from kvmlab.machine.system import Actor, System
from kvmlab.processor.apicv import page
from kvmlab.processor.boundary import APICV_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, Vmcs, frame, show_flag
from kvmlab.scenarios.mechanisms import MONITOR
from kvmlab.scenarios.posting import Senders, all_returned
from kvmlab.scenarios.posting import senders as posters
from kvmlab.scenarios.scenario import Scenario


def _cpuid(s: list[int], me: Guest) -> str:
    s[me.faults] -= 1
    vm_exit(s, me, Exit.CPUID)
    return STAY


PROGRAM: Block = block(
    "guest", Step("CPUID", _cpuid, lambda s, me: s[me.faults], "the guest leaves on its own, by CPUID")
)
"""The guest computes, which nobody else can see; it stays, or leaves while its budget lasts."""

GUEST = in_guest(PROGRAM, lambda me: me, APICV_EVENTS)


WHO = {"kvm": "other CPUs post", "vtd": "VT-d posts", "both": "other CPUs and VT-d post"}
"""Sender -> who posts."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The records of the scenario."""

    core: Core
    cpu0: Cpu
    guest: Guest
    vcpu: Vcpu

    @property
    def apicv(self) -> Apicv:
        """The descriptor and the virtual-APIC page."""
        return page(self.guest)

    @property
    def buffer(self) -> StoreBuffer | None:
        """The store buffer of the vCPU's CPU, under TSO."""
        return self.vcpu.mode_buffer


def parts(layout: Layout, kernel: Kernel, exits: int, memory: str, preemptions: int = 0) -> Parts:
    """Allocate a vCPU whose guest may leave ``exits`` times on its own; ``memory`` is "sc" or "tso".

    Its thread may lose its CPU ``preemptions`` times; only then its descriptor's SN is used.
    """
    core = layout.record(Core, "core")
    cpu0, cpu1 = layout.record(Cpu, "L0"), layout.record(Cpu, "L1")
    v01 = layout.record(Vmcs, "vmcs01", owner=0, guest=1, exit_controls=kernel.setting("exit_controls"))
    sn = layout.add("apicv.sn", 0, show_flag) if preemptions else None
    left = layout.add("vcpu.preemptions", preemptions) if preemptions else None
    apicv = layout.record(Apicv, "apicv", sn=sn)
    guest = layout.record(
        Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=v01, apicv=apicv, faults=exits
    )
    vcpu = layout.record(Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(guest,), preemptions=left)
    if memory == "tso":
        buffer = buffered(layout, "buffer", vcpu.mode, change=vcpu_mode.change)
        vcpu = replace(vcpu, mode_buffer=buffer)
    return Parts(core, cpu0, guest, vcpu)


def actors(kernel: Kernel, the: Parts, guest: Block, posting: Senders) -> list[Actor]:
    """Return the vCPU's thread, the host, the guest, the senders, and the store buffer if there is one."""
    core, vcpu = the.core, the.vcpu
    drain = [Actor("s", "store buffer of the vCPU's CPU", DRAIN, the.buffer)] if the.buffer else []
    return [
        Actor("v", "vCPU thread (L0)", kernel.paths["vcpu_run"], vcpu, core.frame, ROOT),
        Actor("h", "host interrupts", kernel.paths["host_irq"], vcpu, core.frame, ROOT + 1),
        Actor("g", "guest", guest, the.guest, core.frame, frame(1)),
        *posting.actors,
        *drain,
    ]


def rest(the: Parts, system: System, posting: Senders) -> Predicate:
    """Return the question "the guest runs, nothing is on its way to it, and every sender has returned"."""
    core, cpu0, apicv, returned = the.core, the.cpu0, the.apicv, posting.returned(system)

    def at_rest(s: Sequence[int]) -> bool:
        runs = (
            s[core.frame] == frame(1) and not s[cpu0.irr] and not s[apicv.posting] and not s[apicv.recognised]
        )
        return runs and all_returned(s, returned)

    return at_rest


def properties(apicv: Apicv, at_rest: Predicate) -> tuple[Property, ...]:
    """Return what must hold at rest: PIR is empty, and ON is not stuck."""
    return (
        Property("LOST", "at rest, nothing is left in PIR", lambda s: s[apicv.pir] > 0 and at_rest(s)),
        Property("ON_STUCK", "at rest, ON is not set", lambda s: s[apicv.on] > 0 and at_rest(s)),
    )


def remembered(kernel: Kernel, memory: str, barrier: bool) -> Kernel:
    """Return the kernel under a memory model; raise BadInput for a model nobody knows."""
    if memory not in ("sc", "tso"):
        raise BadInput(f"memory {memory}: sc (sequential consistency) or tso (x86)")
    if memory == "sc" and not barrier:
        raise BadInput("leaving the barrier out changes nothing under sc: say --memory tso too")
    return tso(kernel, barrier=barrier) if memory == "tso" else kernel


def _preempted(kernel: Kernel) -> Kernel:
    """Return the kernel with a lap's top at which its thread may lose its CPU."""
    if "vcpu_load" not in kernel.paths:
        raise BadInput(f"{kernel.name} is not modelled for preemptions; b95234c and later are")
    top = PathEdit(RUN_LOOP, Before("REQ.other", (preempted(kernel.paths["vcpu_load"]),)))
    return Patch("preempted", kernel.says, kernel.source, (top,)).on(kernel, kernel.name)


def posted_interrupts(
    kernel: Kernel,
    *,
    senders: int = 1,
    exits: int = 0,
    sender: str = "kvm",
    memory: str = "sc",
    barrier: bool = True,
    preemptions: int = 0,
) -> Scenario:
    """Return the scenario on ``kernel``: so many senders, one post each, a vector each.

    ``exits`` limits how often the guest leaves on its own; ``sender`` is "kvm" (another CPU), "vtd"
    (hardware) or "both" in turn; ``memory`` is "sc" or "tso" (x86: the store to vcpu->mode waits in a store
    buffer), there with or without the ``barrier`` behind it; the vCPU's thread may lose its CPU
    ``preemptions`` times, at the top of a lap. Raises BadInput for a kernel that is not modelled for it, or
    a knob that cannot be.
    """
    kernel.require("posted-interrupts")
    if exits < 0 or preemptions < 0:
        raise BadInput("exits and preemptions: 0 or more")
    run = remembered(_preempted(kernel) if preemptions else kernel, memory, barrier)
    layout = Layout()
    the = parts(layout, run, exits, memory, preemptions)
    posting = posters(layout, the.vcpu, run.paths["post"], sender, senders)
    system = System(layout, actors(run, the, GUEST, posting))
    at_rest = rest(the, system, posting)
    said = {"senders": senders, "exits": exits, "sender": sender, "memory": memory, "barrier": barrier}
    said["preemptions"] = preemptions
    return Scenario(
        "posted-interrupts",
        f"{WHO[sender]} interrupts while the vCPU goes round its loop",
        run,
        system,
        properties(the.apicv, at_rest),
        at_rest,
        "",
        said,
        {"core": the.core, "L0": the.cpu0, "guest": the.guest, "vcpu": the.vcpu, "apicv": the.apicv},
        symmetry=posting.alike,
        monitor=MONITOR,
    )
