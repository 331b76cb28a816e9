"""What real tests assert of a local APIC, row by row."""

import pytest
from apic_bench import Instruction, bench
from conformance import Rows
from walks import transitions

from kvmlab.errors import IllegalTransition
from kvmlab.kernels.names import kernel
from kvmlab.machine.state import Layout
from kvmlab.processor import apicbase, entry, lapic, shadow
from kvmlab.processor.apic_write import X2APIC_SELF_IPI, X2APIC_TPR, store, wrmsr
from kvmlab.processor.apicbase import DISABLED, INVALID, X2APIC, XAPIC
from kvmlab.processor.destination import ApicId, reaches
from kvmlab.processor.exits import NONE
from kvmlab.processor.icr import ALL, Icr
from kvmlab.processor.records import ACTIVE, HLT, Cpu, Guest
from kvmlab.scenarios.self_ipi import self_ipi
from kvmlab.schedulers.clock import clocked

NMI, TIMER = "NMIs are not modelled", "timer: its rows are tested with the APIC timer"
row = Rows(
    {"apic"},
    {"AP-07": NMI, "AP-08": NMI, **{f"AP-{n}": TIMER for n in (10, 11, 12, 14, 15, 18, 19, 20)}},
)


def test_every_row_is_tested_or_listed() -> None:
    """No row of the area is forgotten."""
    row.check()


HANDLER = ("in_handler", "return_rip", "shadow")
SENDS = ("v6.1+noapicv", "v6.1")
DELIVERED = ["VIRTUAL_INTERRUPT"]


def nop(s: list[int], guest: Guest) -> None:
    """Any instruction."""
    entry.retire(s, guest)


def writes(msr: int, value: int) -> Instruction:
    """Return a WRMSR."""
    return lambda s, guest: wrmsr(s, guest, msr, value)


@row("AP-01")
def test_a_self_ipi_through_the_xapic_page(row: object) -> None:
    """The page's ICR is virtualized: one delivery, no exit."""
    b = bench()
    assert b.run(lambda s, g: store(s, g, 0x300, 0x400F1), nop) == [DELIVERED, []]
    assert (b.exit, b.irr) == (NONE, 0)


@row("AP-02")
@pytest.mark.parametrize("name", SENDS)
def test_a_self_ipi_through_the_icr_msr(row: object, name: str) -> None:
    """One write, one run of the handler, with APICv and without."""
    scenario = self_ipi(kernel(name), rounds=1, msr="icr")
    assert clocked(scenario.system).state[scenario.records["program"].counted] == 1


@row("AP-03")
@pytest.mark.parametrize("name", SENDS)
@pytest.mark.parametrize("msr", ["icr", "self_ipi"])
def test_the_handler_has_run_when_the_nop_behind_sti_is_over(row: object, name: str, msr: str) -> None:
    """In every schedule: not within the shadow, and exactly once when the next CLI is executed."""
    scenario = self_ipi(kernel(name), rounds=2, msr=msr)
    own, guest = scenario.records["program"], scenario.records["guest"]
    for before, move, after in transitions(scenario):
        if move.step.label == "CLI":
            assert before[own.counted] == before[own.begun]
        if move.step.label in ("STI", "NOP"):
            assert before[own.counted] == before[own.begun] - 1
        if before[guest.shadow]:
            assert after[guest.rip] == before[guest.rip]


@row("AP-04")
def test_a_pending_interrupt_ends_hlt_at_once(row: object) -> None:
    """STI's shadow covers HLT; behind it the interrupt is delivered, and the guest is awake."""
    b = bench(guest=(*HANDLER, "activity"))
    at = b.guest.activity
    assert at is not None
    b.s[b.guest.cpu.irq] = 0

    def hlt(s: list[int], guest: Guest) -> None:
        entry.retire(s, guest)
        s[at] = HLT

    assert b.run(writes(X2APIC_SELF_IPI, 0xF1), shadow.sti, hlt) == [[], [], DELIVERED]
    assert (b.s[at], b.exit) == (ACTIVE, NONE)


