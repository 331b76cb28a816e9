"""The first lesson: L1 launches L2 while L0 gets an interrupt for L1.

0x40 for L1 arrives while L0 handles L1's VMRESUME, so that KVM_REQ_EVENT is set when L2 is first
entered. (An interrupt that was pending before the VMRESUME has spent its KVM_REQ_EVENT on a window
in vmcs01: that hole was closed in 2018 and belongs to the fourth lesson.) Its sender's steps are
drawn as one: nobody looks between them here, and its kick finds OUTSIDE_GUEST_MODE.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.mode import IN_GUEST_MODE, OUTSIDE_GUEST_MODE
from kvmlab.kvm.records import Sender, Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import is_valid
from kvmlab.processor.records import ROOT, Core, Cpu, Guest, Vmcs, frame
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.exit_mechanisms import monitor
from kvmlab.scenarios.guests import L1, L1_PROGRAM, L2, L2_PROGRAM
from kvmlab.scenarios.scenario import Scenario

FOR_L1 = 0x40
"""The vector that L0 holds for L1."""


def _arrives(s: Sequence[int], me: Vcpu) -> bool:
    """While L0 handles L1's VMRESUME, outside guest mode, before L2 is active."""
    resuming = s[me.guests[0].vmcs.reason] == Exit.VMRESUME and not s[me.current]
    return resuming and s[me.core.frame] == ROOT and s[me.mode] == OUTSIDE_GUEST_MODE


def _accept(s: list[int], me: Vcpu) -> None:
    s[me.guests[0].cpu.irr] |= bit(FOR_L1)
    s[me.requests] |= KVM_REQ_EVENT


DEVICE = block(
    "device",
    Step(
        "IRQ_0x40",
        _accept,
        _arrives,
        "0x40 for L1 arrives: into L1's IRR, KVM_REQ_EVENT; the kick finds OUTSIDE",
        "d6185f20a0ef lapic.c __apic_accept_irq",
    ),
)


@dataclass(frozen=True, slots=True)
class Parts:
    """The records of the scenario."""

    core: Core
    cpu0: Cpu
    cpu1: Cpu
    l1: L1
    l2: L2
    vcpu: Vcpu


def _parts(layout: Layout, kernel: Kernel, offers: tuple[bool, ...], after: int | None, faults: int) -> Parts:
    record = layout.record
    core = record(Core, "core", frame=frame(1))
    cpu0 = record(Cpu, "L0", irq=0)
    cpu1 = record(Cpu, "L1", irq=0)
    cpu2 = record(Cpu, "L2", irq=0)
    controls = kernel.setting("exit_controls")
    v01 = record(Vmcs, "vmcs01", owner=0, guest=1, exit_controls=controls)
    v02 = record(Vmcs, "vmcs02", owner=0, guest=2, exit_controls=controls)
    v12 = record(Vmcs, "vmcs12", owner=1, guest=2)
    cap, length = (after + 1, after + 2) if after else (1, 2)
    g1 = record(Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=v01)
    g2 = record(
        Guest,
        "guest2",
        level=2,
        core=core,
        host=cpu0,
        cpu=cpu2,
        vmcs=v02,
        cap=cap,
        length=length,
        faults=faults,
    )
    l1 = record(L1, "l1", guest=g1, vmcs12=v12, offers=offers)
    l2 = record(L2, "l2", guest=g2, after=after)
    vcpu = record(
        Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(g1, g2), forms=(v12,), mode=IN_GUEST_MODE
    )
    return Parts(core, cpu0, cpu1, l1, l2, vcpu)


def _actors(kernel: Kernel, parts: Parts, cancel: bool) -> list[Actor]:
    top = parts.core.frame
    actors = [
        Actor("v", "vCPU thread (L0)", kernel.paths["vcpu_run"], parts.vcpu, top, ROOT, "VMEXIT"),
        Actor("h", "host interrupts", kernel.paths["host_irq"], parts.vcpu, top, ROOT + 1),
        Actor("m", "L1, a hypervisor", L1_PROGRAM, parts.l1, top, frame(1)),
        Actor("g", "L2, its guest", L2_PROGRAM, parts.l2, top, frame(2)),
        Actor("d", "device", DEVICE, parts.vcpu),
    ]
    if cancel:
        sender = Sender(vcpu=parts.vcpu)
        actors.append(Actor("a", "another thread", kernel.paths["request_and_kick"], sender))
    return actors


def _properties(parts: Parts, l1_at: int) -> tuple[Property, ...]:
    l1, g2, v12 = parts.l1, parts.l2.guest, parts.l1.vmcs12
    irr, running = parts.cpu1.irr, parts.core.frame

    def ran(s: Sequence[int]) -> bool:
        return bool(s[running] == frame(2) and s[g2.insns] and s[irr])

    def lost(s: Sequence[int]) -> bool:
        reached = s[running] == frame(1) and s[l1_at] > 0 and s[l1.injected]
        return bool(reached) and not s[g2.delivered] and not is_valid(s[v12.idt_vectoring])

    def forgotten(s: Sequence[int]) -> bool:
        able = s[running] == frame(1) and s[parts.cpu1.irq] and s[irr]
        asked = s[l1.guest.vmcs.proc] & INTERRUPT_WINDOW_EXITING or s[parts.cpu0.irr]
        return bool(able) and not asked

    return (
        Property("L2_RAN", "L2 executes no instruction while an interrupt for L1 waits", ran),
        Property("LOST", "what L1 injected is delivered to L2 or reported back to L1", lost),
        Property("FORGOTTEN", "L1 does not run with IF=1 while 0x40 waits and nobody is to come", forgotten),
        Property("TWICE", "what L1 injected is delivered only once", lambda s: s[g2.delivered] > 1),
    )


def immediate_exit(
    kernel: Kernel,
    *,
    cancel: bool = False,
    inject: bool | None = None,
    after: int | None = None,
    faults: int = 0,
) -> Scenario:
    """Return the scenario on ``kernel``.

    ``cancel`` adds a thread that makes a request and kicks, at any point; ``inject`` fixes whether L1
    injects 0x31 (``None``: both are tried); ``after`` fixes L2's VMCALL behind that many instructions
    (``None``: L2 computes or leaves as it likes); ``faults`` deliveries to L2 may hit an EPT violation.
    Raises BadInput for a negative ``after`` or ``faults``.
    """
    kernel.require("immediate-exit")
    if (after or 0) < 0 or faults < 0:
        raise BadInput("after and faults count instructions and faults: 0 or more")
    layout = Layout()
    offers = (True, False) if inject is None else (inject,)
    parts = _parts(layout, kernel, offers, after, faults)
    system = System(layout, _actors(kernel, parts, cancel))
    l1_at, count = system.pc["m"], len(system.places["m"])
    last = count - 1

    def done(s: Sequence[int]) -> bool:
        """L1's handler has run, or L1 waits for an interrupt that never came."""
        return s[l1_at] == count or (s[l1_at] == last and not s[parts.cpu1.irr])

    return Scenario(
        "immediate-exit",
        "L1 launches L2 while L0 gets an interrupt for L1",
        kernel,
        system,
        _properties(parts, l1_at),
        done,
        "m vvv d",
        {"cancel": cancel, "inject": inject, "after": after, "faults": faults},
        {"core": parts.core, "L0": parts.cpu0, "L1": parts.cpu1, "l2": parts.l2.guest, "vcpu": parts.vcpu},
        monitor=monitor(1),
    )
