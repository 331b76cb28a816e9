"""A posted interrupt for L1 while L0 is about to enter L2.

The sync finds it and puts it into L1's IRR; but who is entered is L2, and whether L1 should run instead was
asked at the top of the lap. L2 then runs on with an interrupt for L1 that L0 knows of.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.edit import Before, apply
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Block
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import in_guest
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, Vmcs, frame
from kvmlab.scenarios.posted_interrupts import PROGRAM
from kvmlab.scenarios.posting import all_returned
from kvmlab.scenarios.posting import senders as posters
from kvmlab.scenarios.scenario import Scenario

L2: Block = in_guest(PROGRAM, lambda me: me)
"""L2 hears of no notification: its own VMCS names none."""


def _vcpu(layout: Layout, kernel: Kernel, exits: int) -> Vcpu:
    """Allocate L0's vCPU with L2 active; KVM's registers of L1's local APIC are the virtual-APIC page."""
    record, controls = layout.record, kernel.setting("exit_controls")
    core, cpu0 = record(Core, "core"), record(Cpu, "L0")
    cpu1, cpu2 = record(Cpu, "L1", irq=0), record(Cpu, "L2")
    v01 = record(Vmcs, "vmcs01", owner=0, guest=1, exit_controls=controls)
    v02 = record(Vmcs, "vmcs02", owner=0, guest=2, exit_controls=controls)
    v12 = record(Vmcs, "vmcs12", owner=1, guest=2)
    apicv = replace(record(Apicv, "apicv"), virr=cpu1.irr)
    g1 = record(Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=v01, apicv=apicv)
    g2 = record(Guest, "guest2", level=2, core=core, host=cpu0, cpu=cpu2, vmcs=v02, faults=exits)
    return record(Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(g1, g2), forms=(v12,), current=1)


def posted_nested(kernel: Kernel, *, exits: int = 0, sender: str = "kvm") -> Scenario:
    """Return the scenario on ``kernel``; L2 may leave ``exits`` times on its own.

    ``sender`` is "kvm" (another CPU) or "vtd" (hardware). Raises BadInput for a kernel that is not modelled
    for it, or a knob that cannot be.
    """
    kernel.require("posted-nested")
    if exits < 0:
        raise BadInput("exits: 0 or more")
    layout = Layout()
    vcpu = _vcpu(layout, kernel, exits)
    core, (g1, g2) = vcpu.core, vcpu.guests
    posting = posters(layout, vcpu, kernel.paths["post"], sender, 1)
    run_loop = apply(kernel.paths[RUN_LOOP], Before("REQ.other", (kernel.paths["vcpu_running"],)))
    system = System(
        layout,
        [
            Actor("v", "vCPU thread (L0)", run_loop, vcpu, core.frame, ROOT),
            Actor("h", "host interrupts", kernel.paths["host_irq"], vcpu, core.frame, ROOT + 1),
            Actor("g", "L2", L2, g2, core.frame, frame(2)),
            *posting.actors,
        ],
    )
    returned, apicv = posting.returned(system), g1.apicv
    assert apicv is not None

    def at_rest(s: Sequence[int]) -> bool:
        return s[core.frame] == frame(2) and not s[vcpu.cpu.irr] and all_returned(s, returned)

    def over(s: Sequence[int]) -> bool:
        return at_rest(s) or not s[vcpu.current]

    late = "at rest, L2 does not run on while L0 knows of an interrupt for L1"
    return Scenario(
        "posted-nested",
        "an interrupt for L1 is posted while L0 is about to enter L2",
        kernel,
        system,
        (
            Property("LATE", late, lambda s: s[g1.cpu.irr] > 0 and at_rest(s)),
            Property("LOST", "at rest, nothing is left in PIR", lambda s: s[apicv.pir] > 0 and at_rest(s)),
        ),
        over,
        "",
        {"exits": exits, "sender": sender},
        {"core": core, "L0": vcpu.cpu, "L1": g1.cpu, "guest": g2, "vcpu": vcpu, "apicv": apicv},
    )
