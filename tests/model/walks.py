"""A walk over every reachable transition of a scenario, and the scenarios that laws are asked of."""

from collections.abc import Iterator
from dataclasses import dataclass

from kvmlab.kernels.kernel import Kernel, Patch, swap
from kvmlab.kernels.names import kernel
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.state import State
from kvmlab.machine.system import Move
from kvmlab.processor.controls import ACK_INTERRUPT_ON_EXIT
from kvmlab.processor.records import Apicv, Core, Cpu, Guest
from kvmlab.scenarios.scenario import Scenario

Transition = tuple[State, Move, State]


def transitions(scenario: Scenario, start: State | None = None) -> Iterator[Transition]:
    """Yield every reachable (before, move, after), found without the explorer, violations included."""
    first = scenario.system.start if start is None else start
    seen, todo = {first}, [first]
    while todo:
        before = todo.pop()
        for move in scenario.system.enabled(before):
            work = list(before)
            move.carry_out(work)
            after = tuple(work)
            yield before, move, after
            if after not in seen:
                seen.add(after)
                todo.append(after)


def nested(name: str) -> Kernel:
    """Return a later kernel as far as the nested scenario needs it: in scope, without APICv's sync."""
    base = kernel(name)
    synced = any(getattr(node, "name", "") == "sync_pir_to_irr" for node in base.paths["vcpu_run"].walk())
    edits = (swap("sync_pir_to_irr"),) if synced else ()
    return Patch("nested", "", "", edits, frozenset({"immediate-exit"})).on(base, name)


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario, with what a law wants to know about its kernel and its records."""

    scenario: Scenario

    @property
    def core(self) -> Core:
        """The core."""
        return self.scenario.records["core"]  # type: ignore[no-any-return]

    @property
    def host(self) -> Cpu:
        """The CPU as L0 sees it."""
        return self.scenario.records["L0"]  # type: ignore[no-any-return]

    @property
    def vcpu(self) -> Vcpu:
        """The vCPU."""
        return self.scenario.records["vcpu"]  # type: ignore[no-any-return]

    @property
    def apicv(self) -> Apicv:
        """The descriptor and the virtual-APIC page."""
        return self.scenario.records["apicv"]  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.scenario.kernel.name

    @property
    def base(self) -> str:
        """The kernel's release."""
        return self.name.split("+")[0]

    @property
    def acks(self) -> bool:
        """Whether an exit acknowledges the interrupt."""
        return bool(self.scenario.kernel.setting("exit_controls") & ACK_INTERRUPT_ON_EXIT)

    @property
    def queues(self) -> bool:
        """Whether L2's events live in the vCPU's own queue (2013)."""
        return self.base not in ("v3.2", "d6185f2")

    @property
    def raises(self) -> bool:
        """Whether the self-IPI comes with KVM_REQ_EVENT (2016)."""
        return self.base in ("v4.10", "b95234c", "v6.1") or "c43203c" in self.name

    def guest(self, s: State) -> Guest:
        """Return the guest whose VMCS is loaded."""
        return self.vcpu.guests[s[self.vcpu.current]]

    def event(self, s: State) -> bool:
        """Return whether KVM_REQ_EVENT is set."""
        return bool(s[self.vcpu.requests] & KVM_REQ_EVENT)
