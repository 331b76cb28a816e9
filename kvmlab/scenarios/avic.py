"""AVIC: other CPUs set a bit in vIRR and ring the doorbell while the vCPU goes round its loop.

The question is that of posted interrupts, asked of a design that has no sync.
"""

from collections.abc import Sequence

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kvm.avic import Ring
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Block
from kvmlab.machine.system import Actor, System
from kvmlab.processor.apicv import page
from kvmlab.processor.boundary import in_guest
from kvmlab.processor.doorbell import AVIC_EVENTS, bell
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, Vmcs, frame
from kvmlab.scenarios.posted_interrupts import PROGRAM
from kvmlab.scenarios.posting import FIRST_VECTOR, LETTERS, Senders, all_returned
from kvmlab.scenarios.scenario import Scenario

GUEST = in_guest(PROGRAM, lambda me: me, AVIC_EVENTS)


def _vcpu(layout: Layout) -> Vcpu:
    """Allocate a vCPU whose CPU has a doorbell; the guest's own page is all there is to look at."""
    core = layout.record(Core, "core", doorbell=layout.add("core.doorbell"))
    cpu0, cpu1 = layout.record(Cpu, "L0"), layout.record(Cpu, "L1")
    vmcb = layout.record(Vmcs, "vmcb", owner=0, guest=1)
    page = layout.record(Apicv, "page")
    guest = layout.record(Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=vmcb, apicv=page)
    return layout.record(Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(guest,))


def _rings(vcpu: Vcpu, path: Block, number: int) -> Senders:
    if not 1 <= number <= len(LETTERS):
        raise BadInput(f"senders: 1 to {len(LETTERS)}")
    vectors = range(FIRST_VECTOR, FIRST_VECTOR + number)
    rings = [Ring(vcpu=vcpu, vector=vector) for vector in vectors]
    named = zip(LETTERS, rings, strict=False)
    return Senders(tuple(Actor(at, f"sender of {ring.vector:#x}", path, ring) for at, ring in named), 0)


def avic(kernel: Kernel, *, senders: int = 1) -> Scenario:
    """Return the scenario on ``kernel``: so many senders, a vector each, towards a guest that may stay.

    Raises BadInput for a kernel without AVIC, or a number of senders that cannot be.
    """
    kernel.require("avic")
    layout = Layout()
    vcpu = _vcpu(layout)
    core, cpu0, guest = vcpu.core, vcpu.cpu, vcpu.guests[0]
    rings = _rings(vcpu, kernel.paths["post"], senders)
    system = System(
        layout,
        [
            Actor("v", "vCPU thread (L0)", kernel.paths[RUN_LOOP], vcpu, core.frame, ROOT),
            Actor("h", "host interrupts", kernel.paths["host_irq"], vcpu, core.frame, ROOT + 1),
            Actor("g", "guest", GUEST, guest, core.frame, frame(1)),
            *rings.actors,
        ],
    )
    returned, apicv = rings.returned(system), page(guest)
    counted = min(senders, 2)  # The handler's counter goes no further.

    def at_rest(s: Sequence[int]) -> bool:
        quiet = not s[cpu0.irr] and not s[bell(core)] and not s[apicv.recognised]
        return quiet and s[core.frame] == frame(1) and all_returned(s, returned)

    def lost(s: Sequence[int]) -> bool:
        return at_rest(s) and (s[apicv.virr] > 0 or s[guest.delivered] != counted)

    return Scenario(
        "avic",
        "other CPUs set vIRR and ring while the vCPU goes round its loop",
        kernel,
        system,
        (Property("LOST", "at rest, nothing is left in vIRR, and the handler has counted it", lost),),
        at_rest,
        "",
        {"senders": senders},
        {"core": core, "L0": cpu0, "guest": guest, "vcpu": vcpu, "page": apicv},
    )
