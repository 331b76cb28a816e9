"""The host's hrtimer, step by step: its queue, the interrupt that runs its callback, and who takes which.

Truth tables over every value of what a step looks at; the oracle is what hrtimer_start, hrtimer_cancel,
hrtimer_interrupt and __run_hrtimer promise (v4.10 kernel/time/hrtimer.c).
"""

from itertools import product

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.kvm import hrtimer
from kvmlab.kvm.hrtimer import CANCEL, HANDLER, TIMER_CALLED, TIMER_IRQ
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.kvm.vcpu_load import VCPU_LOAD
from kvmlab.machine.edit import find
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor.apic_timer import MASKED
from kvmlab.processor.intr_info import event
from kvmlab.processor.records import ROOT, frame
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR, RESCHEDULE_VECTOR, bit
from kvmlab.scenarios.timer_parts import Host, parts

NOW = 1_000
TICK, OTHER = bit(LOCAL_TIMER_VECTOR), bit(RESCHEDULE_VECTOR)
BOTH = (False, True)


def bench(name: str = "v4.10") -> tuple[list[int], TimedVcpu]:
    """Return a state at NOW in which nothing is queued, and its vCPU."""
    layout = Layout()
    vcpu = parts(layout, kernel(name), Host(start=NOW), lvtt=MASKED).vcpu
    s = list(layout.start())
    s[vcpu.core.frame], s[vcpu.cpu.irq] = ROOT, 1
    return s, vcpu


FIRE = hrtimer.LOCAL_TIMER.items[0]
OTHER_CPU = hrtimer.other_cpu(block("callback"))
ELSEWHERE, ELSEWHERE_END = OTHER_CPU.items[0], OTHER_CPU.items[-1]
DUE = [(-1, False), (0, True), (NOW - 1, True), (NOW, True), (NOW + 1, False)]
"""Expiry -> whether the hrtimer is due: in a queue, and its time has come."""


def enabled(step: object, s: list[int], vcpu: TimedVcpu) -> bool:
    """Whether a step is enabled."""
    assert isinstance(step, Step)
    return step.when is None or bool(step.when(s, vcpu))


@pytest.mark.parametrize(("name", "elsewhere"), [("v4.10", 0), ("v6.1", 0), ("v6.1+pi-inject-timer=1", 1)])
def test_who_queues_it(name: str, elsewhere: int) -> None:
    """hrtimer_start: on the CPU of whoever calls, or on a housekeeping one, wherever it was before."""
    for before in (0, 1):
        s, vcpu = bench(name)
        hr = vcpu.timer.hrtimer
        s[hr.away] = before
        hrtimer.enqueue(s, vcpu, NOW + 5)
        assert (s[hr.expires], s[hr.away]) == (NOW + 5, elsewhere)


def test_a_callback_that_goes_on_stays_where_it_is() -> None:
    """HRTIMER_RESTART: a new expiry in the same queue."""
    for away in (0, 1):
        s, vcpu = bench()
        hr = vcpu.timer.hrtimer
        s[hr.away] = away
        hrtimer.requeue(s, vcpu, NOW + 5)
        assert (s[hr.expires], s[hr.away]) == (NOW + 5, away)


@pytest.mark.parametrize("running", [0, 1])
def test_cancel_empties_every_queue_and_waits_for_a_callback(running: int) -> None:
    """hrtimer_cancel returns when it is in no queue and its callback does not run."""
    s, vcpu = bench()
    hr = vcpu.timer.hrtimer
    s[hr.expires], s[hr.away], s[hr.running] = NOW, 1, running
    assert enabled(CANCEL, s, vcpu) == (not running)
    CANCEL.fn(s, vcpu)
    assert (s[hr.expires], s[hr.away]) == (-1, 0)


