"""Forcing an exit n levels up: does the promise "no instruction" reach hardware, whatever lies between?

``levels`` KVMs stand on each other. The hypervisor on top of them enters its guest with a preemption
timer of 0; the KVM right below emulates that timer, and so has to enter and leave at once, by its own
method. A method that is timer 0 again asks the next one below, and so on; a self-IPI above level 0 is an
interrupt that the level below keeps for its guest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel as kernel_called
from kvmlab.kernels.nesting import nested
from kvmlab.kernels.patch_4 import hooks
from kvmlab.kvm.immediate_exit import VMX, CpuModel
from kvmlab.kvm.records import Sender
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor import preemption_timer
from kvmlab.processor.boundary import TIMER_EVENTS
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest, Vmcs, frame
from kvmlab.processor.wire import WIRE
from kvmlab.scenarios.guests import L2, L2_BODY, on_guest
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.stack import LETTERS, Detail, Stack, kvms, stack

METHODS = {"ipi": "v4.18", "timer0": "d264ee0"}
"""The kernel that forces an exit so, where no kernel is named."""


@dataclass(frozen=True, slots=True)
class Tester:
    """The hypervisor on top: its code, and its form for the guest."""

    guest: Guest
    form: Vmcs


def _resume(s: list[int], me: Tester) -> None:
    preemption_timer.arm(s, me.form, 0)
    vm_exit(s, me.guest, Exit.VMRESUME)


def _nothing(s: list[int], me: Tester) -> None:
    """Change nothing."""


TESTER = on_guest(
    block(
        "tester",
        Step("TEST.VMRESUME", _resume, says="the tester enters its guest with a preemption timer of 0"),
        Step("TEST.EXITED", _nothing, says="the tester runs again, behind its VMRESUME"),
    ),
    TIMER_EVENTS,
)


def by_level(text: str, levels: int, what: str) -> dict[int, str]:
    """Return {level: value} for ``L0=a,L1=b``; raise BadInput for anything else."""
    found: dict[int, str] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if not (name[:1] == "L" and name[1:].isdigit() and value):
            raise BadInput(f"{what}: {part!r} is no level; write L0=...,L1=...")
        if int(name[1:]) >= levels:
            raise BadInput(f"{what}: there is no KVM at {name}; the levels are L0 to L{levels - 1}")
        found[int(name[1:])] = value
    return found


def method(kernel: Kernel, cpu: CpuModel) -> str:
    """Return how ``kernel`` forces an exit on ``cpu``: ``timer0`` or ``ipi``."""
    return "timer0" if hooks(kernel, cpu) is VMX else "ipi"


def kernels_by_level(base: Kernel, levels: int, methods: str, kernels: str) -> list[Kernel]:
    """Return the kernel of each level: named, or else known by its method, or else ``base``.

    Raises BadInput for a level that is not there, an unknown method, or a kernel with another method than
    asked for.
    """
    asked, named = by_level(methods, levels, "methods"), by_level(kernels, levels, "kernels")
    for wanted in asked.values():
        if wanted not in METHODS:
            raise BadInput(f"methods: {wanted} is none; known: {', '.join(METHODS)}")
    chosen = []
    for level in range(levels):
        name = named.get(level) or METHODS.get(asked.get(level, ""))
        found = kernel_called(name) if name else base
        found.require("levels")
        found = nested(found)
        if level in asked and method(found, CpuModel()) != asked[level]:
            raise BadInput(f"methods: {found.name} at L{level} forces an exit by {method(found, CpuModel())}")
        chosen.append(found)
    return chosen


def _actors(parts: Stack, chosen: Sequence[Kernel], accesses: int, after: int | None) -> list[Actor]:
    top, n = parts.core.frame, len(chosen)
    tester = Tester(parts.code[n], parts.form)
    return [
        *kvms(parts, chosen, accesses),
        Actor("m", f"L{n}, a hypervisor", TESTER, tester, top, frame(n)),
        Actor("g", f"L{n + 1}, its guest", GUEST, L2(guest=parts.top, after=after), top, frame(n + 1)),
    ]


GUEST = on_guest(L2_BODY, TIMER_EVENTS)


def levels(
    kernel: Kernel,
    *,
    levels: int = 2,
    methods: str = "",
    kernels: str = "",
    no_a1: bool = False,
    cancel: bool = False,
    accesses: int = 0,
    after: int | None = None,
) -> Scenario:
    """Return the scenario with so many ``levels`` of KVM, all of them ``kernel`` where nothing else is said.

    ``methods`` (``L0=ipi,L1=timer0``) and ``kernels`` (``L0=v4.18+b5861e5``) say it for single levels.
    ``no_a1`` drops the assumption that an IPI which level 0 sends to itself with interrupts off is
    pending before its next entry. ``cancel`` adds a thread beside the KVM on top that makes a request and
    kicks. ``accesses`` is how often in a lap a KVM above level 0 reads or writes a form that is not
    shadowed; ``after`` fixes the guest's VMCALL behind so many instructions. Raises BadInput for an
    impossible knob.
    """
    if not 1 <= levels <= len(LETTERS) or accesses < 0 or (after or 0) < 0:
        raise BadInput(f"levels: 1 to {len(LETTERS)}; accesses and after: 0 or more")
    chosen = kernels_by_level(kernel, levels, methods, kernels)
    layout = Layout()
    cap = after + 1 if after else 1
    parts = stack(layout, chosen, [CpuModel()] * levels, Detail(cap=cap, slow_ipi=no_a1))
    actors = _actors(parts, chosen, accesses, after)
    if no_a1:
        actors.append(Actor("i", "the interrupt's way", WIRE, parts.vcpus[0].wire))
    if cancel:
        sender = Sender(vcpu=parts.vcpus[-1])
        actors.append(Actor("a", "another thread", chosen[-1].paths["request_and_kick"], sender))
    system = System(layout, actors)
    at, end = system.pc["m"], len(system.places["m"])
    running, guest = parts.core.frame, parts.top

    def late(s: Sequence[int]) -> bool:
        return bool(s[running] == frame(guest.level) and s[guest.insns])

    def told(s: Sequence[int]) -> bool:
        return s[at] > 0 and s[running] == frame(levels) and s[parts.form.reason] != Exit.PREEMPTION_TIMER

    where = f"L{levels + 1}"
    return Scenario(
        "levels",
        f"L{levels} enters {where} with a preemption timer of 0, on {levels} KVMs",
        kernel,
        system,
        (
            Property("LATE", f"{where} executes no instruction before the exit", late),
            Property("TOLD", f"L{levels} is told that its timer has run out", told),
        ),
        lambda s: s[at] == end,
        "",
        {
            "levels": levels,
            "methods": methods,
            "kernels": kernels,
            "no_a1": no_a1,
            "cancel": cancel,
            "accesses": accesses,
            "after": after,
        },
        {"core": parts.core, "stack": parts},
    )
