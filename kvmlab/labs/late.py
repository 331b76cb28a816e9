"""The forced entry that comes too late for its IPI, in a recording and in the model, event by event.

KVM is level 0 on both sides, and its IPI is made to arrive late: to a hypervisor that writes an ICR it looks
the same whether hardware is slow or the hypervisor below keeps the interrupt for later.
"""

from collections.abc import Mapping, Sequence

from kvmlab.errors import ModelError, unknown
from kvmlab.kernels.names import kernel
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.labs.moment import verdict
from kvmlab.labs.unittest import INSTRUCTIONS, LIMIT
from kvmlab.scenarios.unittests.scenario import unit_test
from kvmlab.schedulers.clock import Clock
from kvmlab.show.widgets.alignment import Compare
from kvmlab.traces import Event, compare, load
from kvmlab.traces.template import Value

TEST, DELAY = "preemption timer", 2000
RECORDED = {
    "self-IPI": "nested_pt0_ipidelay2000_preemption_timer",
    "timer 0": "nested_pt1_ipidelay2000_preemption_timer",
}
"""The recordings by how the exit was forced; both had the IPI 2000 instructions late."""
VERDICTS = {
    ("self-IPI", 0): "nested_pt0_ipidelay0_preemption_timer",
    ("self-IPI", DELAY): RECORDED["self-IPI"],
    ("timer 0", DELAY): RECORDED["timer 0"],
}
"""The recordings that say what the test said of itself, by the way and how late its IPI was."""
MODULE = {"self-IPI": 0, "timer 0": 1}
"""The module parameter preemption_timer behind them."""

NOT_MODELLED: Mapping[str, Mapping[str, Value]] = {
    "kvm_nested_vmenter": {
        "vmcb": 0,
        "area": "vmcs",
        "tdp": "ept",
        "tdp_enabled": False,
        "root": "guest_cr3",
        "root_address": 0,
    }
}
"""Fields that the tracepoint prints and the model does not have; they are not compared."""
NOTES = {
    "kvm_entry": "the wish: KVM asks for an exit before L2's first instruction",
    "kvm_exit": "what came of it: the reason, and where L2 stands; compare its rip with the entry's",
    "reschedule_entry": "the IPI, taken by the host. What has happened by now, it did not cause",
    "kvm_nested_vmexit_inject": "what L1 is told",
}
"""What the decisive events of the stretch show."""


def real_and_model(how: str) -> Compare:
    """Return the recording beside the model."""
    return _beside(recorded(how), modelled(how), (f"KVM 6.1, {how}", f"the model, {how}"))


def both_real() -> Compare:
    """Return the two recordings side by side."""
    one, other = RECORDED
    return _beside(recorded(one), recorded(other), (f"KVM 6.1, {one}", f"KVM 6.1, {other}"))


def _beside(a: list[Event], b: list[Event], names: tuple[str, str]) -> Compare:
    rows = compare(a, b)
    told = [(n, row.a or row.b) for n, row in enumerate(rows.rows)]
    first = {event.name: n for n, event in reversed(told[1:]) if event is not None}
    return Compare(rows, names, {first[name]: says for name, says in NOTES.items() if name in first})


def real_verdicts() -> str:
    """Return what the test said of itself on KVM 6.1, as far as it was recorded."""
    return "\n".join(
        f"KVM 6.1, {how}, {delay} late: {verdict(name, '0 value')}" for (how, delay), name in VERDICTS.items()
    )


def recorded(how: str) -> list[Event]:
    """Return the last forced entry of a recording, from L1's VMRESUME to where L1 runs again.

    Raises BadInput for a way of forcing an exit that was not recorded.
    """
    if how not in RECORDED:
        raise unknown("recording", how, RECORDED)
    return stretch(load(RECORDED[how]))


def modelled(how: str) -> list[Event]:
    """Return the same stretch of the model's run of the same test, by a clock that counts instructions."""
    if how not in MODULE:
        raise unknown("way", how, MODULE)
    name = f"v6.1+noapicv+preemption-timer={MODULE[how]}"
    scenario = unit_test(TEST, [kernel(name)], [CpuModel()], ipi_delay=DELAY)
    clock = Clock(scenario.system, INSTRUCTIONS, scenario.records["bench"].now)
    steps = (step for step in clock.steps(LIMIT) if step.move.actor.letter in "vh")
    fired = ((step.time, name, fields) for step in steps for name, fields in step.events)
    return stretch(
        [Event.of(name, now, {**NOT_MODELLED.get(name, {}), **fields}) for now, name, fields in fired]
    )


def stretch(events: Sequence[Event]) -> list[Event]:
    """Return the last nested entry, from the exit that asks for it to where L1 is entered again.

    Raises ModelError if there is none.
    """
    entered = [n for n, event in enumerate(events) if event.name == "kvm_nested_vmenter"]
    told = [n for n, event in enumerate(events) if event.name == "kvm_nested_vmexit_inject"]
    if not entered or not told or told[-1] < entered[-1]:
        raise ModelError("no exit of L2 is told to L1")
    behind = (n for n in range(told[-1], len(events)) if events[n].name == "kvm_entry")
    return list(events[entered[-1] - 1 : next(behind, len(events)) + 1])
