"""What real tests assert of APICv, external interrupts, interrupt windows and KVM's self-IPI, row by row."""

from itertools import combinations

from apic_bench import Bench, bench, notified, pending
from conformance import Rows

from kvmlab.kernels.names import kernel
from kvmlab.processor import entry, lapic, shadow
from kvmlab.processor.apic_write import X2APIC_EOI, X2APIC_SELF_IPI, is_valid_threshold, mov_to_cr8, wrmsr
from kvmlab.processor.controls import ACK_INTERRUPT_ON_EXIT, INTERRUPT_WINDOW_EXITING
from kvmlab.processor.exits import NONE, Exit
from kvmlab.processor.intr_info import is_valid, vector
from kvmlab.processor.records import HLT, ROOT
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.self_ipi import self_ipi
from kvmlab.schedulers.clock import clocked

PASSED_THROUGH = "needs external-interrupt exiting off; KVM always has it on, and so has the model"
row = Rows(
    {"apicv", "ext-int", "interrupt-window", "kvm-irq"},
    {
        "INT-01": PASSED_THROUGH,
        "INT-03": PASSED_THROUGH,
        "INT-05": PASSED_THROUGH,
        "TPR-03": PASSED_THROUGH,
        "VID-09": "there is no I/O APIC whose scan could rewrite the EOI-exit bitmap",
        "IW-02": "the model's guest has interrupt gates only, which clear IF",
    },
)


def test_every_row_is_tested_or_listed() -> None:
    """No row of these areas is forgotten."""
    row.check()


HANDLER = ("in_handler", "return_rip", "shadow")
DELIVERED = ["VIRTUAL_INTERRUPT"]


@row("VID-01")
def test_rvi_at_vm_entry(row: object) -> None:
    """All vectors against all task priorities."""
    b = bench(guest=HANDLER, page=("vtpr",))
    assert b.page.vtpr is not None
    start = list(b.s)
    for nr in range(0x21, 0x100):
        for tpr in range(0x100):
            b.s[:] = start
            b.s[b.page.vtpr] = tpr
            pending(b, nr)
            b.enter()
            runs = nr >> 4 > tpr >> 4
            assert b.boundary() == (DELIVERED if runs else [])
            assert b.s[b.page.rvi] == (0 if runs else nr)


@row("VID-02")
def test_rvi_at_tpr_virtualization(row: object) -> None:
    """Entered with VTPR 0xff nothing comes; lowering CR8 lets it through, without an exit."""
    b = bench(guest=HANDLER, page=("vtpr",))
    assert b.page.vtpr is not None
    start = list(b.s)
    for nr in range(0x21, 0x100):
        for cr8 in range(16):
            b.s[:] = start
            b.s[b.page.vtpr] = 0xFF
            pending(b, nr)
            b.enter()
            assert b.boundary() == []
            mov_to_cr8(b.s, b.guest, cr8)
            assert b.boundary() == (DELIVERED if nr >> 4 > cr8 else [])
            assert b.exit == NONE


@row("VID-03")
def test_self_ipi_virtualization(row: object) -> None:
    """Each vector: no exit, one delivery, RVI 0 behind it."""
    for nr in range(0x21, 0x100):
        b = bench(guest=HANDLER)
        wrmsr(b.s, b.guest, X2APIC_SELF_IPI, nr)
        assert b.boundary() == DELIVERED
        assert (b.exit, b.s[b.page.rvi], b.s[b.page.visr]) == (NONE, 0, bit(nr))


@row("VID-04")
def test_eoi_virtualization_goes_on_to_the_next_interrupt(row: object) -> None:
    """All pairs: the higher first, the lower behind its EOI, of one class or not; no exit."""
    b = bench(guest=HANDLER)
    start = list(b.s)
    for lo, nr in combinations(range(0x21, 0x100), 2):
        b.s[:] = start
        pending(b, lo, nr)
        b.enter()
        served: list[int] = []
        while b.boundary() == DELIVERED:
            served.append(b.s[b.page.visr])
            assert len(served) < 3
            b.s[b.guest.cpu.irq] = 1
            assert b.boundary() == [], "not nested"
            wrmsr(b.s, b.guest, X2APIC_EOI, 0)
        assert (served, b.irr, b.exit) == ([bit(nr), bit(lo)], 0, NONE)


@row("VID-06")
def test_a_posted_interrupt_reaches_a_running_guest(row: object) -> None:
    """With notification vector 255: processed without an exit, delivered if its class is above VTPR's."""
    b = bench(page=("vtpr",), exit_controls=ACK_INTERRUPT_ON_EXIT, notification=255)
    assert b.page.vtpr is not None
    start = list(b.s)
    for nr in range(0x21, 0x100):
        for tpr in (0x00, 0x30, 0x3F, 0x80, 0xF0):
            b.s[:] = start
            b.s[b.page.vtpr] = tpr
            b.enter()
            b.s[b.page.pir], b.s[b.page.on] = bit(nr), 1
            notified(b)
            assert b.boundary() == (DELIVERED if nr >> 4 > tpr >> 4 else [])
            assert (b.s[b.page.pir], b.s[b.page.on], b.exit) == (0, 0, NONE)
    b.s[b.guest.host.irr] = bit(0xF2)
    assert b.boundary() == ["EXIT.EXTERNAL_INTERRUPT"], "another notification vector is an interrupt like any"


