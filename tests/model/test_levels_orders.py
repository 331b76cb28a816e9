"""check_nested_events: the real orders as data, what each of them lets go first, and -EBUSY."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
from walks import transitions

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kvm.check_nested_events import EVENTS, ORDER_4_11, ORDER_4_19, ORDER_5_10, TRAP
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.labs.unittest import unittest
from kvmlab.machine.edit import find
from kvmlab.machine.step import Row, Step
from kvmlab.processor.boundary import PRIORITY
from kvmlab.scenarios.levels import levels

AS_PROCESSOR = {
    "init": "INIT",
    "mtf": "MTF",
    TRAP: "DEBUG_TRAP",
    "preemption_timer": "PREEMPTION_TIMER",
    "nmi": "NMI",
    "interrupt": "EXTERNAL_INTERRUPT",
}
"""KVM's name for an event -> the processor's. SMI stands elsewhere: KVM's own SMM emulation takes it."""


def test_only_5_10_has_the_processors_order() -> None:
    """Every event that both know stands in 5.10 where the processor has it; in 4.19 nothing is known of
    traps."""
    places = [PRIORITY.index(AS_PROCESSOR[name]) for name in ORDER_5_10 if name in AS_PROCESSOR]
    assert all(a < b for a, b in pairwise(places))
    assert TRAP not in ORDER_4_11 + ORDER_4_19 and "mtf" not in ORDER_4_11 + ORDER_4_19


@pytest.mark.parametrize(
    ("name", "order"),
    [("v4.18", ORDER_4_19), ("v4.18+order=v4.11", ORDER_4_11), ("v4.18+order=v5.10", ORDER_5_10)],
)
def test_the_row_is_the_order(name: str, order: tuple[str, ...]) -> None:
    """The alternatives stand as the data says, between what is injected again and what is new."""
    row = find(kernel(name).paths["vcpu_run"], "INJECT")
    assert isinstance(row, Row)
    labels = [step.label for step in row.steps]
    assert labels[:2] == ["REINJECT", "NESTED.busy"]
    assert labels[2:-3] == [f"NESTED.{event}" for event in order if event in EVENTS]
    assert labels[-3:] == ["INJECT.exception", "INJECT_IRQ", "INJECT.none"]


def test_the_order_alone_repairs_the_debug_trap() -> None:
    """v4.18 with 5.10's order, and nothing else, no longer drops a trap of L2 for L1's timer."""
    zero, steps = "vmx_preemption_timer_zero_test", "vmx_preemption_timer_tf_test"
    for order, good in (("v4.11", False), ("v4.19", False), ("v5.10", True)):
        for test in (zero, steps):
            assert unittest(test, kernels=f"L0=v4.18+order={order}").ok == good


@pytest.mark.parametrize("name", ["v4.18", "d264ee0+b5861e5", "v6.1"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_exit_is_made_up_while_an_entry_is_owed_at_any_level(name: str, n: int) -> None:
    """K.11: with nested_run_pending set no level tells its guest an event; the first exit ends it."""
    scenario = levels(kernel(name), levels=n, cancel=True)
    owed = {vcpu.level: vcpu.nested_run_pending for vcpu in scenario.records["stack"].vcpus}
    told = 0
    for before, move, after in transitions(scenario):
        if move.step.label.startswith(("NESTED.p", "NESTED.i", "RUNNING.")):
            told += 1
            assert not before[owed[move.me.level]]
        if move.step.label == "RUN_PENDING":
            assert not after[owed[move.me.level]]
    assert told


def test_an_order_needs_a_kernel_with_nested_events() -> None:
    """v3.10 has no such order to change."""
    with pytest.raises(BadInput, match="does not fit"):
        kernel("v3.10+order=v5.10")


@pytest.mark.parametrize(("name", "raises"), [("b95234c", True), ("v4.18", False), ("v6.1", False)])
def test_the_exit_that_ends_nested_run_pending_once_raised_a_request(name: str, raises: bool) -> None:
    """4.10's vmx_vcpu_run raises KVM_REQ_EVENT there; 4.18's and every later one only clears it."""
    ends = find(kernel(name).paths["vcpu_run"], "RUN_PENDING")
    assert isinstance(ends, Step)
    me = SimpleNamespace(nested_run_pending=0, requests=1)
    s = [1, 0]
    ends.fn(s, me)
    assert s == [0, KVM_REQ_EVENT if raises else 0]


@pytest.mark.parametrize(("name", "asks"), [("v4.18", True), ("v4.19", True), ("v6.1", False)])
def test_the_top_of_a_lap_asks_for_l1_unless_only_a_halted_l2_is_asked(name: str, asks: bool) -> None:
    """4.19's kvm_vcpu_running asks check_nested_events at every lap, 6.1's vcpu_block where L2 wakes."""
    scenario = levels(kernel(name), levels=2, cancel=True)
    asked = {move.step.label for _, move, _ in transitions(scenario)}
    assert any(label.startswith("RUNNING.") for label in asked) == asks
