"""The VMX-preemption timer: value 0, expiry, saving, and what holds its exit back and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timer_bench import ROWS, Bench, bench, inject_debug

from kvmlab.errors import ModelError
from kvmlab.machine.state import Layout
from kvmlab.processor import preemption_timer as timer
from kvmlab.processor.boundary import (
    APICV_EVENTS,
    EVENTS,
    PRIORITY,
    TIMER_APICV_EVENTS,
    TIMER_EVENTS,
)
from kvmlab.processor.controls import ACTIVATE_PREEMPTION_TIMER
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.errata import BROKEN_PREEMPTION_TIMER, has_broken_preemption_timer
from kvmlab.processor.exits import Exit
from kvmlab.processor.preemption_timer import SAVE_PREEMPTION_TIMER
from kvmlab.processor.records import (
    ACTIVE,
    HLT,
    SHUTDOWN,
    WAIT_FOR_SIPI,
    Core,
    Cpu,
    Guest,
    Vmcs,
    handler,
)
from kvmlab.processor.shadow import BLOCKING_BY_MOV_SS, BLOCKING_BY_STI

DB = 1 << 1
"""#DB in an exception bitmap."""

TSC, RATE, TICKS = st.integers(0, 1 << 48), st.integers(0, 10), st.integers(0, timer.MAX_TICKS)


def stopped(b: Bench, reason: str, rip: int) -> bool:
    """Whether the guest is out for ``reason``, at ``rip``, and has executed nothing."""
    return (b.runs, b.exit, b.s[b.guest.rip], b.s[b.guest.insns]) == (False, reason, rip, 0)


@pytest.mark.parametrize(("row", "exceptions"), [("PT-01", 0), ("PT-02", DB)])
def test_value_0_comes_behind_the_injection(row: str, exceptions: int) -> None:
    """PT-01, PT-02: the frame is pushed, RIP is the handler's; interception plays no part."""
    b = bench(exceptions=exceptions)
    inject_debug(b)
    assert b.enter(0) == ["EXIT.PREEMPTION_TIMER"]
    assert stopped(b, "PREEMPTION_TIMER", handler(1)) and row in ROWS


def test_an_intercepted_debug_trap_goes_before_the_timer() -> None:
    """PT-04: the exit is the exception's, and the timer waits for the next entry."""
    b = bench(exceptions=DB)
    b.s[b.guest.debug] = 1  # type: ignore[index]
    rip = b.s[b.guest.rip]
    assert b.enter(0) == ["DEBUG_TRAP"] and stopped(b, "EXCEPTION_NMI", rip)
    assert b.enter() == ["EXIT.PREEMPTION_TIMER"] and stopped(b, "PREEMPTION_TIMER", rip)


def test_a_debug_trap_that_is_not_intercepted_is_delivered_first() -> None:
    """K.5: after a pending #DB, at its handler."""
    b = bench()
    b.s[b.guest.debug] = 1  # type: ignore[index]
    assert b.enter(0) == ["DEBUG_TRAP", "EXIT.PREEMPTION_TIMER"]
    assert stopped(b, "PREEMPTION_TIMER", handler(1))


def test_value_0_lets_no_instruction_run() -> None:
    """PT-05, K.5: a plain entry leaves where it came in."""
    b = bench()
    rip = b.s[b.guest.rip]
    assert b.enter(0) == ["EXIT.PREEMPTION_TIMER"] and stopped(b, "PREEMPTION_TIMER", rip)


@pytest.mark.parametrize(("row", "save", "left"), [("PT-06", False, 10_000_000), ("PT-07", True, 9_999_968)])
def test_what_is_left_is_written_back_if_asked_for(row: str, save: bool, left: int) -> None:
    """PT-06, PT-07: 1000 cycles at 32 a tick are 31 or 32 ticks, by the TSC's phase."""
    b = bench(save=save, tsc=1010)
    assert b.enter(10_000_000) == [] and b.at(2020) == []
    b.vmcall()
    assert (b.exit, b.left) == ("VMCALL", left) and row in ROWS


def test_an_exit_of_the_timer_itself_leaves_0() -> None:
    """With saving, what is left behind its own exit is 0."""
    b = bench(save=True)
    b.enter(3)
    assert b.at(1088) == ["EXIT.PREEMPTION_TIMER"] and b.left == 0


