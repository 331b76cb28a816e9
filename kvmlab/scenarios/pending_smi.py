"""An SMI waits while an event is injected again: an immediate exit for a guest that is no hypervisor.

KVM at level 0, on Intel's CPU or on AMD's, has one guest, L1. An interrupt was half delivered to it and is
to be injected again; an SMI came meanwhile. Both are due before the next instruction of L1, and need two
entries. So this is where the vendors can be compared: on AMD's CPU it was the only use of the hook before
nested SVM had one (v4.19 svm.c has no check_nested_events).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel, Patch, swap
from kvmlab.kernels.patch_4 import hooks
from kvmlab.kernels.svm import AROUND, on_svm
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.kvm.pending_smi import INJECT, smi_of
from kvmlab.kvm.records import Sender, Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.kvm.smi import Smi
from kvmlab.machine.property import Eventually, Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Block, Step, block, free, loop
from kvmlab.machine.system import Actor, System
from kvmlab.processor import intr_info
from kvmlab.processor.boundary import TIMER_EVENTS, in_guest
from kvmlab.processor.controls import EXTERNAL_INTERRUPT_EXITING, show_pin
from kvmlab.processor.entry import retire, vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ROOT, Core, Cpu, Guest, Vmcs, frame, show_flag
from kvmlab.processor.svm import SVM_EVENTS
from kvmlab.processor.wire import WIRE, Wire
from kvmlab.scenarios.fairness import fairness
from kvmlab.scenarios.mixes import AMD, MODELS, by_level, kernels_by_level
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.tick import takes_ticks, ticks

HALF_DELIVERED = 0x31
"""The vector that is to be injected again."""

WITH_SMI = Patch("smi", "a guest that may get an SMI", "v4.19 x86.c", (swap("INJECT", INJECT),))


def _insn(s: list[int], me: Vcpu) -> None:
    retire(s, me.guests[0])


def _cpuid(s: list[int], me: Vcpu) -> None:
    vm_exit(s, me.guests[0], Exit.CPUID)


def _no_smm(s: Sequence[int], me: Vcpu) -> bool:
    return not s[smi_of(me).smm]


def _in_smm(s: list[int], me: Vcpu) -> str:
    retire(s, me.guests[0])
    return "guest"


GUEST = block(
    "guest",
    loop(
        "L1",
        free(
            "L1.RUN",
            Step("INSN", _insn, _no_smm, "L1 executes one instruction"),
            Step("CPUID", _cpuid, _no_smm, "L1 leaves on its own, by CPUID"),
            Step(
                "SMM.INSN", _in_smm, lambda s, me: not _no_smm(s, me), "L1's SMI handler runs", "", ("guest",)
            ),
        ),
    ),
)
"""L1 computes and leaves as it likes, until its SMI handler runs: there it ends."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The records of the scenario."""

    core: Core
    cpu: Cpu
    guest: Guest
    vcpu: Vcpu


def _parts(layout: Layout, kernel: Kernel, cpu: CpuModel, no_a1: bool) -> Parts:
    record, add = layout.record, layout.add
    core = record(Core, "core")
    gif = {"gif": add("L0.gif", 1, show_flag)} if cpu.vendor == AMD else {}
    cpu0, cpu1 = record(Cpu, "L0", **gif), record(Cpu, "L1")
    fields = {"exit_controls": kernel.setting("exit_controls")}
    if cpu.vendor != AMD:
        fields |= {
            "pin": add("vmcs01.pin", EXTERNAL_INTERRUPT_EXITING, show_pin),
            "timer": add("vmcs01.timer"),
        }
    form = record(Vmcs, "vmcb01" if cpu.vendor == AMD else "vmcs01", owner=0, guest=1, **fields)
    guest = record(Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=form)
    vcpu = record(
        Vcpu,
        "vcpu",
        level=0,
        core=core,
        cpu=cpu0,
        guests=(guest,),
        wire=record(Wire, "wire", irr=cpu0.irr) if no_a1 else None,
        ops=hooks(kernel, cpu),
        forced=add("vcpu.forced", 0, show_flag),
        smi=record(Smi, "smi", pending=1),
        requests=KVM_REQ_EVENT,
        queued=intr_info.event(HALF_DELIVERED),
    )
    return Parts(core, cpu0, guest, vcpu)


