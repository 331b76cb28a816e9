"""The recorded nested entries beside the model's: from L1's VMRESUME to the exit that L1 is told, event
by event."""

from collections.abc import Iterable, Mapping

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.labs.unittest import INSTRUCTIONS
from kvmlab.processor.intr_info import is_valid
from kvmlab.scenarios.unittests.scenario import unit_test
from kvmlab.schedulers.clock import Clock
from kvmlab.traces import load

Said = tuple[str, object]
BEGIN, END = "kvm_nested_vmenter", "kvm_nested_vmexit_inject"
EXITS = ("kvm_exit", "kvm_nested_vmexit", END)


def said(name: str, fields: Mapping[str, object]) -> Said | None:
    """Return what is compared of an event: an exit's reason, an entry's mark, whether L1 injects."""
    if name in EXITS:
        return name, fields["exit_reason"]
    if name == "kvm_entry":
        return name, bool(fields["immediate_exit"])
    if name == BEGIN:
        return name, is_valid(int(str(fields["event_inj"])))
    return (name, "") if name in ("kvm_inj_exception", "reschedule_entry") else None


def passes(events: Iterable[tuple[str, Mapping[str, object]]], host: bool) -> list[list[Said]]:
    """Return every complete stretch of L2; page faults, and the entry behind each, are left out.

    ``host``: the host's own handler counts too, where it is certain when it runs.
    """
    found: list[list[Said]] = []
    now: list[Said] | None = None
    faulted = False
    for name, fields in events:
        event = said(name, fields)
        if event == ("kvm_exit", "EPT_VIOLATION"):
            faulted = True
        if name == BEGIN:
            now = []
        if now is not None and event and not faulted and (host or name != "reschedule_entry"):
            now.append(event)
        if faulted and name == "kvm_entry":
            faulted = False
        if name == END and now is not None:
            found.append(now)
            now = None
    return found


def modelled(test: str, timer: int, delay: int) -> list[list[Said]]:
    """Return the stretches of a test on the model, as KVM at level 0 traces them."""
    name = f"v6.1+noapicv+preemption-timer={timer}"
    scenario = unit_test(test, [kernel(name)], [CpuModel()], ipi_delay=delay)
    events = []
    for step in Clock(scenario.system, INSTRUCTIONS, scenario.records["bench"].now).steps(50_000):
        if step.move.actor.letter in "vh":
            events += step.events
    return passes(events, host=delay == 0)


def recorded(trace: str, delay: int) -> list[list[Said]]:
    """Return the complete stretches of a recording."""
    return passes(((event.name, event.fields) for event in load(trace)), host=delay == 0)


@pytest.mark.parametrize(("timer", "delay"), [(0, 0), (0, 2000), (1, 2000)])
def test_the_zero_test_goes_as_it_was_recorded(timer: int, delay: int) -> None:
    """Each stretch behind the first, which the recordings have only in part, is the model's."""
    stretches = recorded(f"nested_pt{timer}_ipidelay{delay}_zero_test", delay)
    model = modelled("vmx_preemption_timer_zero_test", timer, delay)
    assert len(stretches) >= 6
    assert stretches[:6] == model[1:7]


@pytest.mark.parametrize(("timer", "delay"), [(0, 0), (0, 2000), (1, 2000)])
def test_stage_4_goes_as_it_was_recorded(timer: int, delay: int) -> None:
    """The last stretch of "preemption timer": how the exit is forced, what the IPI comes too late for."""
    last = recorded(f"nested_pt{timer}_ipidelay{delay}_preemption_timer", delay)[-1]
    assert last == modelled("preemption timer", timer, delay)[-1]
    assert last[1] == ("kvm_entry", True)
    assert last[2] == ("kvm_exit", ("VMCALL" if delay else "EXTERNAL_INTERRUPT", "PREEMPTION_TIMER")[timer])
