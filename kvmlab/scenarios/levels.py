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
from kvmlab.kvm.records import Sender
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.property import Eventually, Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor import preemption_timer
from kvmlab.processor.boundary import TIMER_EVENTS
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest, Vmcs, frame
from kvmlab.processor.wire import WIRE
from kvmlab.scenarios.exit_mechanisms import monitor
from kvmlab.scenarios.fairness import fairness
from kvmlab.scenarios.guests import L2, L2_BODY, on_guest
from kvmlab.scenarios.mixes import cpus_by_level, kernels_by_level
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.stack import Detail, Stack, kvms, stack
from kvmlab.scenarios.tick import takes_ticks, ticks


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
GUEST = on_guest(L2_BODY, TIMER_EVENTS)


def _actors(parts: Stack, chosen: Sequence[Kernel], accesses: int, after: int | None) -> list[Actor]:
    top, n = parts.core.frame, len(chosen)
    tester = Tester(parts.code[n], parts.form)
    actors = [
        *kvms(parts, chosen, accesses),
        Actor("m", f"L{n}, a hypervisor", TESTER, tester, top, frame(n)),
        Actor("g", f"L{n + 1}, its guest", GUEST, L2(guest=parts.top, after=after), top, frame(n + 1)),
    ]
    wire = parts.vcpus[0].wire
    return actors if wire is None else [*actors, Actor("i", "the interrupt's way", WIRE, wire)]


def _properties(parts: Stack, tester_at: int) -> tuple[Property, ...]:
    running, guest, n = parts.core.frame, parts.top, parts.kvms

    def late(s: Sequence[int]) -> bool:
        return bool(s[running] == frame(guest.level) and s[guest.insns])

    def told(s: Sequence[int]) -> bool:
        back = s[running] == frame(n) and s[tester_at] > 0
        return back and s[parts.form.reason] != Exit.PREEMPTION_TIMER

    # Who asks for the exit is a KVM_REQ_EVENT; where it was used up too early, nobody asks again.
    asked = tuple((vcpu.requests, KVM_REQ_EVENT) for vcpu in parts.vcpus)
    return (
        Property("LATE", f"L{n + 1} executes no instruction before the exit", late, asked),
        Property("TOLD", f"L{n} is told that its timer has run out", told),
    )


def _liveness(parts: Stack, tester_at: int, end: int) -> tuple[Eventually, ...]:
    running, guest, n = parts.core.frame, parts.top, parts.kvms

    def owed(s: Sequence[int]) -> bool:
        return s[tester_at] < end and not (s[running] == frame(n) and s[tester_at])

    told = f"L{guest.level} leaves after finitely many instructions, and L{n} runs again"
    return (Eventually("NEVER", told, owed),)


def _page(kernel: Kernel, apicv: bool | None) -> bool:
    """Whether level 0 gives its guest APICv: asked for, or set by its kernel."""
    setting = kernel.settings.get("enable_apicv")
    if apicv and setting is not None and not setting.value:
        raise BadInput(f"apicv: {kernel.name} does not use it")
    return bool(setting.value if apicv is None and setting else apicv)


def levels(
    kernel: Kernel,
    *,
    levels: int = 2,
    methods: str = "",
    kernels: str = "",
    cpus: str = "",
    no_a1: bool = False,
    cancel: bool = False,
    tick: bool = False,
    apicv: bool | None = None,
    accesses: int = 0,
    after: int | None = None,
) -> Scenario:
    """Return the scenario with so many ``levels`` of KVM, all of them ``kernel`` where nothing else is said.

    ``methods`` (``L0=ipi,L1=timer0``), ``kernels`` (``L0=v4.18+b5861e5``) and ``cpus`` (``L0=no-timer``)
    say it for single levels. ``no_a1`` drops the assumption that an IPI which level 0 sends to itself
    with interrupts off is pending before its next entry. ``cancel`` adds a thread beside the KVM on top
    that makes a request and kicks, ``tick`` a timer interrupt for every level's CPU while the guest computes:
    then the fairness "exits" may be assumed. ``apicv``: level 0 gives L1 a CPU with APICv (``None``: if its
    kernel says so). ``accesses`` is how often in a lap a KVM above level 0 reads or writes a form that is not
    shadowed; ``after`` fixes the guest's VMCALL behind so many instructions. Raises BadInput for an
    impossible knob.
    """
    if levels < 1 or accesses < 0 or (after or 0) < 0:
        raise BadInput("levels: 1 or more; accesses and after: 0 or more")
    models = cpus_by_level(cpus, levels)
    chosen = kernels_by_level(kernel, models, methods, kernels)
    layout = Layout()
    page = _page(chosen[0], apicv) and levels > 1
    parts = stack(layout, chosen, models, Detail(cap=(after or 0) + 1, slow_ipi=no_a1, apicv=page))
    actors = _actors(parts, chosen, accesses, after)
    if cancel:
        sender = Sender(vcpu=parts.vcpus[-1])
        actors.append(Actor("a", "another thread", chosen[-1].paths["request_and_kick"], sender))
    if tick:
        actors = [*map(takes_ticks, actors), ticks(parts.vcpus, parts.top)]
    system = System(layout, actors)
    at, end = system.pc["m"], len(system.places["m"])
    knobs = {"levels": levels, "methods": methods, "kernels": kernels, "cpus": cpus, "no_a1": no_a1}
    more = {"cancel": cancel, "tick": tick, "apicv": apicv, "accesses": accesses, "after": after}
    return Scenario(
        "levels",
        f"L{levels} enters L{levels + 1} with a preemption timer of 0, on {levels} KVM{'s' * (levels > 1)}",
        chosen[0],
        system,
        _properties(parts, at),
        lambda s: s[at] == end,
        "",
        {**knobs, **more},
        {"core": parts.core, "stack": parts},
        monitor=monitor(levels),
        liveness=_liveness(parts, at, end),
        fairness=fairness([parts.code[level] for level in range(1, levels)], tick),
    )
