"""vmx_nmi_window_test and vmx_intr_window_test: a window exits as soon as it is open, and not before.

The real tests report reason and RIP apart; here they are one line under the real prefix. Source:
kvm-unit-tests x86/vmx_tests.c vmx_nmi_window_test, vmx_intr_window_test.
"""

from collections.abc import Callable, Sequence

from kvmlab.machine.state import Cell
from kvmlab.processor.code import IRET, STI, Code, Insn, assemble, nop, store, vmcall
from kvmlab.processor.controls import INTERRUPT_WINDOW_EXITING, NMI_WINDOW_EXITING
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ACTIVE, BODY, HLT, handler
from kvmlab.processor.shadow import BLOCKING_BY_MOV_SS, BLOCKING_BY_STI
from kvmlab.processor.timer_events import DEBUG_VECTOR
from kvmlab.scenarios.unittests.bench import (
    ENTER,
    VMCALL_LENGTH,
    Action,
    Bench,
    Change,
    UnitTest,
    check,
    exited,
    require,
    script,
    seen,
    skip_vmcall,
    write,
)
from kvmlab.scenarios.unittests.zero_timer import INJECTED_DB

NOP_AT = BODY + VMCALL_LENGTH
"""The first instruction behind the guest's VMCALL."""

Rip = Callable[[Sequence[int], Bench], int]


def at(address: int) -> Rip:
    """Return "this address"."""
    return lambda s, me: address


DB_HANDLER = at(handler(DEBUG_VECTOR))


def _counting_handler(me: Bench) -> dict[int, Insn]:
    count = me.memory["db_count"]
    return assemble(handler(DEBUG_VECTOR), store(count, lambda s: s[count] + 1), IRET)


def _nmi_code(me: Bench) -> Code:
    return assemble(BODY, vmcall(), nop(), nop(), vmcall()) | _counting_handler(me)


def _intr_code(me: Bench) -> Code:
    return assemble(BODY, vmcall(), nop(), STI, STI, nop(), vmcall()) | _counting_handler(me)


def _on(bit: int) -> Change:
    def run(s: list[int], me: Bench) -> None:
        s[me.form.proc] |= bit

    return run


def _off(bit: int) -> Change:
    def run(s: list[int], me: Bench) -> None:
        s[me.form.proc] &= ~bit

    return run


def _set(part: str, value: int) -> Change:
    """Return the write of one part of the guest's saved state."""

    def run(s: list[int], me: Bench) -> None:
        place: Cell | None = getattr(me.l2, part)
        assert place is not None
        s[place] = value

    return run


def _flag(value: int) -> Change:
    def run(s: list[int], me: Bench) -> None:
        s[me.l2.cpu.irq] = value

    return run


def _inject(s: list[int], me: Bench) -> None:
    s[me.form.intr_info] = INJECTED_DB


def _both(one: Change, other: Change) -> Change:
    def run(s: list[int], me: Bench) -> None:
        one(s, me)
        other(s, me)

    return run


def _case(reason: Exit, what: str, change: Change, rip: Rip) -> tuple[Action, ...]:
    """Enter once; the window must take the guest out at ``rip``, and leaves it active for the next case."""
    return (
        write(what, change),
        ENTER,
        check(what, exited(reason, rip), seen(reason, rip)),
        write("the guest is active", _set("activity", ACTIVE)),
    )


def _nmi(what: str, change: Change, rip: Rip) -> tuple[Action, ...]:
    return _case(Exit.NMI_WINDOW, f"NMI-window: {what}", change, rip)


def _intr(what: str, change: Change, rip: Rip) -> tuple[Action, ...]:
    return _case(Exit.INTERRUPT_WINDOW, f"interrupt-window: {what}", change, rip)


HALTED = _set("activity", HLT)
END = (ENTER, require("the guest runs to its end", Exit.VMCALL))

NMI_WINDOW_TEST = UnitTest(
    "vmx_nmi_window_test",
    script(
        ENTER,
        skip_vmcall(),
        *_nmi("active, no blocking", _on(NMI_WINDOW_EXITING), at(NOP_AT)),
        *_nmi("active, blocking by MOV-SS", _set("shadow", BLOCKING_BY_MOV_SS), at(NOP_AT + 1)),
        *_nmi("active, no blocking, injecting #DB", _inject, DB_HANDLER),
        *_nmi("active, blocking by NMI", _set("nmi_blocked", 1), at(NOP_AT + 1)),
        check(
            "#DB handler executed once",
            lambda s, me: s[me.memory["db_count"]] == 1,
            lambda s, me: f"{s[me.memory['db_count']]} times",
        ),
        *_nmi("halted, no blocking", HALTED, at(NOP_AT + 1)),
        *_nmi("halted, no blocking, injecting #DB", _both(HALTED, _inject), DB_HANDLER),
        write("no window any more", _off(NMI_WINDOW_EXITING)),
        *END,
    ),
    _nmi_code,
    ("db_count",),
)

INTR_WINDOW_TEST = UnitTest(
    "vmx_intr_window_test",
    script(
        ENTER,
        require("the guest stands at its VMCALL", Exit.VMCALL),
        *_intr("active, no blocking, RFLAGS.IF=1", _both(_on(INTERRUPT_WINDOW_EXITING), _flag(1)), at(BODY)),
        *_intr("active, no blocking, RFLAGS.IF=1, injecting #DB", _inject, DB_HANDLER),
        write("no window any more", _off(INTERRUPT_WINDOW_EXITING)),
        ENTER,
        skip_vmcall(),
        write("a window again", _on(INTERRUPT_WINDOW_EXITING)),
        *_intr("active, blocking by MOV-SS, RFLAGS.IF=1", _set("shadow", BLOCKING_BY_MOV_SS), at(NOP_AT + 1)),
        *_intr(
            "active, blocking by STI, RFLAGS.IF=1",
            _both(_set("rip", NOP_AT), _set("shadow", BLOCKING_BY_STI)),
            at(NOP_AT + 1),
        ),
        *_intr("active, RFLAGS.IF = 0", _flag(0), at(NOP_AT + 3)),
        *_intr("halted, no blocking", HALTED, at(NOP_AT + 3)),
        *_intr("halted, no blocking, injecting #DB", _both(HALTED, _inject), DB_HANDLER),
        write("no window any more", _off(INTERRUPT_WINDOW_EXITING)),
        *END,
    ),
    _intr_code,
    ("db_count",),
    trap_gates=frozenset({DEBUG_VECTOR}),
)
