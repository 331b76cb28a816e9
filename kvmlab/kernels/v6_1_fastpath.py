"""Two exits that v6.1 handles with interrupts off, to enter the guest again: an inner loop around the entry.

Source: v6.1 x86.c vcpu_enter_guest, handle_fastpath_set_msr_irqoff; vmx.c vmx_exit_handlers_fastpath,
handle_fastpath_preemption_timer (ae95f566b3d2, 26efe2fd92e5).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm.events import kvm_entry
from kvmlab.kvm.exits import because
from kvmlab.kvm.immediate_exit import is_forced
from kvmlab.kvm.nested import nothing
from kvmlab.kvm.posted import SYNC
from kvmlab.kvm.timer_msrs import access
from kvmlab.kvm.timer_records import BROKEN, TimedVcpu
from kvmlab.machine.call import call
from kvmlab.machine.edit import Swap, apply, find
from kvmlab.machine.step import Block, Row, Step, block, loop, prioritised
from kvmlab.processor.apic_timer import IA32_TSC_DEADLINE
from kvmlab.processor.exits import Exit

X86 = "v6.1 x86.c "


def _fast(function: str) -> Callable[[list[int], TimedVcpu], str]:
    def run(s: list[int], me: TimedVcpu) -> str:
        s[me.timer.handled] = 1
        return function

    return run


def _slow(s: list[int], me: TimedVcpu) -> str:
    s[me.timer.handled] = 0
    return "run_again"


def _may_keep(s: Sequence[int], me: TimedVcpu) -> bool:
    return me.timer.rate != BROKEN and access(Exit.MSR_WRITE, IA32_TSC_DEADLINE)(s, me)


def _timer_exit(s: Sequence[int], me: TimedVcpu) -> bool:
    """Not if an exit was asked for, nor if the timer was off: the value that never runs out has run out."""
    off = not s[me.timer.in_use]
    return bool(because(Exit.PREEMPTION_TIMER)(s, me)) and not is_forced(s, me) and not off


def _again(s: list[int], me: TimedVcpu) -> str | None:
    kicked = s[me.mode] == vcpu_mode.EXITING_GUEST_MODE or s[me.requests]
    return "run_again" if kicked else None


FASTPATH = block(
    "fastpath",
    Block(
        "exit_fastpath",
        (
            prioritised(
                "FASTPATH",
                Step(
                    "FAST.wrmsr_tscdeadline",
                    _fast("set_tscdeadline"),
                    _may_keep,
                    "the guest arms its timer, and the hv timer can keep it: handled with interrupts off",
                    X86 + "handle_fastpath_set_tscdeadline",
                    leaves=("set_tscdeadline",),
                ),
                Step(
                    "FAST.preemption_timer",
                    _fast("expired_hv_timer"),
                    _timer_exit,
                    "the preemption timer: the guest's deadline is here, handled with interrupts off",
                    "v6.1 vmx.c handle_fastpath_preemption_timer",
                    leaves=("expired_hv_timer",),
                ),
                Step(
                    "FAST.none",
                    _slow,
                    says="any other exit leaves the inner loop",
                    source="v6.1 vmx.c vmx_exit_handlers_fastpath",
                    leaves=("run_again",),
                ),
            ),
            call("set_tscdeadline", X86 + "handle_fastpath_set_tscdeadline"),
            call("expired_hv_timer", "v6.1 vmx.c handle_fastpath_preemption_timer"),
        ),
        "cases",
    ),
    SYNC,
    Step(
        "FAST.recheck",
        _again,
        says="has anybody kicked us, or made a request? if not, the guest is entered again",
        source=X86 + "vcpu_enter_guest, kvm_vcpu_exit_request",
        leaves=("run_again",),
    ),
)

HANDLED = Step(
    "EXIT.handled",
    nothing,
    lambda s, me: s[me.timer.handled],
    "the fast path has handled the exit already",
    "v6.1 vmx.c vmx_handle_exit",
)
ENTRY = Step(
    "TRACE.entry", nothing, says="the entry begins", source="v6.1 vmx.c vmx_vcpu_run", emits=kvm_entry
)


def with_fastpath(run: Block, paths: Mapping[str, Block]) -> Block:
    """Make an inner loop of the vendor's run function: the entry, the exit, and what is handled at once.

    The trace says kvm_entry where the kernel does, in front of the wait for a timer that has fired early.
    """
    enter = find(run, "ENTER")
    assert isinstance(enter, Row)
    silent = replace(enter, free=tuple(replace(step, emits=None) for step in enter.free))
    before = find(run, "HV_TIMER"), paths["wait_lapic_expire"]
    inner = *before, silent, find(run, "VMEXIT"), find(run, "RUN_PENDING"), paths["fastpath"]
    for label in ("HV_TIMER", "VMEXIT", "RUN_PENDING"):
        run = apply(run, Swap(label))
    run = apply(run, Swap("ENTER", (loop("run_again", ENTRY, *inner),)))
    row = find(run, "HANDLE_EXIT")
    assert isinstance(row, Row)
    return apply(run, Swap("HANDLE_EXIT", (replace(row, first=(HANDLED, *row.first)),)))
