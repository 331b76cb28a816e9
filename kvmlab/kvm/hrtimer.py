"""The host's hrtimer of a vCPU: its queue, the interrupt that runs its callback, and who waits for whom.

It sits in the queue of the CPU on which it was started, pinned there up to v5.2; a host that keeps timers
away from its guests' CPUs has it elsewhere since. The interrupt comes to that CPU as soon as interrupts are
allowed there; it takes the vCPU's thread away, or finds it asleep, or finds it gone to another CPU, and then
the two run at the same time. Between them stands hrtimer_cancel, which waits for a callback that runs.
Source: v4.10 kernel/time/hrtimer.c hrtimer_interrupt, __run_hrtimer, hrtimer_cancel;
arch/x86/kernel/apic/apic.c smp_apic_timer_interrupt; vmx.c vmx_handle_external_intr.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.edit import find
from kvmlab.machine.step import Block, Row, Step, block, loop
from kvmlab.processor.intr_info import event
from kvmlab.processor.records import ROOT
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR, bit

HRTIMER = "v4.10 kernel/time/hrtimer.c "
HANDLER = ROOT + 1
"""The frame of what runs on top of the thread: an interrupt handler, the scheduler."""


def enqueue(s: list[int], me: TimedVcpu, expires: int) -> None:
    """hrtimer_start: into the queue of the thread's own CPU, or of a housekeeping one."""
    s[me.timer.hrtimer.expires] = expires
    s[me.timer.hrtimer.away] = int(me.timer.hrtimer.elsewhere)


def requeue(s: list[int], me: TimedVcpu, expires: int) -> None:
    """HRTIMER_RESTART: the callback's own CPU keeps it in its queue."""
    s[me.timer.hrtimer.expires] = expires


def _due(s: Sequence[int], me: TimedVcpu) -> bool:
    return 0 <= s[me.timer.hrtimer.expires] <= s[me.timer.tsc.host]


def _cancel(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.hrtimer.expires] = -1
    s[me.timer.hrtimer.away] = 0


CANCEL = Step(
    "HRT.cancel",
    _cancel,
    lambda s, me: not s[me.timer.hrtimer.running],
    "hrtimer_cancel: out of the queue; waits while the callback runs",
    HRTIMER + "hrtimer_cancel",
    emits=trace.hrtimer_cancel,
)


def _fires(s: Sequence[int], me: TimedVcpu) -> bool:
    """Once for an hrtimer that is due: not while its interrupt is pending, in service, or being handled."""
    under_way = (s[me.cpu.irr] | s[me.cpu.isr]) & bit(LOCAL_TIMER_VECTOR) or s[me.timer.hrtimer.called]
    return _due(s, me) and not s[me.timer.hrtimer.away] and not under_way


def _fire(s: list[int], me: TimedVcpu) -> None:
    s[me.cpu.irr] |= bit(LOCAL_TIMER_VECTOR)


LOCAL_TIMER: Block = loop(
    "local_timer",
    Step(
        "LOCAL_TIMER",
        _fire,
        _fires,
        "the timer of the CPU's local APIC fires: 0xec is pending",
        'SDM vol. 3 (June 2016), "APIC Timer"',
    ),
)
"""Hardware: the CPU's own timer, which the host has programmed for the head of its queue."""


def _run(s: list[int], me: TimedVcpu) -> str | None:
    """Take the hrtimer out of the queue and begin its callback, if it is due; it may have been cancelled."""
    due = _due(s, me) and not s[me.timer.hrtimer.away]
    if due:
        s[me.timer.hrtimer.expires] = -1
        s[me.timer.hrtimer.running] = 1
    s[me.core.frame], s[me.cpu.irq] = (HANDLER, 0) if due else (ROOT, 1)
    return "hrtimer_interrupt" if due else None


def _taken(s: Sequence[int], me: TimedVcpu) -> bool:
    pending = s[me.cpu.irr] & bit(LOCAL_TIMER_VECTOR)
    return bool(s[me.core.frame] == ROOT and s[me.cpu.irq] and pending)


def _take(s: list[int], me: TimedVcpu) -> str | None:
    s[me.cpu.irr] &= ~bit(LOCAL_TIMER_VECTOR)
    return _run(s, me)


def _enter_called(s: list[int], me: TimedVcpu) -> str | None:
    s[me.timer.hrtimer.called] = 0
    return _run(s, me)


TIMER_IRQ = Step(
    "IRQ.timer",
    _take,
    _taken,
    "the host takes its timer interrupt; an hrtimer that is due leaves the queue, its callback begins",
    HRTIMER + "hrtimer_interrupt, __run_hrtimer",
    leaves=("hrtimer_interrupt",),
    preempts=True,
    emits=trace.local_timer,
)
TIMER_CALLED = Step(
    "IRQ.timer_called",
    _enter_called,
    lambda s, me: s[me.core.frame] == HANDLER and s[me.timer.hrtimer.called],
    "the handler that KVM has called runs: an hrtimer that is due leaves the queue, its callback begins",
    HRTIMER + "hrtimer_interrupt, __run_hrtimer",
    leaves=("hrtimer_interrupt",),
    emits=trace.local_timer,
)


def _end(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.hrtimer.running] = 0
    s[me.core.frame], s[me.cpu.irq] = ROOT, 1


END = Step(
    "HRT.end",
    _end,
    says="the callback has returned, and so does the interrupt",
    source=HRTIMER + "__run_hrtimer",
)


def host_irq(others: Block, callback: Block) -> Block:
    """Return the host's interrupts: the handlers of ``others``, then the timer's with ``callback``."""
    row = find(others, "HOST_IRQ")
    assert isinstance(row, Row)
    handlers = Row("HOST_IRQ", first=(*row.steps, TIMER_IRQ), free=(TIMER_CALLED,))
    return loop("host_irq", Block("irq", (handlers, block("hrtimer_interrupt", callback, END)), "cases"))


def _run_away(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.hrtimer.expires] = -1
    s[me.timer.hrtimer.running] = 1


def _end_away(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.hrtimer.running] = 0
    s[me.timer.hrtimer.away] = int(s[me.timer.hrtimer.expires] >= 0)


def other_cpu(callback: Block) -> Block:
    """Return the timer interrupt of another CPU, one that the thread has left, or a housekeeping one."""
    return loop(
        "other_cpu",
        Step(
            "OTHER.timer",
            _run_away,
            lambda s, me: s[me.timer.hrtimer.away] and _due(s, me),
            "another CPU, in whose queue the hrtimer is, runs the callback",
            HRTIMER + "hrtimer_interrupt, __run_hrtimer",
            emits=trace.local_timer,
        ),
        callback,
        replace(END, label="OTHER.end", fn=_end_away, says="the callback has returned"),
    )


def handle_external_intr(irq_on: Step) -> Step:
    """Return IRQ_ON for a host with timers: the handler of an acknowledged timer interrupt is called too.

    It runs on top of the thread, which goes on behind its end.
    """

    def run(s: list[int], me: TimedVcpu) -> str | None:
        acked = s[me.guests[0].vmcs.exit_intr]
        done = irq_on.fn(s, me)
        if acked == event(LOCAL_TIMER_VECTOR):
            s[me.core.frame], s[me.cpu.irq] = HANDLER, 0
            s[me.timer.hrtimer.called] = 1
        return done

    return replace(irq_on, fn=run)
