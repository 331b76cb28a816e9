"""The test "preemption timer", whose stage 4 is the failure that patch 4 was written for.

Its guest asks for the stages one after the other; the test answers each exit by stage and reason. The
period is scaled down from 10000000 ticks. From stage 4's entry to the next VMCALL the guest executes 5
instructions, as counted in a recorded trace of the test. Source: kvm-unit-tests x86/vmx_tests.c
preemption_timer_main, preemption_timer_exit_handler.
"""

from collections.abc import Callable, Sequence

from kvmlab.kvm.nested_timer import EMULATED_RATE
from kvmlab.machine.step import Fired, Step, loop
from kvmlab.processor.code import HALT, Code, Insn, assemble, jump, store, vmcall, work
from kvmlab.processor.exits import Exit, show
from kvmlab.processor.records import ACTIVE, BODY, HLT, show_rip
from kvmlab.scenarios.unittests.bench import (
    ENTER,
    VMCALL_LENGTH,
    Bench,
    UnitTest,
    arm,
    at_its_level,
    disarm,
    numbered,
    program,
    report,
    write,
)

PERIOD = 200
"""Ticks of 32 cycles, at level 0."""

PAST_ANY_DOUBT = 10
"""Periods."""


def period(me: Bench) -> int:
    """Return the period in ticks: long enough for the way of an exit to the test."""
    return at_its_level(PERIOD, me)


def _code(me: Bench) -> Code:
    stage, start = me.memory["stage"], me.memory["tsc_val"]

    def set_stage(value: int) -> Insn:
        return store(stage, lambda s: value)

    read_tsc = store(start, me.rdtsc)
    first = (read_tsc, set_stage(0), vmcall(), jump(lambda s: None if s[stage] == 1 else spin - 1), vmcall())
    spin = BODY + sum(insn.length for insn in first) + 1
    late = (set_stage(2), vmcall(), jump(lambda s: spin))
    halting = spin + 4 + sum(insn.length for insn in late)
    wait = (
        jump(lambda s: None if s[stage] == 1 else halting),
        jump(lambda s: None if _ticks(s, me) > PAST_ANY_DOUBT * period(me) else spin),
    )
    last = (*work(4), set_stage(5), vmcall())
    return assemble(BODY, *first, set_stage(1), *wait, *late, read_tsc, HALT, vmcall(), *last)


def _ticks(s: Sequence[int], me: Bench) -> int:
    return me.rdtsc(s) - s[me.memory["tsc_val"]] >> EMULATED_RATE


Verdict = Callable[[Sequence[int], Bench], bool]
VERDICTS: dict[tuple[Exit, int], tuple[str, Verdict]] = {
    (Exit.VMCALL, 0): ("Keep preemption value", lambda s, me: _value(s, me) == period(me)),
    (Exit.VMCALL, 1): ("Save preemption value", lambda s, me: _value(s, me) < period(me)),
    (Exit.PREEMPTION_TIMER, 1): ("busy-wait for preemption timer", lambda s, me: _ticks(s, me) >= period(me)),
    (Exit.PREEMPTION_TIMER, 2): ("busy-wait for preemption timer", lambda s, me: _ticks(s, me) >= period(me)),
    (Exit.VMCALL, 2): ("busy-wait for preemption timer", lambda s, me: False),
    (Exit.PREEMPTION_TIMER, 3): (
        "preemption timer during hlt",
        lambda s, me: _ticks(s, me) >= period(me) and _halted(s, me),
    ),
    (Exit.VMCALL, 3): ("preemption timer during hlt", lambda s, me: False),
    (Exit.PREEMPTION_TIMER, 4): (
        "preemption timer with 0 value",
        lambda s, me: s[me.l2.rip] == s[me.memory["saved_rip"]],
    ),
    (Exit.VMCALL, 5): ("preemption timer with 0 value (vmcall stage 5)", lambda s, me: False),
}
"""(exit, stage) -> what is asserted there. VMCALL in stage 4 asserts nothing; any other exit is a failure."""


def _value(s: Sequence[int], me: Bench) -> int:
    assert me.form.timer is not None
    return s[me.form.timer]


def _halted(s: Sequence[int], me: Bench) -> bool:
    assert me.l2.activity is not None
    return s[me.l2.activity] == HLT


def _where(s: Sequence[int], me: Bench) -> tuple[Exit, int]:
    return Exit(s[me.form.reason]), s[me.memory["stage"]]


def _fire(before: Sequence[int], after: Sequence[int], me: Bench) -> tuple[Fired, ...]:
    where = _where(before, me)
    text = f"exit {show(where[0])} at {show_rip(before[me.l2.rip])}, stage {where[1]}"
    if where in VERDICTS:
        name, holds = VERDICTS[where]
        return (report(name, bool(holds(before, me)), text),)
    return () if where == (Exit.VMCALL, 4) else (report("unexpected exit", False, text),)


def _begin(s: list[int], me: Bench) -> None:
    arm(period(me))(s, me)


def _with_saving(s: list[int], me: Bench) -> None:
    assert me.form.saves_timer is not None
    arm(period(me))(s, me)
    s[me.memory["stage"]] = s[me.form.saves_timer] = 1


def _to_halt(s: list[int], me: Bench) -> None:
    arm(period(me))(s, me)
    s[me.memory["stage"]] = 3


def _halt_over(s: list[int], me: Bench) -> None:
    assert me.form.saves_timer is not None and me.l2.activity is not None
    disarm(s, me)
    s[me.form.saves_timer], s[me.l2.activity] = 0, ACTIVE
    s[me.memory["stage"]] = 4


def _zero(s: list[int], me: Bench) -> None:
    arm(0)(s, me)
    s[me.memory["stage"]], s[me.memory["saved_rip"]] = 4, s[me.l2.rip]


ANSWERS: dict[tuple[Exit, int], Callable[[list[int], Bench], None]] = {
    (Exit.VMCALL, 0): _with_saving,
    (Exit.VMCALL, 1): lambda s, me: None,
    (Exit.PREEMPTION_TIMER, 1): _to_halt,
    (Exit.PREEMPTION_TIMER, 2): _to_halt,
    (Exit.VMCALL, 2): _to_halt,
    (Exit.PREEMPTION_TIMER, 3): _halt_over,
    (Exit.VMCALL, 3): _zero,
    (Exit.VMCALL, 4): _zero,
}
"""(exit, stage) -> what the test changes before it resumes; where nothing stands it ends."""


def _handle(s: list[int], me: Bench) -> str | None:
    where = _where(s, me)
    if where[0] == Exit.VMCALL:
        s[me.l2.rip] += VMCALL_LENGTH
    if where not in ANSWERS:
        return "test"
    ANSWERS[where](s, me)
    return None


PREEMPTION_TIMER = UnitTest(
    "preemption timer",
    program(
        *numbered(write("preemption timer on, a long value", _begin)),
        loop(
            "resume",
            Step("TEST.enter", ENTER.fn, says=ENTER.says),
            Step(
                "TEST.handler",
                _handle,
                says="the exit handler reports by stage, and resumes or ends",
                leaves=("test",),
                emits=_fire,
            ),
        ),
    ),
    _code,
    ("tsc_val", "saved_rip"),
)
