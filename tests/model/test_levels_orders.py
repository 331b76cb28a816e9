"""check_nested_events: the real orders as data, what each of them lets go first, and -EBUSY."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
from walks import transitions

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kvm.check_nested_events import ORDER_4_11, ORDER_4_19, ORDER_5_10, TRAP
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.labs.unittest import unittest
from kvmlab.machine.edit import find
from kvmlab.machine.step import Row, Step
from kvmlab.processor import intr_info
from kvmlab.processor.boundary import PRIORITY
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING
from kvmlab.processor.exits import Exit
from kvmlab.processor.timer_events import DEBUG_VECTOR
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR, bit
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import cpus_by_level
from kvmlab.scenarios.unittests.scenario import unit_test

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
    """Every event that both know stands in 5.10 where the processor has it; before, nothing is known of
    traps."""
    places = [PRIORITY.index(AS_PROCESSOR[name]) for name in ORDER_5_10 if name in AS_PROCESSOR]
    assert all(a < b for a, b in pairwise(places))
    assert TRAP not in ORDER_4_11 + ORDER_4_19 and "mtf" not in ORDER_4_11 + ORDER_4_19


def test_the_orders_written_out() -> None:
    """As read: 4.11 first asks whether anything is queued; an exception for L1 came into the order later."""
    assert ORDER_4_11 == ("queued", "preemption_timer", "nmi", "interrupt")
    assert ORDER_4_19 == ("exception", "preemption_timer", "nmi", "interrupt")
    assert ORDER_5_10 == ("init", "fault", "mtf", "trap", "preemption_timer", "smi", "nmi", "interrupt")


OF_4_11 = (
    *("NESTED.exception", "INJECT.exception", "REINJECT", "NESTED.busy"),
    *("NESTED.preemption_timer", "NESTED.interrupt", "INJECT_IRQ", "INJECT.none"),
)
OF_4_19 = (
    *("REINJECT", "NESTED.busy"),
    *("NESTED.exception", "NESTED.preemption_timer", "NESTED.interrupt"),
    *("INJECT.exception", "INJECT_IRQ", "INJECT.none"),
)
OF_5_10 = (
    *("REINJECT", "NESTED.busy"),
    *("NESTED.init", "NESTED.mtf", "NESTED.trap", "NESTED.preemption_timer", "NESTED.interrupt"),
    *("INJECT.exception", "INJECT_IRQ", "INJECT.none"),
)
ROWS = {
    "v4.18": OF_4_19,
    "v4.18+order=v4.11": OF_4_11,
    "v4.18+order=v4.19": OF_4_19,
    "v4.18+order=v5.10": OF_5_10,
}
ASKED = list(ROWS)[1:]


def row(name: str, label: str) -> Row:
    """Return a row of a kernel's run loop."""
    found = find(kernel(name).paths["vcpu_run"], label)
    assert isinstance(found, Row)
    return found


@pytest.mark.parametrize("name", ROWS)
def test_the_rows_of_each_release(name: str) -> None:
    """In 4.11 all that is L2's own goes before L1's events; since 4.16 only what is injected again does."""
    assert tuple(step.label for step in row(name, "INJECT").steps) == ROWS[name]


DB = intr_info.event(DEBUG_VECTOR, intr_info.HARDWARE_EXCEPTION)
FIRST: dict[frozenset[str], tuple[str, str, str]] = {
    frozenset({"timer", "interrupt"}): ("NESTED.preemption_timer",) * 3,
    frozenset({"exception", "timer", "interrupt"}): (
        "INJECT.exception",
        "NESTED.preemption_timer",
        "INJECT.exception",
    ),
    frozenset({"exception", "intercepted", "timer"}): ("NESTED.exception", "NESTED.exception", "NESTED.trap"),
    frozenset({"exception", "mtf", "timer"}): ("INJECT.exception", "NESTED.preemption_timer", "NESTED.mtf"),
    frozenset({"queued", "timer"}): ("REINJECT",) * 3,
    frozenset({"owed", "timer"}): ("NESTED.busy",) * 3,
    frozenset({"exception"}): ("INJECT.exception",) * 3,
}
"""What is there at once -> what 4.11, 4.19 and 5.10 do first."""


