"""Each assertion of the modelled kvm-unit-tests can fail: a broken KVM or CPU for each of their lines."""

from collections.abc import Iterator, Sequence

import pytest
from broken_machines import (
    Broken,
    Harm,
    at,
    awake,
    failing,
    forgotten,
    half,
    intercepted,
    lost_to_the_timer,
    lost_trap,
    memory,
    never,
    no_debug,
    one_further,
    reports,
    run,
    scenario,
    swallowed,
    tick_late,
    told,
    unshadowed,
    value,
    woken,
)

from kvmlab.machine.run import Taken
from kvmlab.processor.exits import Exit
from kvmlab.processor.shadow import BLOCKING_BY_MOV_SS, BLOCKING_BY_STI
from kvmlab.scenarios.unittests import mtf, preemption_timer
from kvmlab.scenarios.unittests.bench import Bench
from kvmlab.scenarios.unittests.scenario import TESTS

LEGACY, ZERO = "preemption timer", "vmx_preemption_timer_zero_test"
TF, EXPIRY = "vmx_preemption_timer_tf_test", "vmx_preemption_timer_expiry_test"
EVENT, EVENT_HLT = "vmx_pending_event_test", "vmx_pending_event_hlt_test"
NMI, INTR, MTF = "vmx_nmi_window_test", "vmx_intr_window_test", "vmx_mtf_test"

REFLECT, RESUME, START, ENTERED = "v:EXIT.reflect", "v:EXIT.vmresume", "v:NESTED.timer", "v:VMENTRY"
BUSY, TRAP = "v:NESTED.busy", "v:EXIT.exception"
TOLD = "v:NESTED.preemption_timer"
WAITED, FIRST, GOT, LAST = (
    "busy-wait for preemption timer",
    "Guest did not run before host received IPI",
    "Got pending interrupt after IRQ enabled",
    "Guest finished running when no interrupt",
)
OUT, CR3, INT1, INJECTED = (
    f"MTF VM-exit after {what}" for what in ("OUT", "MOV CR3", "INT1", "injected MTF")
)
STEPPED, FIELD = "MTF VM-exit after OUT, single-stepped", "'pending debug exceptions' field after MTF VM-exit"
SKIP, END, LATE_END = "skip_exit_vmcall", "the guest runs to its end", "the timer ends the loop"
ONCE, STAGE_5 = "#DB handler executed once", "preemption timer with 0 value (vmcall stage 5)"
HALTED, ON_ZERO = "preemption timer during hlt", "preemption timer with 0 value"
SHADOWS = {"STI": BLOCKING_BY_STI, "MOV-SS": BLOCKING_BY_MOV_SS}
PERIOD = preemption_timer.PERIOD
WRONG = "L1 is told CPUID"


def _legacy(line: str, stage: int, says: str, step: str, harm: Harm) -> Broken:
    return Broken(LEGACY, line, says, step, harm, f"stage {stage}")


def _windows() -> Iterator[Broken]:
    """Every case of the two: the exit has another reason than the window; it comes within a shadow."""
    for test in (NMI, INTR):
        for line in reports(test):
            if line != ONCE:
                yield Broken(test, line, WRONG, REFLECT, told(Exit.CPUID), line)
    for what, shadow in SHADOWS.items():
        line = f"interrupt-window: active, blocking by {what}, RFLAGS.IF=1"
        yield Broken(INTR, line, "the CPU has no such shadow", RESUME, unshadowed(shadow), line)


def _pending(test: str, leaves: str) -> tuple[Broken, ...]:
    return (
        Broken(test, FIRST, WRONG, leaves, told(Exit.CPUID), FIRST),
        Broken(test, FIRST, "L2 has stored before the exit", leaves, memory("ran", 1), FIRST),
        Broken(test, GOT, "L0 swallows the vector", leaves, swallowed, FIRST),
        Broken(test, LAST, "L2's store is lost", REFLECT, memory("ran", 0), LAST),
    )


def _mtf(line: str, says: str, step: str, address: int) -> tuple[Broken, ...]:
    return (
        Broken(MTF, line, WRONG, step, told(Exit.CPUID), line),
        Broken(MTF, line, says, step, at(address), line),
    )


