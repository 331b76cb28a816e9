"""The model runs the guest of recorded traces, and the tracepoints come in the recorded order."""

from collections.abc import Iterable
from itertools import groupby

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.self_ipi import self_ipi
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.explore import explore
from kvmlab.traces import Event, load

RECORDED = {
    "vmx_noapicv_lab_self_ipi": ("v6.1+noapicv", 225),
    "vmx_pt1_lab_self_ipi": ("v6.1+preemption-timer=1", 113),
    "vmx_pt0_lab_self_ipi": ("v6.1+preemption-timer=0", 113),
}
"""Trace -> the kernel that was recorded, and how many events it shares with the model."""

LEFT_OUT = {"kvm_pio", "kvm_userspace_exit", "kvm_page_fault", "local_timer_entry"}
LEFT_OUT_EXITS = {"EPT_VIOLATION", "IO_INSTRUCTION"}
KEYS = ("exit_reason", "vector", "vec", "reg", "val", "ecx", "data", "delivery_mode", "trigger", "shorthand")

Row = tuple[object, ...]


def rows(events: Iterable[Event]) -> list[Row]:
    """Return each event as its name and what both sides know of it."""
    return [(event.name, *(event.fields.get(key) for key in KEYS)) for event in events]


def recorded(trace: str) -> list[Row]:
    """Return the trace without its markers, its page fault and the tick, and the entries after those."""
    kept: list[Event] = []
    dropped = False
    for event in load(trace):
        reason = event.fields.get("exit_reason")
        if reason in LEFT_OUT_EXITS:
            dropped = True
        elif event.name == "kvm_entry" and dropped:
            dropped = False
        elif event.name not in LEFT_OUT:
            kept.append(event)
    return rows(kept)


def modelled(name: str, rounds: int = 16, msr: str = "icr") -> list[Row]:
    """Return what the model's run would print, read back from that text."""
    run = clocked(self_ipi(kernel(name), rounds=rounds, msr=msr).system, limit=100_000)
    return rows(Event.of(event, n, fields) for n, (event, fields) in enumerate(run.events))


@pytest.mark.parametrize("trace", RECORDED)
def test_the_model_gives_the_recorded_sequence(trace: str) -> None:
    """16 rounds: the same events in the same order, with the same vectors, registers and values."""
    name, length = RECORDED[trace]
    assert modelled(name) == recorded(trace)
    assert len(recorded(trace)) == length


@pytest.mark.parametrize("trace", RECORDED)
def test_another_number_of_rounds_is_another_sequence(trace: str) -> None:
    """The comparison can fail: one round more or less is seen."""
    name, _ = RECORDED[trace]
    assert modelled(name, 15) != recorded(trace) != modelled(name, 17)


def test_apicv_makes_another_sequence_and_the_preemption_timer_does_not() -> None:
    """The trace of a guest that never arms a timer is the same with and without the preemption timer."""
    assert recorded("vmx_pt0_lab_self_ipi") == recorded("vmx_pt1_lab_self_ipi")
    assert modelled("v6.1+noapicv") != modelled("v6.1") == modelled("v6.1+preemption-timer=0")


@pytest.mark.parametrize(
    ("name", "msr", "exits"),
    [
        ("v6.1+noapicv", "icr", ["MSR_WRITE", "INTERRUPT_WINDOW", "MSR_WRITE"]),
        ("v6.1+noapicv", "self_ipi", ["MSR_WRITE", "INTERRUPT_WINDOW", "MSR_WRITE"]),
        ("v6.1", "icr", ["MSR_WRITE"]),
        ("v6.1", "self_ipi", []),
    ],
)
@pytest.mark.parametrize("rounds", [1, 2, 16])
def test_what_a_round_costs(name: str, msr: str, exits: list[str], rounds: int) -> None:
    """Without APICv the write, the window and EOI; with it the ICR write alone, and for SELF_IPI nothing."""
    found = [row[1] for row in modelled(name, rounds, msr) if row[0] == "kvm_exit"]
    assert found == exits * rounds


@pytest.mark.parametrize("msr", ["icr", "self_ipi"])
def test_how_the_guest_sends_is_seen_by_kvm_only_without_apicv(msr: str) -> None:
    """The register that exits is the one written; a write of SELF_IPI is emulated as one of ICR."""
    register, number, value = ("APIC_ICR", 0x830, 0x400EF) if msr == "icr" else ("APIC_SELF_IPI", 0x83F, 0xEF)
    round_ = [dict(zip(("name", *KEYS), row, strict=True)) for row in modelled("v6.1+noapicv", 1, msr)]
    (ipi,) = (row for row in round_ if row["name"] == "kvm_apic_ipi")
    assert (ipi["vec"], ipi["shorthand"]) == (0xEF, "self")
    written = [(row["reg"], row["val"]) for row in round_ if row["name"] == "kvm_apic"]
    assert written == [(register, value), ("APIC_EOI", 0)]
    assert [row["ecx"] for row in round_ if row["name"] == "kvm_msr"] == [number, 0x80B]


@pytest.mark.parametrize("name", ["v6.1+noapicv", "v6.1"])
@pytest.mark.parametrize("msr", ["icr", "self_ipi"])
def test_every_self_ipi_is_counted_once(name: str, msr: str) -> None:
    """Trying every schedule: the handler counts each self-IPI exactly once."""
    assert explore(self_ipi(kernel(name), rounds=3, msr=msr)).verdict == "ok"


def test_with_apicv_kvm_injects_nothing_and_makes_no_request() -> None:
    """What the descriptor and the page do leaves vcpu->requests and the entry field alone."""
    scenario = self_ipi(kernel("v6.1"), rounds=2)
    vcpu, guest = scenario.records["vcpu"], scenario.records["guest"]
    run = clocked(scenario.system)
    seen = {(step.after[vcpu.requests], step.after[guest.vmcs.intr_info]) for step in run.steps}
    assert seen == {(0, 0)}
    labels = [label for label, _ in groupby(run.labels)]
    assert labels.count("v:SYNC.copy") == labels.count("g:VIRTUAL_INTERRUPT") == 2


def test_a_kernel_is_refused_where_it_is_not_modelled() -> None:
    """A kernel does not run as something else, and a knob that cannot be is named."""
    with pytest.raises(BadInput, match="not for self-ipi"):
        self_ipi(kernel("b95234c"))
    with pytest.raises(BadInput, match="not for immediate-exit"):
        immediate_exit(kernel("v6.1+noapicv"))
    with pytest.raises(BadInput, match="1 or more"):
        self_ipi(kernel("v6.1"), rounds=0)
    with pytest.raises(BadInput, match="unknown msr selfipi; did you mean self_ipi"):
        self_ipi(kernel("v6.1"), msr="selfipi")
