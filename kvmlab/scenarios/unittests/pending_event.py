"""vmx_pending_event_test: an interrupt that waits at VM entry takes the guest out before it runs, whoever
has IF=0.

It came with b5861e5cf2fc. Its guest's first instruction stores into a page that it has not touched
before. Source: kvm-unit-tests x86/vmx_tests.c vmx_pending_event_test_core.
"""

from kvmlab.processor.code import Code, assemble, nop, store, vmcall
from kvmlab.processor.controls import EXTERNAL_INTERRUPT_EXITING
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ACTIVE, BODY, HLT
from kvmlab.scenarios.unittests.bench import (
    ENTER,
    NOP,
    Action,
    Bench,
    UnitTest,
    check,
    interrupts,
    require,
    script,
    send_self_ipi,
    skip_vmcall,
    write,
)

VECTOR = 0xF1
DATA_PAGE = 1


def _code(me: Bench) -> Code:
    ran = me.memory["ran"]
    return assemble(BODY, vmcall(), store(ran, lambda s: 1, DATA_PAGE), nop(), vmcall())


def _interrupts_exit(s: list[int], me: Bench) -> None:
    assert me.form.pin is not None
    s[me.form.pin] |= EXTERNAL_INTERRUPT_EXITING


def _activity(state: int, what: str) -> Action:
    def run(s: list[int], me: Bench) -> None:
        assert me.l2.activity is not None
        s[me.l2.activity] = state

    return write(f"the guest is {what}", run)


def _test(name: str, *, halted: bool) -> UnitTest:
    sleep = (_activity(HLT, "halted"),) if halted else ()
    wake = (_activity(ACTIVE, "active"),) if halted else ()
    first, got, last = (
        "Guest did not run before host received IPI",
        "Got pending interrupt after IRQ enabled",
        "Guest finished running when no interrupt",
    )
    return UnitTest(
        name,
        script(
            write("interrupts make the guest exit", _interrupts_exit),
            ENTER,
            skip_vmcall(),
            *sleep,
            interrupts(False),
            send_self_ipi(VECTOR),
            ENTER,
            require(first, Exit.EXTERNAL_INTERRUPT),
            check(
                first,
                lambda s, me: not s[me.memory["ran"]],
                lambda s, me: "it ran" if s[me.memory["ran"]] else "it did not",
            ),
            interrupts(True),
            NOP,
            interrupts(False),
            check(
                got,
                lambda s, me: bool(s[me.memory["fired"]]),
                lambda s, me: "the handler ran" if s[me.memory["fired"]] else "the handler did not run",
            ),
            *wake,
            ENTER,
            check(
                last,
                lambda s, me: bool(s[me.memory["ran"]]),
                lambda s, me: "it ran" if s[me.memory["ran"]] else "it did not",
            ),
        ),
        _code,
        ("ran",),
    )


PENDING_EVENT = _test("vmx_pending_event_test", halted=False)
PENDING_EVENT_HLT = _test("vmx_pending_event_hlt_test", halted=True)
