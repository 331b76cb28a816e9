"""A guest that sends itself an interrupt, again and again: the guest of the recorded traces.

What a round costs depends on APICv. Without it, three exits: the write that sends, the interrupt window, the
EOI. With it, one if the guest sends by ICR, none if it sends by SELF_IPI.
"""

from collections.abc import Sequence

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.apic import PASSED
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import APICV_EVENTS, EVENTS
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, Vmcs, frame
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.self_ipi_guest import SENDING, Program, handler, program

EXTRA = ("in_handler", "return_rip", "shadow", "msr", "value")
"""What this guest's context has beyond every guest's."""


def _records(layout: Layout, kernel: Kernel, rounds: int) -> tuple[Vcpu, Program]:
    apicv = bool(kernel.setting("enable_apicv"))
    core = layout.record(Core, "core")
    cpu0, cpu1 = layout.record(Cpu, "L0"), layout.record(Cpu, "L1")
    fields = {"exit_controls": kernel.setting("exit_controls"), "passed": PASSED if apicv else frozenset()}
    v01 = layout.record(Vmcs, "vmcs01", owner=0, guest=1, **fields)
    extra: dict[str, object] = {name: layout.add(f"guest1.{name}") for name in EXTRA}
    if apicv:
        extra["apicv"] = layout.record(Apicv, "apicv")
    guest = layout.record(Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=v01, **extra)
    own = layout.record(Program, "program", guest=guest, rounds=rounds)
    return layout.record(Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(guest,)), own


def _actors(kernel: Kernel, vcpu: Vcpu, own: Program, msr: str) -> list[Actor]:
    top, passed = vcpu.core.frame, own.guest.vmcs.passed
    events = EVENTS if own.guest.apicv is None else APICV_EVENTS
    return [
        Actor("v", "vCPU thread (L0)", kernel.paths["vcpu_run"], vcpu, top, ROOT),
        Actor("h", "host interrupts", kernel.paths["host_irq"], vcpu, top, ROOT + 1),
        Actor("g", "guest", program(msr, passed, events), own, top, frame(1)),
        Actor("i", "guest's handler", handler(passed, events), own, top, frame(1) + 1),
    ]


def _named(vcpu: Vcpu, own: Program) -> dict[str, object]:
    guest = own.guest
    named = {"core": vcpu.core, "L0": vcpu.cpu, "L1": guest.cpu, "guest": guest, "vcpu": vcpu, "program": own}
    return named if guest.apicv is None else {**named, "apicv": guest.apicv}


def self_ipi(kernel: Kernel, *, rounds: int = 16, msr: str = "icr") -> Scenario:
    """Return the scenario on ``kernel`` with so many rounds; the traced guest does 16.

    ``msr`` says how the guest sends: by "icr" or by "self_ipi". Raises BadInput if the kernel is not modelled
    for it, for fewer rounds than one, or for another register.
    """
    kernel.require("self-ipi")
    if rounds < 1:
        raise BadInput("rounds counts self-IPIs: 1 or more")
    if msr not in SENDING:
        raise unknown("msr", msr, SENDING)
    layout = Layout()
    vcpu, own = _records(layout, kernel, rounds)
    system = System(layout, _actors(kernel, vcpu, own, msr))
    at, end = system.pc["g"], len(system.places["g"])

    def lost(s: Sequence[int]) -> bool:
        return s[at] == end and s[own.counted] != rounds

    return Scenario(
        "self-ipi",
        "a guest sends itself an interrupt, again and again",
        kernel,
        system,
        (Property("COUNTED", "every self-IPI is counted once by the guest's handler", lost),),
        lambda s: s[at] == end,
        "v" * 11,
        {"rounds": rounds, "msr": msr},
        _named(vcpu, own),
    )