@row("TPR-01")
def test_the_tpr_threshold_at_vm_entry(row: object) -> None:
    """Accepted exactly if its low 4 bits are not above VTPR's class."""
    for threshold in range(0x20):
        for vtpr in range(0x100):
            assert is_valid_threshold(threshold, vtpr) == ((threshold & 0xF) <= (vtpr & 0xF0) >> 4)


def arrives(b: Bench, vector: int) -> None:
    """An interrupt arrives at the CPU while the guest runs with IF=0."""
    b.s[b.guest.cpu.irq] = 0
    b.s[b.guest.host.irr] = bit(vector)
    assert b.boundary() == ["EXIT.EXTERNAL_INTERRUPT"]
    assert (b.exit, b.s[b.guest.core.frame], b.s[b.guest.host.irq]) == (Exit.EXTERNAL_INTERRUPT, ROOT, 0)


@row("INT-02")
def test_an_external_interrupt_without_acknowledge(row: object) -> None:
    """No vector is told; it is still pending for the host."""
    b = bench()
    arrives(b, 0x31)
    assert not is_valid(b.s[b.guest.vmcs.exit_intr])
    assert (b.s[b.guest.host.irr], b.s[b.guest.host.isr]) == (bit(0x31), 0)


@row("INT-07")
def test_an_external_interrupt_acknowledged_on_exit(row: object) -> None:
    """The vector is told and in service; ended by the host it does not come again."""
    b = bench(exit_controls=ACK_INTERRUPT_ON_EXIT)
    arrives(b, 0x31)
    told = b.s[b.guest.vmcs.exit_intr]
    assert is_valid(told) and vector(told) == 0x31 and told >> 8 & 7 == 0
    assert (b.s[b.guest.host.irr], b.s[b.guest.host.isr]) == (0, bit(0x31))
    assert lapic.end_of_interrupt(b.s, b.guest.host) == 0x31
    assert not lapic.deliverable(b.s, b.guest.host)


def enter_with_a_window(b: Bench) -> int:
    """VM entry with interrupt-window exiting; return where the guest is."""
    b.s[b.guest.vmcs.proc] = INTERRUPT_WINDOW_EXITING
    b.enter()
    return b.s[b.guest.rip]


@row("IW-01")
def test_the_window_opens_at_the_first_instruction(row: object) -> None:
    """Exit 7 with nothing executed."""
    b = bench()
    rip = enter_with_a_window(b)
    assert b.boundary() == ["EXIT.INTERRUPT_WINDOW"]
    assert (b.exit, b.s[b.guest.rip], b.s[b.guest.insns]) == (Exit.INTERRUPT_WINDOW, rip, 0)


@row("IW-04")
def test_the_window_opens_behind_the_shadow_of_sti(row: object) -> None:
    """One instruction is executed first."""
    b = bench()
    assert b.guest.shadow is not None
    b.s[b.guest.shadow] = shadow.BLOCKING_BY_STI
    rip = enter_with_a_window(b)
    assert b.boundary() == []
    assert b.run(entry.retire) == [["EXIT.INTERRUPT_WINDOW"]]
    assert (b.s[b.guest.rip], b.s[b.guest.insns]) == (rip + 1, 1)


@row("IW-06")
def test_the_window_opens_for_a_halted_guest(row: object) -> None:
    """HLT does not hold it back."""
    b = bench(guest=("shadow", "activity"))
    assert b.guest.activity is not None
    b.s[b.guest.activity] = HLT
    rip = enter_with_a_window(b)
    assert b.boundary() == ["EXIT.INTERRUPT_WINDOW"]
    assert (b.s[b.guest.rip], b.s[b.guest.insns]) == (rip, 0)


def one_round(name: str) -> list[str]:
    """Return the events of one round, exits with their reason."""
    events = clocked(self_ipi(kernel(name), rounds=1).system).events
    return [
        f"{event} {fields['exit_reason']}" if "exit_reason" in fields else event for event, fields in events
    ]


POSTED_ROUND = "kvm_apic_ipi kvm_apic_accept_irq kvm_apicv_accept_irq kvm_apic kvm_msr".split()
PLAIN_ROUND = "kvm_apic_ipi kvm_apic_accept_irq kvm_apic kvm_msr".split()


@row("KVM-09")
def test_a_self_ipi_with_apicv_is_one_exit(row: object) -> None:
    """Delivery and EOI leave no line."""
    assert one_round("v6.1") == ["kvm_entry", "kvm_exit MSR_WRITE", *POSTED_ROUND, "kvm_entry"]


@row("KVM-10")
def test_a_self_ipi_without_apicv_is_three_exits(row: object) -> None:
    """The write, the window with its injection, the EOI."""
    window = ["kvm_exit INTERRUPT_WINDOW", "kvm_inj_virq", "kvm_entry"]
    eoi = ["kvm_exit MSR_WRITE", "kvm_apic", "kvm_eoi", "kvm_msr", "kvm_entry"]
    sent = ["kvm_entry", "kvm_exit MSR_WRITE", *PLAIN_ROUND, "kvm_entry"]
    assert one_round("v6.1+noapicv") == [*sent, *window, *eoi]
