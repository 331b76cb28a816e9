"""The tracepoints of timers and halts, KVM's and the host's, with the names and fields of 6.1.

What differs from a recording: times in ``now`` and ``expires`` are cycles, not nanoseconds. Source: v6.1
arch/x86/kvm/trace.h, include/trace/events/kvm.h, timer.h, sched.h.
"""

from collections.abc import Sequence

from kvmlab.kvm.timer_records import TimedVcpu, guest_now
from kvmlab.machine.step import Fired, Tracepoint
from kvmlab.processor.apic_timer import MASKED
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR

Firing = tuple[Fired, ...]
CALLBACK = "apic_timer_fn"
TASK, IDLE = ("vcpu", 1, 120), ("swapper/0", 0, 120)
"""(comm, pid, prio) of the vCPU's thread and of the idle one; a recording has its own."""


def several(*tracepoints: Tracepoint) -> Tracepoint:
    """Return a tracepoint that fires all of these, in order."""

    def fire(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
        return tuple(fired for each in tracepoints for fired in each(before, after, me))

    return fire


def hv_timer_state(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """Which of the two timers is in use now."""
    return (("kvm_hv_timer_state", {"vcpu_id": 0, "hv_timer_in_use": after[me.timer.in_use]}),)


def hrtimer_start(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """The hrtimer was put into a queue, if it was."""
    expires = after[me.timer.hrtimer.expires]
    if expires < 0 or expires == before[me.timer.hrtimer.expires]:
        return ()
    fields = {"hrtimer": "0", "function": CALLBACK, "expires": expires, "softexpires": expires}
    return (("hrtimer_start", {**fields, "mode": "ABS", "was_armed": 0}),)


def hrtimer_cancel(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """The hrtimer was taken out of a queue, if it was in one."""
    return (("hrtimer_cancel", {"hrtimer": "0"}),) if before[me.timer.hrtimer.expires] >= 0 else ()


def local_timer(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """The host's timer interrupt, and the callback that it runs, if one is due."""
    entry: Fired = ("local_timer_entry", {"vector": LOCAL_TIMER_VECTOR})
    if not after[me.timer.hrtimer.running]:
        return (entry,)
    fields = {"hrtimer": "0", "function": CALLBACK, "now": after[me.timer.tsc.host]}
    return entry, ("hrtimer_expire_entry", fields)


def accept_irq(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """The timer's vector becomes pending, and is left to APICv if there is one; masked, nothing happens."""
    if after[me.timer.lvtt] & MASKED:
        return ()
    vector = {"apicid": 0, "vec": after[me.timer.lvtt] & 0xFF, "delivery_mode": "Fixed", "trigger": "edge"}
    accepted: Fired = ("kvm_apic_accept_irq", vector)
    if me.guests[0].apicv is None:
        return (accepted,)
    return accepted, ("kvm_apicv_accept_irq", vector)


def register(name: str) -> Tracepoint:
    """Return what fires before KVM handles a write of the APIC's register ``name``."""

    def fire(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
        value = me.guests[0].value
        assert value is not None
        return (("kvm_apic", {"rw": "write", "reg": name, "val": before[value]}),)

    return fire


def msr(rw: str) -> Tracepoint:
    """Return what fires when KVM has handled a RDMSR or WRMSR."""

    def fire(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
        guest = me.guests[0]
        assert guest.msr is not None and guest.value is not None
        return (("kvm_msr", {"rw": rw, "ecx": after[guest.msr], "data": after[guest.value]}),)

    return fire


def wait_lapic_expire(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """How late the guest's timer is, in guest cycles; negative: it is early, and KVM waits."""
    delta = guest_now(before, me) - before[me.timer.expired]
    fields = {"vcpu_id": 0, "delta": delta, "when": "early" if delta < 0 else "late"}
    return (("kvm_wait_lapic_expire", fields),)


def _switch(prev: tuple[str, int, int], state: str, following: tuple[str, int, int]) -> Fired:
    fields: dict[str, object] = {}
    for who, task in (("prev", prev), ("next", following)):
        fields |= {f"{who}_comm": task[0], f"{who}_pid": task[1], f"{who}_prio": task[2]}
    return "sched_switch", {**fields, "prev_state": state}


def switch_out(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """The thread gives its CPU away, unless somebody has woken it already."""
    return (_switch(TASK, "S", IDLE),) if after[me.halt.asleep] else ()


def switch_in(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """The thread gets its CPU back, if it had given it away."""
    return (_switch(IDLE, "R", TASK),) if before[me.halt.asleep] else ()


def wakeup(before: Sequence[int], after: Sequence[int], me: TimedVcpu) -> Firing:
    """How long the guest was halted, and whether the thread slept; a change of the polling time before it."""
    h, khz = me.halt, me.timer.tsc.khz
    new, old = (s[h.poll] * 1_000_000 // khz for s in (after, before))
    polling: Fired = ("kvm_halt_poll_ns", {"grow": new > old, "vcpu_id": 0, "new": new, "old": old})
    ns = (before[me.timer.tsc.host] - before[h.start]) * 1_000_000 // khz
    woken: Fired = ("kvm_vcpu_wakeup", {"ns": ns, "waited": bool(before[h.waited]), "valid": True})
    return (polling, woken) if new != old else (woken,)
