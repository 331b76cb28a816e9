"""A spinning vCPU asks whether another one could run; the other one has just been posted an interrupt.

Nobody posts to the asker. So whatever its guest takes was not meant for it.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.edit import Before, apply
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.system import Actor, System
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, Vmcs, frame
from kvmlab.scenarios.posted_interrupts import GUEST
from kvmlab.scenarios.posting import all_returned
from kvmlab.scenarios.posting import senders as posters
from kvmlab.scenarios.scenario import Scenario


def _vcpu(layout: Layout, kernel: Kernel, whose: str = "") -> Vcpu:
    """Allocate a vCPU on a CPU of its own; the asker's records have the names that every scenario's have."""
    record = layout.record
    core, host, cpu = record(Core, f"{whose}core"), record(Cpu, f"{whose}L0"), record(Cpu, f"{whose}L1")
    vmcs = record(Vmcs, f"{whose}vmcs01", owner=0, guest=1, exit_controls=kernel.setting("exit_controls"))
    apicv = record(Apicv, f"{whose}apicv")
    guest = record(Guest, f"{whose}guest1", level=1, core=core, host=host, cpu=cpu, vmcs=vmcs, apicv=apicv)
    return record(Vcpu, f"{whose}vcpu", level=0, core=core, cpu=host, guests=(guest,))


def directed_yield(kernel: Kernel) -> Scenario:
    """Return the scenario on ``kernel``; raise BadInput if the kernel is not modelled for it."""
    kernel.require("directed-yield")
    layout = Layout()
    other = _vcpu(layout, kernel, "other.")
    vcpu = replace(_vcpu(layout, kernel), other=other)
    core, guest = vcpu.core, vcpu.guests[0]
    posting = posters(layout, other, kernel.paths["post"], "kvm", 1)
    run_loop = apply(kernel.paths[RUN_LOOP], Before("REQ.other", (kernel.paths["on_spin"],)))
    system = System(
        layout,
        [
            Actor("v", "spinning vCPU's thread", run_loop, vcpu, core.frame, ROOT),
            Actor("h", "host interrupts", kernel.paths["host_irq"], vcpu, core.frame, ROOT + 1),
            Actor("g", "its guest", GUEST, guest, core.frame, frame(1)),
            *posting.actors,
        ],
    )
    returned, apicv = posting.returned(system), guest.apicv
    assert apicv is not None

    def leaked(s: Sequence[int]) -> bool:
        return bool(s[guest.delivered])

    def at_rest(s: Sequence[int]) -> bool:
        return s[core.frame] == frame(1) and not s[apicv.recognised] and all_returned(s, returned)

    return Scenario(
        "directed-yield",
        "a spinning vCPU asks about another one, to which an interrupt is posted",
        kernel,
        system,
        (Property("LEAKED", "a guest takes no interrupt that was not posted to it", leaked),),
        at_rest,
        "",
        {},
        {"core": core, "L0": vcpu.cpu, "guest": guest, "vcpu": vcpu, "apicv": apicv, "other": other},
    )