TABLE = (
    _legacy("Keep preemption value", 0, "KVM writes the value back unasked", REFLECT, value(PERIOD - 1)),
    _legacy("Save preemption value", 1, "KVM does not write the value back", REFLECT, value(PERIOD)),
    _legacy(WAITED, 1, "the timer runs twice as fast", START, half),
    _legacy(WAITED, 1, "the timer never runs", START, never),
    _legacy(HALTED, 3, "the timer runs twice as fast", START, half),
    _legacy(HALTED, 3, "L1 finds L2 active", "v:RUNNING.preemption_timer", awake),
    _legacy(HALTED, 3, "L2 wakes on its own", "v:EXIT.hlt", woken),
    _legacy(ON_ZERO, 4, "L2 runs one instruction first", TOLD, one_further),
    _legacy(STAGE_5, 4, "the exit is not forced", BUSY, forgotten),
    _legacy("unexpected exit", 0, WRONG, REFLECT, told(Exit.CPUID)),
    Broken(ZERO, "timer 0, #DB injected", "the exit is not forced", BUSY, forgotten, "timer 0, #DB injected"),
    Broken(
        ZERO,
        "timer 0, #DB injected and intercepted",
        "the CPU intercepts what is injected",
        ENTERED,
        intercepted,
        "timer 0, #DB injected and intercepted",
    ),
    Broken(ZERO, "timer 0, #DB pending", "the trap is dropped", TRAP, lost_trap, "timer 0, #DB pending"),
    Broken(
        ZERO,
        "timer 0, #DB pending and intercepted",
        "the trap is dropped",
        RESUME,
        no_debug,
        "timer 0, #DB pending and intercepted",
    ),
    *(Broken(test, SKIP, WRONG, REFLECT, told(Exit.CPUID)) for test in TESTS if test not in (LEGACY, INTR)),
    *(Broken(test, END, WRONG, REFLECT, told(Exit.CPUID), END) for test in (ZERO, EXPIRY, NMI, INTR, MTF)),
    Broken(INTR, "the guest stands at its VMCALL", WRONG, REFLECT, told(Exit.CPUID)),
    Broken(
        TF, "No single-step traps skipped", "a trap is lost to the timer", "v:CHECK_EVENT", lost_to_the_timer
    ),
    Broken(EXPIRY, LATE_END, WRONG, TOLD, told(Exit.CPUID)),
    Broken(EXPIRY, "Last stored guest TSC < TSC deadline", "the timer is a tick late", ENTERED, tick_late),
    *_pending(EVENT, "v:NESTED.interrupt"),
    *_pending(EVENT_HLT, "v:RUNNING.interrupt"),
    *_windows(),
    Broken(NMI, ONCE, "the #DB is delivered twice", REFLECT, memory("db_count", 2), ONCE),
    *_mtf(OUT, "the exit comes before the instruction", "v:NESTED.mtf", mtf.PLACES[1]),
    *_mtf(STEPPED, "the exit comes before the instruction", "v:NESTED.mtf", mtf.PLACES[3]),
    Broken(MTF, FIELD, "the exit leaves no trap pending", "v:NESTED.mtf", no_debug, STEPPED),
    *_mtf(CR3, "the exit comes before the instruction", REFLECT, mtf.PLACES[6]),
    *_mtf(INT1, "the exit comes before the instruction", REFLECT, mtf.PLACES[8]),
    *_mtf(INJECTED, "the exit comes an instruction late", REFLECT, mtf.PLACES[11])[1:],
)


@pytest.mark.parametrize("broken", TABLE, ids=str)
def test_each_assertion_can_fail(broken: Broken) -> None:
    """On the smallest broken machine exactly this line of the test fails."""
    assert failing(broken) == [broken.line]


@pytest.mark.parametrize("test", TESTS)
def test_no_assertion_is_missing_from_the_table(test: str) -> None:
    """Whatever a run that passes prints has failed once."""
    assert set(reports(test)) <= {broken.line for broken in TABLE if broken.test == test}


def _reported(test: str) -> Iterator[tuple[Taken, Bench]]:
    chosen = scenario(test)
    for taken in run(chosen, None):
        if any(name == "report" for name, _ in taken.events):
            yield taken, chosen.records["bench"]


def _passes(taken: Taken, state: Sequence[int], bench: Bench) -> bool:
    assert taken.move.step.emits is not None
    return all(fields["ok"] for _, fields in taken.move.step.emits(state, state, bench))


@pytest.mark.parametrize("test", [ZERO, NMI, INTR, MTF])
def test_an_exit_is_asserted_by_its_reason_and_by_its_rip(test: str) -> None:
    """Where a line says "at", either of the two alone makes it fail."""
    for taken, bench in _reported(test):
        text = taken.events[0][1]["text"]
        rip = bench.l2.rip
        wrong = {bench.form.reason: Exit.CPUID, rip: taken.before[rip] + 1} if " at " in text else {}
        for cell, seen in wrong.items():
            other = list(taken.before)
            other[cell] = seen
            assert _passes(taken, taken.before, bench) and not _passes(taken, other, bench)


def test_from_stage_4s_entry_to_the_vmcall_are_five_instructions() -> None:
    """As counted in a recorded trace: where the exit is not forced, so many run."""
    chosen = scenario(LEGACY)
    bench, broken = chosen.records["bench"], next(b for b in TABLE if b.line == STAGE_5)
    stage = bench.memory["stage"]
    ran = [taken.move.label for taken in run(chosen, broken) if taken.before[stage] >= 4]
    entry = len(ran) - ran[::-1].index("v:NESTED.timer")
    retired = [label for label in ran[entry:] if label == "g:INSN"]
    assert len(retired) == 5 + 1, "five, and the VMCALL that exits"
