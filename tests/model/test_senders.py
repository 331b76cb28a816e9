"""Other ways to deliver: without APICv (IRR, request, kick), and AMD's AVIC (vIRR, doorbell)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel, Patch, PathEdit, swap
from kvmlab.kernels.names import kernel
from kvmlab.kvm.delivery import DELIVER, Delivery
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.run_loop import VCPU_RUN
from kvmlab.machine.edit import Swap, find
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Block, Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import EVENTS, in_guest
from kvmlab.processor.records import ROOT, Core, Cpu, Guest, Vmcs, frame
from kvmlab.scenarios.avic import avic
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.self_ipi_guest import Program, handler
from kvmlab.schedulers.explore import explore


def _never(s: Sequence[int], me: object) -> bool:
    return False


COMPUTE = block(
    "guest", Step("COMPUTE", lambda s, me: None, _never, "the guest computes; nobody else sees it")
)


@dataclass(frozen=True)
class Question:
    """A vCPU and its senders, and what must hold once they have returned and nothing is on its way."""

    system: System
    properties: tuple[Property, ...]
    at_rest: object

    def done(self, s: Sequence[int]) -> object:
        """Nobody will come any more."""
        return self.at_rest(s)  # type: ignore[operator]


def without_apicv(the: Kernel, path: Block, vectors: Sequence[int]) -> Question:
    """Return senders of ``vectors`` that take ``path`` towards a guest whose handler ends each interrupt."""
    layout = Layout()
    core = layout.record(Core, "core")
    cpu0, cpu1 = layout.record(Cpu, "L0"), layout.record(Cpu, "L1")
    v01 = layout.record(Vmcs, "vmcs01", owner=0, guest=1, exit_controls=the.setting("exit_controls"))
    extra = {x: layout.add(f"guest1.{x}") for x in ("in_handler", "return_rip", "msr", "value")}
    guest = layout.record(Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=v01, **extra)
    own = layout.record(Program, "program", guest=guest, rounds=0)
    vcpu = layout.record(Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(guest,))
    deliveries = [
        Actor("abc"[n], "sender", path, Delivery(vcpu=vcpu, vector=v)) for n, v in enumerate(vectors)
    ]
    actors = [
        Actor("v", "vCPU", the.paths["vcpu_run"], vcpu, core.frame, ROOT),
        Actor("h", "host", the.paths["host_irq"], vcpu, core.frame, ROOT + 1),
        Actor("g", "guest", in_guest(COMPUTE, lambda me: me.guest), own, core.frame, frame(1)),
        Actor("i", "handler", handler(frozenset(), EVENTS), own, core.frame, frame(1) + 1),
        *deliveries,
    ]
    system = System(layout, actors)

    def at_rest(s: Sequence[int]) -> bool:
        back = all(s[system.pc[a.letter]] == len(system.places[a.letter]) for a in deliveries)
        return back and s[core.frame] == frame(1) and not s[cpu0.irr] and not s[v01.proc]

    def lost(s: Sequence[int]) -> bool:
        return at_rest(s) and s[own.counted] != len(vectors)

    return Question(system, (Property("LOST", "each vector is counted once", lost),), at_rest)


NOAPICV = kernel("v6.1+noapicv")


@pytest.mark.parametrize("vectors", [(0x31,), (0x31, 0x41), (0x31, 0x35)])
@pytest.mark.parametrize("name", ["v3.2", "v3.10", "v6.1+noapicv"])
def test_without_apicv_each_vector_is_delivered_once(name: str, vectors: tuple[int, ...]) -> None:
    """In every schedule: IRR, KVM_REQ_EVENT, kick; injected, ended by EOI, none lost, none twice."""
    emulates_eoi = swap("HANDLE_EXIT", find(NOAPICV.paths["vcpu_run"], "HANDLE_EXIT"))
    the = Patch("6.1's exits", "", "", (emulates_eoi,)).on(kernel(name))
    found = explore(without_apicv(the, DELIVER, vectors))
    assert found.complete and found.verdict == "ok"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_only_one_order_of_a_senders_steps_loses_nothing(order: tuple[int, ...]) -> None:
    """IRR before the request, the request before the kick: any other order loses an interrupt."""
    path = Block("deliver", tuple(DELIVER.items[n] for n in order))
    verdict = explore(without_apicv(NOAPICV, path, (0x31,))).verdict
    assert verdict == ("ok" if order == (0, 1, 2) else "violated")


@pytest.mark.parametrize("left_out", range(3))
def test_each_of_a_senders_steps_is_needed(left_out: int) -> None:
    """Without the vector, the request or the kick something is lost."""
    path = Block("deliver", tuple(item for n, item in enumerate(DELIVER.items) if n != left_out))
    assert explore(without_apicv(NOAPICV, path, (0x31,))).verdict == "violated"


def svm(base: str, *drop: str) -> Kernel:
    """Return a run loop with AVIC's sender and entry; ``drop`` are sender steps left out."""
    gone = [PathEdit("post", Swap(label)) for label in drop]
    return Patch("x", "", "", gone).on(kernel(f"{base}+avic"))


@pytest.mark.parametrize("base", ["v4.10+no-event", "b95234c"])
@pytest.mark.parametrize("senders", [1, 2, 3])
def test_avic_loses_nothing_in_either_order(base: str, senders: int) -> None:
    """The order that loses posted interrupts and the one that does not are both good: VMRUN looks itself."""
    found = explore(avic(svm(base), senders=senders))
    assert found.complete and found.verdict == "ok"


@pytest.mark.parametrize("step", ["AVIC.irr", "AVIC.doorbell"])
def test_avics_sender_needs_both_of_its_stores(step: str) -> None:
    """Without the bit nothing is there to find; without the doorbell a running guest does not look."""
    assert explore(avic(svm("b95234c", step))).verdict == "violated"


def test_a_doorbell_needs_no_look_at_the_mode() -> None:
    """Rung for nobody it changes nothing, so that the look at the mode only saves work."""
    assert explore(avic(svm("b95234c", "AVIC.mode"), senders=2)).verdict == "ok"


def test_vmrun_has_to_look() -> None:
    """AVIC's sender with VMX's entry, which trusts RVI, loses what came before the entry."""
    plain = Patch("x", "", "", (swap("ENTER", find(VCPU_RUN, "ENTER")),)).on(svm("b95234c"))
    assert explore(avic(plain)).verdict == "violated"


def test_a_kernel_has_avic_or_posted_interrupts() -> None:
    """Neither scenario takes the other one's kernel; a fifth sender is refused as everywhere."""
    with pytest.raises(BadInput, match="modelled for avic, not for posted-interrupts"):
        posted_interrupts(svm("b95234c"))
    with pytest.raises(BadInput, match="not for avic"):
        avic(kernel("b95234c"))
    with pytest.raises(BadInput, match="senders: 1 to 4"):
        avic(svm("b95234c"), senders=5)
