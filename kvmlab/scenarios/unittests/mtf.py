"""vmx_mtf_test: the monitor trap flag exits behind one instruction, or behind what is delivered in its place.

Source: kvm-unit-tests x86/vmx_tests.c vmx_mtf_test.
"""

from collections.abc import Sequence

from kvmlab.processor import intr_info
from kvmlab.processor.code import (
    BAD_MOV_CR3,
    GP_VECTOR,
    INT1,
    IRET,
    OUT,
    Code,
    assemble,
    nop,
    store,
    vmcall,
)
from kvmlab.processor.controls import MONITOR_TRAP_FLAG
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import BODY, handler
from kvmlab.processor.timer_events import DEBUG_VECTOR
from kvmlab.scenarios.unittests.bench import (
    ENTER,
    Action,
    Bench,
    UnitTest,
    check,
    exited,
    require,
    script,
    seen,
    skip_vmcall,
    write,
)
from kvmlab.scenarios.unittests.windows import Rip, at

GUEST = (
    vmcall(),
    OUT,
    vmcall(),
    OUT,
    nop(10),
    vmcall(),
    BAD_MOV_CR3,
    vmcall(),
    INT1,
    vmcall(),
    nop(),
    vmcall(),
)
PLACES = [BODY + sum(insn.length for insn in GUEST[:n]) for n in range(len(GUEST))]
BEHIND_OUT, BEHIND_SECOND_OUT, BEHIND_MOV_CR3, BEHIND_INT1 = PLACES[2], PLACES[4], PLACES[7], PLACES[10]


def _code(me: Bench) -> Code:
    back = me.l2.return_rip
    assert back is not None
    repair = store(back, lambda s: BEHIND_MOV_CR3)
    return (
        assemble(BODY, *GUEST)
        | assemble(handler(GP_VECTOR), repair, IRET)
        | assemble(handler(DEBUG_VECTOR), IRET)
    )


def _mtf(on: bool) -> Action:
    def run(s: list[int], me: Bench) -> None:
        s[me.form.proc] = s[me.form.proc] | MONITOR_TRAP_FLAG if on else s[me.form.proc] & ~MONITOR_TRAP_FLAG

    return write(f"monitor trap flag {'on' if on else 'off'}", run)


def _tf(on: bool) -> Action:
    def run(s: list[int], me: Bench) -> None:
        assert me.l2.flags is not None
        s[me.l2.flags.tf] = int(on)

    return write(f"RFLAGS.TF {'on' if on else 'off'}", run)


def _no_debug_pending(s: list[int], me: Bench) -> None:
    assert me.l2.debug is not None
    s[me.l2.debug] = 0


def _debug_pending(s: Sequence[int], me: Bench) -> bool:
    assert me.l2.debug is not None
    return bool(s[me.l2.debug])


def _inject_mtf(s: list[int], me: Bench) -> None:
    s[me.form.intr_info] = intr_info.event(0, intr_info.OTHER_EVENT)


def _exit_behind(what: str, rip: Rip) -> Action:
    reason = Exit.MONITOR_TRAP_FLAG
    return check(f"MTF VM-exit after {what}", exited(reason, rip), seen(reason, rip))


def _one(what: str, rip: Rip) -> tuple[Action, ...]:
    """From the VMCALL in front of it: one instruction under the monitor trap flag."""
    must = require(f"MTF VM-exit after {what}", Exit.MONITOR_TRAP_FLAG)
    return (ENTER, skip_vmcall(), _mtf(True), ENTER, must, _exit_behind(what, rip), _mtf(False))


MTF_TEST = UnitTest(
    "vmx_mtf_test",
    script(
        *_one("OUT", at(BEHIND_OUT)),
        ENTER,
        skip_vmcall(),
        _mtf(True),
        _tf(True),
        ENTER,
        require("MTF VM-exit after OUT, single-stepped", Exit.MONITOR_TRAP_FLAG),
        _exit_behind("OUT, single-stepped", at(BEHIND_SECOND_OUT)),
        check(
            "'pending debug exceptions' field after MTF VM-exit",
            _debug_pending,
            lambda s, me: "BS" if _debug_pending(s, me) else "none",
        ),
        _mtf(False),
        _tf(False),
        write("no debug exception pending", _no_debug_pending),
        *_one("MOV CR3", at(handler(GP_VECTOR))),
        *_one("INT1", at(handler(DEBUG_VECTOR))),
        ENTER,
        skip_vmcall(),
        write("inject a pending MTF exit", _inject_mtf),
        ENTER,
        _exit_behind("injected MTF", at(BEHIND_INT1)),
        ENTER,
        require("the guest runs to its end", Exit.VMCALL),
    ),
    _code,
)