class Lap:
    """KVM at L0 in a lap of its vCPU, L2 active, and what is there."""

    def __init__(self, name: str, there: frozenset[str]) -> None:
        scenario = unit_test("vmx_mtf_test", [kernel(name)], cpus_by_level("", 1))
        self.name, self.vcpu, self.state = name, scenario.records["stack"].vcpus[0], [*scenario.system.start]
        vcpu, s = self.vcpu, self.state
        form, nested = vcpu.forms[0], vcpu.nested
        s[vcpu.current] = 1
        values = {
            "timer": (nested.expired, 1),
            "interrupt": (vcpu.guests[0].cpu.irr, bit(LOCAL_TIMER_VECTOR)),
            "exception": (vcpu.exception, DB),
            "intercepted": (form.exception_bitmap, bit(DEBUG_VECTOR)),
            "mtf": (nested.mtf_pending, 1),
            "queued": (vcpu.queued, DB),
            "owed": (vcpu.nested_run_pending, 1),
        }
        for what in there:
            cell, value = values[what]
            s[cell] = value

    def first(self, label: str) -> Step:
        """Return the alternative that is taken in a row of the run loop."""
        steps = row(self.name, label).steps
        return next(step for step in steps if step.when is None or step.when(self.state, self.vcpu))


@pytest.mark.parametrize("there", FIRST, ids=lambda there: "+".join(sorted(there)))
def test_what_goes_first(there: frozenset[str]) -> None:
    """Timer before interrupt in all three; of a #DB of L2's only 4.19 thinks less than of L1's timer."""
    assert tuple(Lap(name, there).first("INJECT").label for name in ASKED) == FIRST[there]


@pytest.mark.parametrize("name", ASKED)
def test_whom_the_top_of_a_lap_finds_busy(name: str) -> None:
    """With an exception still to be injected 4.11 answers -EBUSY to anything, 4.19 to nothing, 5.10 behind
    the trap; what must be injected again makes all three busy."""
    asks = {
        there: Lap(name, frozenset({"timer", *there.split()})).first("REQ.other").label.startswith("RUNNING.")
        for there in ("", "exception", "exception mtf", "queued", "owed")
    }
    free, busy = {"": True, "queued": False, "owed": False}, name != "v4.18+order=v4.11"
    assert asks == free | {"exception": name == "v4.18+order=v4.19", "exception mtf": busy}


@pytest.mark.parametrize(("name", "wishes"), [(ASKED[0], False), (ASKED[1], True), (ASKED[2], True)])
def test_what_is_injected_hid_from_l1_what_it_has_to_hear_of(name: str, wishes: bool) -> None:
    """4.11 injects again and asks no further; since 4.16 L1's event makes the entry a short one."""
    lap = Lap(name, frozenset({"queued", "timer"}))
    lap.first("INJECT").fn(lap.state, lap.vcpu)
    assert bool(lap.state[lap.vcpu.immediate]) == wishes


def test_l1_is_told_the_exception_that_it_intercepts() -> None:
    """With the event as interruption information; nothing is left to be injected."""
    for name in ASKED:
        lap = Lap(name, frozenset({"exception", "intercepted", "timer"}))
        lap.first("INJECT").fn(lap.state, lap.vcpu)
        s, form = lap.state, lap.vcpu.forms[0]
        assert (s[form.reason], s[form.exit_intr]) == (Exit.EXCEPTION_NMI, DB)
        assert (s[lap.vcpu.current], s[lap.vcpu.exception]) == (0, 0)


def test_a_window_is_asked_for_where_hardware_looks() -> None:
    """What an event of L2 hides in 4.11 asks for a window in the VMCS that is loaded: vmcs02."""
    lap = Lap(ASKED[0], frozenset({"queued", "interrupt"}))
    lap.first("WINDOW").fn(lap.state, lap.vcpu)
    windows = [lap.state[guest.vmcs.proc] & INTERRUPT_WINDOW_EXITING for guest in lap.vcpu.guests]
    assert windows == [0, INTERRUPT_WINDOW_EXITING]


def test_three_ends_of_a_pending_debug_trap() -> None:
    """L2's trap and L1's timer of 0 at once. 4.19 drops the trap: its handler never runs. 4.11 injects it and
    forgets to ask for L1: L2 runs on to its VMCALL. 5.10 does both."""
    ends = {}
    for name in ASKED:
        lines = unittest("vmx_preemption_timer_zero_test", kernels=f"L0={name}").lines
        ends[name] = [line.text.split(" (")[0] for line in lines if line.name == "timer 0, #DB pending"]
    assert list(ends.values()) == [
        ["exit VMCALL at body"],
        ["exit PREEMPTION_TIMER at body+3"],
        ["exit PREEMPTION_TIMER at handler of 0x1"],
    ]


def test_only_4_19_skips_a_trap_of_a_guest_that_single_steps() -> None:
    """5.10 passes; in 4.11 no trap is skipped either, but the timer waits for as long as L2 only steps."""
    results = [unittest("vmx_preemption_timer_tf_test", kernels=f"L0={name}") for name in ASKED]
    assert [(result.finished, [line.ok for line in result.lines]) for result in results] == [
        (False, []),
        (True, [False]),
        (True, [True]),
    ]


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
