"""The thread is moved to another CPU: at any point where it may be preempted, also while it wakes.

The model follows the thread: "its own CPU" is the new one from then on. The hrtimer stays in the queue of the
old CPU, whose interrupt then runs beside the thread, until KVM_REQ_MIGRATE_TIMER has brought it over. What
was pending at the old CPU stays there. Interrupts are allowed while the scheduler switches; that is left out:
no handler looks at what vcpu_load changes.
Source: v4.10 x86.c kvm_arch_vcpu_load, kvm_migrate_timers; lapic.c __kvm_migrate_apic_timer.
"""

from collections.abc import Sequence

from kvmlab.kvm.hrtimer import HANDLER, enqueue
from kvmlab.kvm.mode import OUTSIDE_GUEST_MODE
from kvmlab.kvm.requests import KVM_REQ_MIGRATE_TIMER
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.step import Block, Step, loop
from kvmlab.processor.records import ROOT

X86 = "v4.10 x86.c kvm_arch_vcpu_load"


def _may_move(s: Sequence[int], me: TimedVcpu) -> bool:
    """Preemption is off from IN_GUEST_MODE until interrupts are on again, and where a kernel says so."""
    preemptible = s[me.core.frame] == ROOT and s[me.cpu.irq] and s[me.mode] == OUTSIDE_GUEST_MODE
    sleeps = s[me.halt.asleep] and s[me.halt.waiting]
    return bool(s[me.halt.moves] and preemptible and not s[me.timer.nopreempt] and not sleeps)


def _move(s: list[int], me: TimedVcpu) -> None:
    s[me.halt.moves] -= 1
    s[me.core.frame], s[me.cpu.irr] = HANDLER, 0
    if s[me.timer.hrtimer.expires] >= 0:
        s[me.timer.hrtimer.away] = 1


def _request(s: list[int], me: TimedVcpu) -> None:
    s[me.requests] |= KVM_REQ_MIGRATE_TIMER
    s[me.core.frame] = ROOT


VCPU_LOAD: Block = loop(
    "kvm_arch_vcpu_load",
    Step(
        "MIGRATE",
        _move,
        _may_move,
        "the scheduler moves the thread to another CPU; an hrtimer that is queued stays behind",
        X86,
        preempts=True,
    ),
    Step(
        "LOAD.request",
        _request,
        says="KVM_REQ_MIGRATE_TIMER; the thread goes on, on the new CPU",
        source="v4.10 x86.c kvm_migrate_timers",
    ),
)


def _free(s: Sequence[int], me: TimedVcpu) -> bool:
    return me.timer.hrtimer.elsewhere or not (
        s[me.requests] & KVM_REQ_MIGRATE_TIMER and s[me.timer.hrtimer.running]
    )


def _follow(s: list[int], me: TimedVcpu) -> None:
    """hrtimer_cancel and a start with the same expiry: nobody can queue or run it in between."""
    if s[me.requests] & KVM_REQ_MIGRATE_TIMER and s[me.timer.hrtimer.expires] >= 0:
        enqueue(s, me, s[me.timer.hrtimer.expires])
    s[me.requests] &= ~KVM_REQ_MIGRATE_TIMER


MIGRATE_TIMER = Step(
    "REQ.migrate_timer",
    _follow,
    _free,
    "test and clear KVM_REQ_MIGRATE_TIMER: the hrtimer follows; waits while its callback runs",
    "v4.10 lapic.c __kvm_migrate_apic_timer",
)