def _actors(kernel: Kernel, parts: Parts, events: Block, cancel: bool) -> list[Actor]:
    top, vcpu = parts.core.frame, parts.vcpu
    actors = [
        Actor("v", "KVM at L0", kernel.paths["vcpu_run"], vcpu, top, ROOT),
        Actor("h", "host interrupts", kernel.paths["host_irq"], vcpu, top, ROOT + 1),
        Actor("g", "L1, the guest", events, vcpu, top, frame(1)),
    ]
    if vcpu.wire is not None:
        actors.append(Actor("i", "the interrupt's way", WIRE, vcpu.wire))
    if cancel:
        actors.append(Actor("a", "another thread", kernel.paths["request_and_kick"], Sender(vcpu=vcpu)))
    return actors


def _properties(parts: Parts) -> tuple[Property, ...]:
    running, guest, smi = parts.core.frame, parts.guest, smi_of(parts.vcpu)

    def late(s: Sequence[int]) -> bool:
        return bool(s[running] == frame(1) and s[guest.insns] and s[smi.pending])

    def skipped(s: Sequence[int]) -> bool:
        return bool(s[smi.smm] and not s[guest.delivered])

    return (
        Property("LATE", "L1 executes no instruction while its SMI waits", late),
        Property("SKIPPED", "what was half delivered reaches L1 before its SMI does", skipped),
    )


def _model(cpus: str) -> CpuModel:
    name = by_level(cpus, 1, "cpus").get(0, "intel")
    if name not in MODELS:
        raise unknown("CPU", name, MODELS)
    return MODELS[name]


def pending_smi(
    kernel: Kernel,
    *,
    levels: int = 1,
    methods: str = "",
    kernels: str = "",
    cpus: str = "",
    no_a1: bool = False,
    cancel: bool = False,
    tick: bool = False,
    around: str = "",
) -> Scenario:
    """Return the scenario on ``kernel``; its knobs are those of ``levels``, and there is one level.

    ``cpus`` may be ``L0=amd``. ``around`` is then VMRUN with what stands around it, in another order or
    with less (``CLGI,VMRUN,STGI``). Raises BadInput for an impossible knob: more levels than one, timer 0
    on AMD's CPU, steps around VMRUN on Intel's.
    """
    kernel.require("pending-smi")
    if levels != 1:
        raise BadInput("levels: here level 0 has one guest, so say 1; nested SVM is not modelled")
    cpu = _model(cpus)
    if around and cpu.vendor != AMD:
        raise BadInput("around: there is no VMRUN on Intel's CPU; say cpus L0=amd")
    (chosen,) = kernels_by_level(kernel, [cpu], methods, kernels)
    chosen = WITH_SMI.on(chosen, chosen.name)
    svm = cpu.vendor == AMD
    chosen = on_svm(chosen, tuple(around.split(",")) if around else AROUND) if svm else chosen
    layout = Layout()
    parts = _parts(layout, chosen, cpu, no_a1)
    guest = in_guest(GUEST, lambda me: me.guests[0], SVM_EVENTS if svm else TIMER_EVENTS)
    actors = _actors(chosen, parts, guest, cancel)
    if tick:
        actors = [*map(takes_ticks, actors), ticks((parts.vcpu,), parts.guest)]
    system = System(layout, actors)
    at, end = system.pc["g"], len(system.places["g"])
    return Scenario(
        "pending-smi",
        "an SMI waits while an event is injected again, on Intel's CPU or AMD's",
        chosen,
        system,
        _properties(parts),
        lambda s: s[at] == end,
        "",
        {"levels": levels, "methods": methods, "kernels": kernels, "cpus": cpus, "no_a1": no_a1}
        | {"cancel": cancel, "tick": tick, "around": around},
        {"core": parts.core, "L0": parts.cpu, "guest": parts.guest, "vcpu": parts.vcpu},
        liveness=(Eventually("NEVER", "L1's SMI handler runs in the end", lambda s: s[at] < end),),
        fairness=fairness(tick=tick),
    )
