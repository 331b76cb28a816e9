"""The run loop and one thread that wants something: a request, and a kick.

What the protocol promises: once the kicker has returned, the guest does not run on with the request
unseen. Either the recheck finds the request, or an IPI takes the guest out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.records import Sender, Vcpu
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, free, loop
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import in_guest
from kvmlab.processor.entry import retire, vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ROOT, Core, Cpu, Guest, Vmcs, frame
from kvmlab.scenarios.scenario import Scenario


def _cpuid(s: list[int], me: Guest) -> None:
    vm_exit(s, me, Exit.CPUID)


GUEST = in_guest(
    loop(
        "guest",
        free(
            "RUN",
            Step("INSN", retire, says="the guest executes one instruction"),
            Step("CPUID", _cpuid, says="the guest leaves on its own, by CPUID"),
        ),
    ),
    lambda me: me,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """The records of the scenario."""

    core: Core
    cpu0: Cpu
    guest: Guest
    vcpu: Vcpu


def _parts(layout: Layout, kernel: Kernel) -> Parts:
    core = layout.record(Core, "core")
    cpu0, cpu1 = layout.record(Cpu, "L0"), layout.record(Cpu, "L1")
    v01 = layout.record(Vmcs, "vmcs01", owner=0, guest=1, exit_controls=kernel.setting("exit_controls"))
    guest = layout.record(Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=v01)
    return Parts(
        core, cpu0, guest, layout.record(Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(guest,))
    )


def kick(kernel: Kernel) -> Scenario:
    """Return the scenario on ``kernel``; raise BadInput if the kernel is not modelled for it."""
    kernel.require("kick")
    layout = Layout()
    parts = _parts(layout, kernel)
    top = parts.core.frame
    system = System(
        layout,
        [
            Actor("v", "vCPU thread (L0)", kernel.paths["vcpu_run"], parts.vcpu, top, ROOT),
            Actor("h", "host interrupts", kernel.paths["host_irq"], parts.vcpu, top, ROOT + 1),
            Actor("g", "guest", GUEST, parts.guest, top, frame(1)),
            Actor("a", "another thread", kernel.paths["request_and_kick"], Sender(vcpu=parts.vcpu)),
        ],
    )
    kicker, returned = system.pc["a"], len(system.places["a"])

    def missed(s: Sequence[int]) -> bool:
        runs = s[top] == frame(1) and not s[parts.cpu0.irr]
        return runs and s[kicker] == returned and bool(s[parts.vcpu.requests])

    sentence = "the guest does not run on with the request unseen once the kicker has returned"
    return Scenario(
        "kick",
        "another thread makes a request and kicks, while the vCPU goes round its loop",
        kernel,
        system,
        (Property("MISSED", sentence, missed),),
        lambda s: False,
        "vvvvvvv",
        {},
        {"core": parts.core, "L0": parts.cpu0, "guest": parts.guest, "vcpu": parts.vcpu},
    )
