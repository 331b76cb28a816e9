"""The instruction boundary: what opens each event, one guard at a time, and what an exit leaves."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step
from kvmlab.processor import apicv
from kvmlab.processor.boundary import APICV_EVENTS, EVENTS
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING, MONITOR_TRAP_FLAG
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import event
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, Vmcs, frame
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, RESCHEDULE_VECTOR, bit


@dataclass(frozen=True, slots=True)
class Bench:
    """A guest that runs with nothing pending, and its state."""

    s: list[int]
    guest: Guest
    page: Apicv

    def open(self, step: Step) -> bool:
        """Return whether the guard of ``step`` holds."""
        assert step.when is not None
        return bool(step.when(self.s, self.guest))


def bench(*, shadow: bool = True) -> Bench:
    """Return a guest with IF=1; ``shadow`` says if it has a cell for STI's shadow."""
    layout = Layout()
    core = layout.record(Core, "core", frame=frame(1))
    host, cpu = layout.record(Cpu, "L0"), layout.record(Cpu, "L1")
    vmcs, page = layout.record(Vmcs, "vmcs01", owner=0, guest=1), layout.record(Apicv, "apicv")
    cell = layout.add("shadow") if shadow else None
    links = {"core": core, "host": host, "cpu": cpu, "vmcs": vmcs, "apicv": page, "shadow": cell}
    guest = layout.record(Guest, "guest1", level=1, **links)
    return Bench(list(layout.start()), guest, page)


WINDOW = EVENTS["INTERRUPT_WINDOW"]


def close_if(b: Bench) -> None:
    """The guest masks interrupts."""
    b.s[b.guest.cpu.irq] = 0


def close_shadow(b: Bench) -> None:
    """The guest has just executed STI."""
    assert b.guest.shadow is not None
    b.s[b.guest.shadow] = 1


def close_window(b: Bench) -> None:
    """KVM does not ask for a window, but for something else."""
    b.s[b.guest.vmcs.proc] = MONITOR_TRAP_FLAG


@pytest.mark.parametrize("close", [close_if, close_shadow, close_window])
def test_each_guard_alone_closes_the_interrupt_window(close: Callable[[Bench], None]) -> None:
    """The window is open with IF=1, no STI shadow and a wish for it; each of the three is needed."""
    b = bench()
    b.s[b.guest.vmcs.proc] = INTERRUPT_WINDOW_EXITING
    assert b.open(WINDOW)
    close(b)
    assert not b.open(WINDOW)


def test_a_guest_without_a_shadow_has_a_window_like_any_other() -> None:
    """Where no program uses STI's shadow, the window needs only IF and the wish."""
    b = bench(shadow=False)
    assert not b.open(WINDOW)
    b.s[b.guest.vmcs.proc] = INTERRUPT_WINDOW_EXITING
    assert b.open(WINDOW)


def test_an_external_interrupt_exits_whatever_the_guests_if_is() -> None:
    """Only something pending at the CPU opens it; neither the guest's IF nor the host's plays a part."""
    b = bench()
    b.s[b.guest.cpu.irr] = bit(0x40)
    assert not b.open(EVENTS["EXTERNAL_INTERRUPT"])
    b.s[b.guest.host.irr] = bit(RESCHEDULE_VECTOR)
    b.s[b.guest.cpu.irq] = b.s[b.guest.host.irq] = 0
    assert b.open(EVENTS["EXTERNAL_INTERRUPT"])


def test_the_monitor_trap_flag_exits_only_when_pending() -> None:
    """The control alone is no exit; an instruction or a delivery makes it pending."""
    b = bench()
    b.s[b.guest.vmcs.proc] = MONITOR_TRAP_FLAG
    assert not b.open(EVENTS["MTF"])
    b.s[b.guest.core.mtf] = 1
    assert b.open(EVENTS["MTF"])


@pytest.mark.parametrize(("recognised", "irq", "delivered"), [(1, 1, True), (1, 0, False), (0, 1, False)])
def test_a_virtual_interrupt_needs_recognition_and_if(recognised: int, irq: int, delivered: bool) -> None:
    """What was recognised waits for the guest's IF; what was not waits for an evaluation."""
    b = bench()
    b.s[b.page.recognised], b.s[b.guest.cpu.irq] = recognised, irq
    assert b.open(APICV_EVENTS["VIRTUAL_INTERRUPT"]) == delivered


@pytest.mark.parametrize(
    ("pending", "processed"),
    [
        ((), False),
        ((POSTED_INTR_VECTOR,), True),
        ((POSTED_INTR_VECTOR, 0x31), True),
        ((POSTED_INTR_VECTOR, RESCHEDULE_VECTOR), False),
        ((RESCHEDULE_VECTOR,), False),
    ],
)
def test_only_the_notification_vector_on_top_is_processed(pending: tuple[int, ...], processed: bool) -> None:
    """Posted-interrupt processing needs its vector to be the highest one; else the exit comes first."""
    b = bench()
    b.s[b.guest.host.irr] = sum(map(bit, pending))
    assert b.open(APICV_EVENTS["POSTED.notify"]) == processed


@pytest.mark.parametrize(("rvi", "serving", "recognised"), [(0x31, 0, 1), (0x31, 0x3F, 0), (0x40, 0x3F, 1)])
def test_evaluation_compares_classes(rvi: int, serving: int, recognised: int) -> None:
    """RVI is recognised if its bits 7:4 are above those of what is in service."""
    b = bench()
    b.s[b.page.rvi], b.s[b.page.visr] = rvi, bit(serving) if serving else 0
    apicv.evaluate(b.s, b.page)
    assert b.s[b.page.recognised] == recognised


def test_an_exit_clears_the_hosts_if_and_spends_the_entry_field() -> None:
    """Root mode with IF=0, no MTF pending, no valid entry field, and the reason with what it tells."""
    b = bench()
    fields = b.guest.vmcs
    b.s[b.guest.host.irq] = b.s[b.guest.core.mtf] = 1
    b.s[fields.intr_info], b.s[fields.exit_intr], b.s[fields.idt_vectoring] = event(1), event(2), event(3)
    vm_exit(b.s, b.guest, Exit.CPUID)
    assert (b.s[b.guest.host.irq], b.s[b.guest.core.mtf], b.s[b.guest.core.frame]) == (0, 0, ROOT)
    assert [b.s[at] for at in (fields.intr_info, fields.exit_intr, fields.idt_vectoring)] == [0, 0, 0]
    assert (b.s[fields.reason], b.s[b.guest.cpu.irq]) == (Exit.CPUID, 1)