@pytest.mark.parametrize("rate", [0, 5, 7])
def test_expiry_while_spinning(rate: int) -> None:
    """PT-08: counted from a TSC read 2^X cycles before the entry, at least N counts have passed."""
    b = bench(rate=rate, tsc=123_457)
    before, n = 123_457 - (1 << rate), 10_000
    b.enter(n)
    left = timer.expiry(123_457, n, rate)
    assert b.at(left - 1) == [] and b.at(left) == ["EXIT.PREEMPTION_TIMER"]
    assert (left - before) >> rate >= n and "PT-08" in ROWS


def test_no_instruction_retires_after_the_deadline() -> None:
    """PT-10: a guest that stores the TSC again and again has stored none from the deadline on."""
    b = bench(tsc=282_001_000)
    value, now, stored = 1_000_000 >> 5, 282_001_000, []
    b.enter(value)
    while not b.at(now):
        stored.append(now)
        b.insn()
        now += 7
    assert stored[-1] < ((stored[0] >> 5) + value) << 5 <= now and "PT-10" in ROWS


def test_a_timer_that_is_off_does_not_count() -> None:
    """PT-13: with the control off the value is ignored, however late it gets."""
    b = bench(on=False)
    assert b.enter(0) == [] and b.at(1 << 40) == []
    b.vmcall()
    assert b.exit == "VMCALL" and "PT-13" in ROWS


def test_switching_the_control_off_leaves_the_value() -> None:
    """Two fields of the VMCS: a VMWRITE of one is none of the other."""
    b = bench()
    b.value(77)
    timer.disarm(b.s, b.guest.vmcs)
    assert b.left == 77 and b.enter() == []


@pytest.mark.parametrize("on", [False, True])
@pytest.mark.parametrize("save", [False, True])
def test_saving_needs_the_timer_on(on: bool, save: bool) -> None:
    """PT-14: off and saved fails with error 7; such an entry of KVM's would be an error of the model."""
    pin, controls = ACTIVATE_PREEMPTION_TIMER if on else 0, SAVE_PREEMPTION_TIMER if save else 0
    assert timer.instruction_error(pin, controls) == (7 if save and not on else 0) and "PT-14" in ROWS
    if save and not on:
        with pytest.raises(ModelError, match="VMfailValid 7"):
            bench(on=on, save=save).enter(1)
    else:
        assert bench(on=on, save=save).enter(1) == []


@given(TSC, st.integers(0, 5), st.integers(1, 400))
def test_one_count_each_time_the_bit_changes(entry: int, rate: int, ticks: int) -> None:
    """PT-15: counting toggles of bit X one by one ends where the arithmetic says."""
    now, toggles = entry, 0
    while toggles < ticks:
        now = (now >> rate) + 1 << rate
        toggles += 1
    assert timer.expiry(entry, ticks, rate) == now and "PT-15" in ROWS


@given(TSC, TICKS, RATE)
def test_loading_and_saving_at_once_changes_nothing(entry: int, ticks: int, rate: int) -> None:
    """What is left at the entry is what was loaded, for any phase."""
    assert timer.ticks_left(entry, timer.expiry(entry, ticks, rate), rate) == ticks


@given(TSC, TICKS, RATE)
def test_expiry_is_at_most_one_tick_early_and_never_late(entry: int, ticks: int, rate: int) -> None:
    """The counter runs for `ticks` periods, the first of which is cut short by the TSC's phase."""
    lasts = timer.expiry(entry, ticks, rate) - entry
    assert (ticks - 1) << rate < lasts <= ticks << rate


@pytest.mark.parametrize(("entry", "leaves", "off"), [(1010, 1088, -12), (1030, 1120, 20)])
def test_the_worked_example_of_quantisation(entry: int, leaves: int, off: int) -> None:
    """Deadline 1100 seen at 1000 is 3 ticks; entering at 1010 is 12 cycles early, at 1030 20 late."""
    b = bench(tsc=entry)
    assert b.enter((1100 - 1000) >> 5) == []
    assert b.at(leaves - 1) == [] and b.at(leaves) == ["EXIT.PREEMPTION_TIMER"] and leaves - 1100 == off