@row("AP-05")
def test_a_task_priority_of_class_0_masks_nothing(row: object) -> None:
    """Only IF and the shadow hold it back: delivered behind the nop, once."""
    b = bench(guest=HANDLER, page=("vtpr",))
    b.s[b.guest.cpu.irq] = 0
    mask, send, unmask = writes(X2APIC_TPR, 0x0F), writes(X2APIC_SELF_IPI, 0xF1), writes(X2APIC_TPR, 0)
    assert b.run(mask, send, unmask, shadow.sti, nop) == [[], [], [], [], DELIVERED]
    b = bench(guest=HANDLER, page=("vtpr",))
    assert b.run(mask, send) == [[], DELIVERED], "class 0 masks nothing even before it is taken back"


@row("AP-06")
@pytest.mark.parametrize("x2apic", [False, True])
@pytest.mark.parametrize("logical", [False, True])
def test_a_broadcast_is_one_interrupt_for_each_cpu(row: object, x2apic: bool, logical: bool) -> None:
    """All ones, or the shorthand: both CPUs, once each."""
    cpus = [ApicId(n, ldr=1 << n, x2apic=x2apic) for n in range(2)]
    everybody = 0xFFFFFFFF if x2apic else 0xFF
    for icr in (Icr(0xF1, logical=logical, destination=everybody), Icr(0xF1, shorthand=ALL)):
        assert [reaches(icr, cpus[0], cpu) for cpu in cpus] == [True, True]
    assert not reaches(Icr(0xF1, destination=0xFF), cpus[0], ApicId(1, x2apic=True))


@row("AP-21")
def test_the_modes_of_a_local_apic(row: object) -> None:
    """#GP where the row has it, and nowhere it has not."""
    faults = {(X2APIC, INVALID), (X2APIC, XAPIC), (DISABLED, INVALID), (DISABLED, X2APIC), (XAPIC, INVALID)}
    legal = {(X2APIC, DISABLED), (DISABLED, XAPIC), (XAPIC, X2APIC)}
    for old, new in faults:
        with pytest.raises(IllegalTransition, match="#GP"):
            apicbase.write(old, new)
    assert [apicbase.write(old, new) for old, new in legal] == [new for _, new in legal]


@row("AP-22")
def test_what_is_left_of_a_disabled_local_apic(row: object) -> None:
    """No CPUID bit, registers of all ones that ignore writes; CR8 works and is kept."""
    assert not apicbase.cpuid_apic(DISABLED) and apicbase.cpuid_apic(XAPIC)
    assert apicbase.mmio_read(DISABLED, 0x50014) == 0xFFFFFFFF
    assert apicbase.mmio_write(DISABLED, 0x50014, 0) == 0x50014
    assert (apicbase.mmio_read(XAPIC, 0x50014), apicbase.mmio_write(XAPIC, 0x50014, 0)) == (0x50014, 0)
    layout = Layout()
    cpu = layout.record(Cpu, "cpu", tpr=layout.add("cpu.tpr"))
    s = list(layout.start())
    for cr8 in range(16):
        lapic.write_cr8(s, cpu, cr8)
        assert lapic.read_cr8(s, cpu) == cr8


@row("AP-23")
def test_logical_destinations(row: object) -> None:
    """Flat: the bit in the mask. Cluster: the bit, and the cluster."""
    for mask in range(1, 255):
        icr = Icr(0xF1, logical=True, destination=mask)
        for n in range(8):
            assert reaches(icr, ApicId(0), ApicId(n, ldr=1 << n)) == bool(mask >> n & 1)
        for n in range(4):
            cluster, bits = mask >> 4, mask & 0xF
            target = ApicId(n, ldr=0x10 | 1 << n, flat=False)
            assert reaches(icr, ApicId(0), target) == (cluster == 1 and bool(bits >> n & 1))


@row("AP-27")
@pytest.mark.parametrize("faults", [1, 2])
def test_an_interrupt_whose_delivery_faults_is_counted_once(row: object, faults: int) -> None:
    """KVM injects it; the entry faults half-way, or does not: in every schedule it is counted once."""
    scenario = self_ipi(kernel("v6.1+noapicv"), rounds=1)
    guest, own = scenario.records["guest"], scenario.records["program"]
    start = list(scenario.system.start)
    start[guest.faults] = faults
    walked = list(transitions(scenario, tuple(start)))
    assert "VMENTRY.fault" in {move.step.label for _, move, _ in walked}
    assert {after[own.counted] for _, _, after in walked if scenario.done(after)} == {1}