@pytest.mark.parametrize(("expires", "due"), DUE)
def test_hardware_fires_once_for_what_is_due(expires: int, due: bool) -> None:
    """Not for another CPU's queue, and not while its interrupt pends, is in service, or is handled."""
    for away, pending, service, called in product(BOTH, repeat=4):
        s, vcpu = bench()
        hr = vcpu.timer.hrtimer
        s[hr.expires], s[hr.away], s[hr.called] = expires, away, called
        s[vcpu.cpu.irr], s[vcpu.cpu.isr] = OTHER | TICK * pending, OTHER | TICK * service
        assert enabled(FIRE, s, vcpu) == (due and not (away or pending or service or called))
        assert isinstance(FIRE, Step)
        FIRE.fn(s, vcpu)
        assert s[vcpu.cpu.irr] == OTHER | TICK


def test_the_host_takes_its_interrupt_in_root_mode_with_interrupts_on() -> None:
    """Anywhere else it is somebody else's: the guest exits, or the handler on top ends first."""
    for top, irq, pending in product((ROOT, HANDLER, frame(1)), BOTH, BOTH):
        s, vcpu = bench()
        s[vcpu.core.frame], s[vcpu.cpu.irq], s[vcpu.cpu.irr] = top, irq, OTHER | TICK * pending
        assert enabled(TIMER_IRQ, s, vcpu) == (top == ROOT and irq and pending)


@pytest.mark.parametrize(("expires", "away"), [(-1, 0), (NOW + 5, 1)])
def test_what_is_pending_at_a_cpu_stays_there_when_the_thread_moves(expires: int, away: int) -> None:
    """At the new CPU nothing is pending; an hrtimer that is queued is in another one's queue now."""
    s, vcpu = bench()
    s[vcpu.cpu.irr], s[vcpu.timer.hrtimer.expires] = OTHER | TICK, expires
    move = VCPU_LOAD.items[0]
    assert isinstance(move, Step)
    move.fn(s, vcpu)
    assert (s[vcpu.cpu.irr], s[vcpu.timer.hrtimer.away]) == (0, away)


@pytest.mark.parametrize("step", [TIMER_IRQ, TIMER_CALLED])
@pytest.mark.parametrize(("expires", "due"), DUE)
@pytest.mark.parametrize("away", [0, 1])
def test_what_the_interrupt_does(step: Step, expires: int, due: bool, away: int) -> None:
    """What is due here leaves the queue, its callback runs on top of the thread; else the thread goes on."""
    s, vcpu = bench()
    hr, runs = vcpu.timer.hrtimer, due and not away
    s[hr.expires], s[hr.away] = expires, away
    if step is TIMER_IRQ:
        s[vcpu.cpu.irr] = OTHER | TICK
    else:
        s[vcpu.core.frame], s[vcpu.cpu.irq], s[hr.called] = HANDLER, 0, 1
    assert enabled(step, s, vcpu)
    assert bool(step.fn(s, vcpu)) == runs == s[hr.running]
    assert s[hr.expires] == (-1 if runs else expires)
    assert (s[vcpu.core.frame], s[vcpu.cpu.irq]) == ((HANDLER, 0) if runs else (ROOT, 1))
    assert not s[vcpu.cpu.irr] & TICK and not s[hr.called]


def test_a_handler_that_is_called_runs_on_top() -> None:
    """Only where KVM has called one, and it is on top."""
    for top, called in product((ROOT, HANDLER, frame(1)), BOTH):
        s, vcpu = bench()
        s[vcpu.core.frame], s[vcpu.timer.hrtimer.called] = top, called
        assert enabled(TIMER_CALLED, s, vcpu) == (top == HANDLER and called)


def test_the_end_of_a_callback() -> None:
    """The thread goes on, interrupts are allowed again, and who waits in hrtimer_cancel may go on."""
    s, vcpu = bench()
    s[vcpu.core.frame], s[vcpu.cpu.irq], s[vcpu.timer.hrtimer.running] = HANDLER, 0, 1
    assert not enabled(CANCEL, s, vcpu)
    hrtimer.END.fn(s, vcpu)
    assert (s[vcpu.core.frame], s[vcpu.cpu.irq]) == (ROOT, 1) and enabled(CANCEL, s, vcpu)