@pytest.mark.parametrize("state", [ACTIVE, HLT, SHUTDOWN])
def test_the_timer_wakes_a_halted_guest_and_one_in_shutdown(state: int) -> None:
    """K.5: it counts in these states, and takes the guest out of them."""
    b = bench()
    b.s[b.guest.activity] = state  # type: ignore[index]
    assert b.enter(1) == [] and b.at(1024) == ["EXIT.PREEMPTION_TIMER"]


def test_a_guest_that_waits_for_sipi_is_left_alone() -> None:
    """K.5: no exit there, neither at 0 nor later; an entry that injects ends the state."""
    b = bench()
    b.s[b.guest.activity] = WAIT_FOR_SIPI  # type: ignore[index]
    assert b.enter(0) == [] and b.at(1 << 20) == []
    b.vmcall()
    inject_debug(b)
    assert b.enter(0) == ["EXIT.PREEMPTION_TIMER"]


def test_in_smm_the_exit_waits_for_rsm() -> None:
    """It counts on in SMM; RSM lets the exit happen."""
    b = bench()
    b.enter(1)
    b.s[b.guest.smm] = 1  # type: ignore[index]
    assert b.at(2000) == []
    b.s[b.guest.smm] = 0  # type: ignore[index]
    assert b.boundary() == ["EXIT.PREEMPTION_TIMER"]


@pytest.mark.parametrize("held", ["smm", "activity"])
@pytest.mark.parametrize("late", [0, 1, 3_200])
def test_an_exit_of_another_kind_behind_the_expiry_leaves_0(held: str, late: int) -> None:
    """In SMM, and while waiting for SIPI, its own exit is held back; what is saved never falls below 0."""
    b = bench(save=True, tsc=1024)
    b.enter(1)
    b.s[getattr(b.guest, held)] = 1 if held == "smm" else WAIT_FOR_SIPI
    assert b.at(1056 + late) == []
    vm_exit(b.s, b.guest, Exit.INIT_SIGNAL)
    assert b.left == 0


@pytest.mark.parametrize("shadow", [BLOCKING_BY_STI, BLOCKING_BY_MOV_SS])
@pytest.mark.parametrize("irq", [0, 1])
def test_neither_if_nor_a_shadow_holds_the_timer(shadow: int, irq: int) -> None:
    """UNK-01: an inference from the SDM's silence; only a debug trap is held by MOV SS."""
    b = bench()
    b.s[b.guest.cpu.irq], b.s[b.guest.debug] = irq, shadow == BLOCKING_BY_MOV_SS  # type: ignore[index]
    b.s[b.guest.shadow] = shadow  # type: ignore[index]
    assert b.enter(0) == ["EXIT.PREEMPTION_TIMER"] and "UNK-01" in ROWS


@pytest.mark.parametrize(("depth", "counts"), [(1, True), (2, True), (3, False), (6, False)])
def test_below_c2_the_counter_stands_still(depth: int, counts: bool) -> None:
    """C0 to C2 count; deeper, the same number of ticks is left however long the CPU slept."""
    b = bench(tsc=1024)
    b.enter(4)
    assert b.guest.timer is not None
    timer.enter_c_state(b.s, b.guest.timer, depth)
    assert bool(b.at(1024 + 1000)) == counts
    if not counts:
        timer.leave_c_state(b.s, b.guest.timer)
        assert b.at(2024 + 95) == [] and b.at(2024 + 128) == ["EXIT.PREEMPTION_TIMER"]


TICK = 1 << 5
Naps = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5 * TICK)), max_size=8)
"""How deep the CPU sleeps (0: it does not), and for how many cycles."""


@given(Naps, st.integers(0, TICK - 1), st.booleans())
def test_an_exit_saves_the_ticks_that_no_deep_sleep_has_counted(
    naps: list[tuple[int, int]], phase: int, wakes: bool
) -> None:
    """Whatever C-states the CPU goes through, and whether it wakes before the exit or by it."""
    b = bench(save=True, tsc=1024 + phase)
    counter, ticks, now = b.guest.timer, 1_000, 1024 + phase
    assert counter is not None and b.enter(ticks) == []
    for depth, cycles in naps:
        timer.leave_c_state(b.s, counter)
        timer.enter_c_state(b.s, counter, depth)
        ticks -= (now + cycles) // TICK - now // TICK if depth <= 2 else 0
        now += cycles
        assert b.at(now) == []
    if wakes:
        timer.leave_c_state(b.s, counter)
    vm_exit(b.s, b.guest, Exit.EXTERNAL_INTERRUPT)
    assert b.left == ticks


