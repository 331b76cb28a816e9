"""vmx_preemption_timer_zero_test: a timer of 0 fires behind what the entry injects, before any instruction.

In its guest an injected or pending #DB runs a handler that returns to a loop around a VMCALL: 60
instructions until that VMCALL exits, as counted in a recorded trace of the test. Source: kvm-unit-tests
x86/vmx_tests.c vmx_preemption_timer_zero_test.
"""

from collections.abc import Sequence

from kvmlab.processor import intr_info
from kvmlab.processor.code import IRET, Code, assemble, jump, nop, vmcall, work
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import BODY, handler
from kvmlab.processor.timer_events import DEBUG_VECTOR
from kvmlab.scenarios.unittests.bench import (
    ENTER,
    Action,
    Bench,
    Change,
    UnitTest,
    arm,
    check,
    disarm,
    exited,
    require,
    script,
    seen,
    skip_vmcall,
    write,
)

HANDLER_PAGE = 0
IN_HANDLER = 58
"""60 instructions in all: these, and two in the loop."""

INJECTED_DB = intr_info.event(DEBUG_VECTOR, intr_info.HARDWARE_EXCEPTION)


def _code(me: Bench) -> Code:
    stage = me.memory["stage"]
    body = (vmcall(), nop(), jump(lambda s: BODY if s[stage] < 3 else None), vmcall())
    first = nop(page=HANDLER_PAGE)
    return assemble(BODY, *body) | assemble(handler(DEBUG_VECTOR), first, *work(IN_HANDLER - 2), IRET)


def _db(s: Sequence[int], me: Bench) -> int:
    return handler(DEBUG_VECTOR)


def _stage(stage: int, change: Change, intercepted: bool) -> Change:
    def run(s: list[int], me: Bench) -> None:
        assert me.form.exception_bitmap is not None
        s[me.memory["stage"]] = stage
        arm(0)(s, me)
        s[me.form.exception_bitmap] = intercepted << DEBUG_VECTOR
        change(s, me)

    return run


def _inject(s: list[int], me: Bench) -> None:
    s[me.form.intr_info] = INJECTED_DB


def _pend(s: list[int], me: Bench) -> None:
    assert me.l2.debug is not None
    s[me.l2.debug] = 1


PREEMPT_AT_HANDLER = (exited(Exit.PREEMPTION_TIMER, _db), seen(Exit.PREEMPTION_TIMER, _db))
INTERCEPTED = (
    lambda s, me: s[me.form.reason] == Exit.EXCEPTION_NMI,
    lambda s, me: f"exit reason {s[me.form.reason]} (expected {Exit.EXCEPTION_NMI})",
)


def _round(what: str, change: Change) -> tuple[Action, ...]:
    """Enter with a timer of 0, report, bring the guest to the VMCALL behind which the next round begins."""
    return (
        write(f"{what}; preemption timer on, value 0", change),
        ENTER,
        check(f"timer 0, {what}", *PREEMPT_AT_HANDLER),
        write("preemption timer off", disarm),
        ENTER,
        skip_vmcall(),
    )


ZERO_TEST = UnitTest(
    "vmx_preemption_timer_zero_test",
    script(
        *_round("#DB injected", _stage(0, _inject, intercepted=False)),
        *_round("#DB injected and intercepted", _stage(1, _inject, intercepted=True)),
        *_round("#DB pending", _stage(2, _pend, intercepted=False)),
        write(
            "#DB pending and intercepted; preemption timer on, value 0", _stage(3, _pend, intercepted=True)
        ),
        ENTER,
        check("timer 0, #DB pending and intercepted", *INTERCEPTED),
        write("preemption timer off", disarm),
        ENTER,
        require("the guest runs to its end", Exit.VMCALL),
    ),
    _code,
)