@pytest.mark.parametrize(("expires", "due"), DUE)
@pytest.mark.parametrize("away", [0, 1])
def test_another_cpu_runs_what_is_in_its_own_queue(expires: int, due: bool, away: int) -> None:
    """When it is due; the thread and its CPU do not notice."""
    s, vcpu = bench()
    hr = vcpu.timer.hrtimer
    s[hr.expires], s[hr.away] = expires, away
    assert enabled(ELSEWHERE, s, vcpu) == (due and bool(away))
    before = list(s)
    assert isinstance(ELSEWHERE, Step)
    ELSEWHERE.fn(s, vcpu)
    assert (s[hr.expires], s[hr.running]) == (-1, 1)
    s[hr.expires], s[hr.running] = before[hr.expires], 0
    assert s == before


@pytest.mark.parametrize(("expires", "away"), [(-1, 0), (NOW + 5, 1)])
def test_where_it_is_behind_a_callback_elsewhere(expires: int, away: int) -> None:
    """In that CPU's queue if it goes on, in none if it does not; whatever the thread runs is left alone."""
    for top, irq in product((ROOT, HANDLER, frame(1)), (0, 1)):
        s, vcpu = bench()
        hr = vcpu.timer.hrtimer
        s[vcpu.core.frame], s[vcpu.cpu.irq] = top, irq
        s[hr.expires], s[hr.away], s[hr.running] = expires, 1, 1
        assert isinstance(ELSEWHERE_END, Step)
        ELSEWHERE_END.fn(s, vcpu)
        assert (s[hr.expires], s[hr.away], s[hr.running]) == (expires, away, 0)
        assert (s[vcpu.core.frame], s[vcpu.cpu.irq]) == (top, irq)


@pytest.mark.parametrize(
    ("acked", "called"), [(0, 0), (event(LOCAL_TIMER_VECTOR), 1), (event(RESCHEDULE_VECTOR), 0)]
)
def test_which_acknowledged_interrupt_calls_the_timers_handler(acked: int, called: int) -> None:
    """vmx_handle_external_intr calls the handler of what the exit has acknowledged, with interrupts off."""
    s, vcpu = bench()
    irq_on = find(kernel("v4.10").paths["vcpu_run"], "IRQ_ON")
    assert isinstance(irq_on, Step)
    s[vcpu.cpu.irq], s[vcpu.guests[0].vmcs.exit_intr] = 0, acked
    hrtimer.handle_external_intr(irq_on).fn(s, vcpu)
    top = (HANDLER, 0) if called else (ROOT, 1)
    assert (s[vcpu.core.frame], s[vcpu.cpu.irq], s[vcpu.timer.hrtimer.called]) == (*top, called)


def test_the_interrupt_comes_in_over_the_thread() -> None:
    """The host's timer interrupt needs no frame of its own to begin; the handler that is called has one."""
    layout = Layout()
    the = parts(layout, kernel("v4.10"), Host(start=NOW), lvtt=MASKED)
    path = hrtimer.host_irq(kernel("v4.10").paths["host_irq"], block("callback"))
    system = System(layout, [Actor("h", "host", path, the.vcpu, the.core.frame, HANDLER)])
    for top, irr, called in product((ROOT, HANDLER), (0, TICK), (0, 1)):
        s = list(system.start)
        s[the.core.frame], s[the.vcpu.cpu.irq], s[the.vcpu.cpu.irr] = top, top == ROOT, irr
        s[the.vcpu.timer.hrtimer.called] = called
        told = [move.step.label for move in system.enabled(tuple(s))]
        expected = ["IRQ.timer"] if top == ROOT and irr else []
        assert told == (expected or ["IRQ.timer_called"] * (top == HANDLER and called))