@pytest.mark.parametrize("save", [False, True])
def test_an_exit_out_of_a_deep_sleep_leaves_nothing_frozen(save: bool) -> None:
    """The next entry counts what it loads, and no wake-up outside the guest starts anything."""
    b = bench(save=save, tsc=1024)
    counter = b.guest.timer
    assert counter is not None and counter.frozen is not None
    b.enter(8)
    b.at(1024 + 2 * TICK)
    timer.enter_c_state(b.s, counter, 3)
    b.at(1024 + 20 * TICK)
    vm_exit(b.s, b.guest, Exit.EXTERNAL_INTERRUPT)
    timer.leave_c_state(b.s, counter)
    assert (b.s[counter.deadline], b.s[counter.frozen]) == (-1, -1)
    left, now = (6 if save else 8), 1024 + 50 * TICK
    assert b.at(now) == b.enter() == b.at(now + left * TICK - 1) == []
    assert b.at(now + left * TICK) == ["EXIT.PREEMPTION_TIMER"]


def test_a_timer_that_is_off_stays_off_behind_a_deep_sleep() -> None:
    """Nothing counts, so nothing stands still and nothing goes on."""
    b = bench(on=False)
    assert b.guest.timer is not None
    b.enter(4)
    timer.enter_c_state(b.s, b.guest.timer, 6)
    timer.leave_c_state(b.s, b.guest.timer)
    assert b.at(1 << 40) == [] and b.runs


def test_events_stand_in_the_processors_order() -> None:
    """Debug trap and timer stand where the SDM has them, with APICv and without."""
    assert list(TIMER_EVENTS) == [name for name in PRIORITY if name in TIMER_EVENTS]
    assert [name for name in TIMER_APICV_EVENTS if name in PRIORITY] == list(TIMER_EVENTS)
    assert [name for name in TIMER_APICV_EVENTS if name in APICV_EVENTS] == list(APICV_EVENTS)
    assert set(TIMER_EVENTS) - set(EVENTS) == {"DEBUG_TRAP", "PREEMPTION_TIMER"}


def test_without_time_only_the_value_0_has_expired() -> None:
    """A guest with the VMCS fields and no counter: what an immediate exit needs, and no more."""
    layout = Layout()
    fields = {"pin": layout.add("pin"), "timer": layout.add("timer", 1)}
    vmcs = layout.record(Vmcs, "vmcs", owner=0, guest=1, **fields)
    cpu = layout.record(Cpu, "cpu")
    guest = layout.record(Guest, "g", level=1, core=layout.record(Core, "core"), host=cpu, cpu=cpu, vmcs=vmcs)
    s = list(layout.start())
    assert not timer.expired(s, guest)
    timer.arm(s, vmcs, 7)
    assert not timer.expired(s, guest)
    timer.arm(s, vmcs, 0)
    assert timer.expired(s, guest)
    timer.disarm(s, vmcs)
    assert not timer.expired(s, guest)


def test_a_cell_that_nobody_allocated_is_named() -> None:
    """An error of the model says which cell is missing."""
    layout = Layout()
    vmcs = layout.record(Vmcs, "vmcs", owner=0, guest=1)
    with pytest.raises(ModelError, match="pin-based controls"):
        timer.arm(list(layout.start()), vmcs, 0)


def test_broken_timers_are_known_by_their_signature() -> None:
    """B.7: nine signatures; reserved bits do not count, another stepping is not broken."""
    assert len(BROKEN_PREEMPTION_TIMER) == 9
    assert all(has_broken_preemption_timer(eax) for eax in BROKEN_PREEMPTION_TIMER)
    assert has_broken_preemption_timer(0x106A5 | 0xF000C000)
    assert not has_broken_preemption_timer(0x50654) and not has_broken_preemption_timer(0x106A6)


def test_every_row_is_asked() -> None:
    """Each row of the category stands in the docstring of a test here."""
    told = " ".join(str(f.__doc__) for name, f in globals().items() if name.startswith("test_"))
    assert [row for row, it in ROWS.items() if it["area"] == "preemption-timer" and row not in told] == []
