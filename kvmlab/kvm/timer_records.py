"""A vCPU's timer as KVM and the host keep it: struct kvm_timer, its hrtimer, and the blocked thread.

Time is the host's TSC throughout, hrtimers included: rounding to nanoseconds is left out.
Source: v4.10 lapic.h struct kvm_timer, vmx.c struct vcpu_vmx.hv_deadline_tsc, kvm_host.h struct kvm_vcpu.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.tsc import Tsc, guest_tsc, scale
from kvmlab.machine.state import Cell, cell
from kvmlab.processor.apic_timer import MASKED, Clock
from kvmlab.processor.records import show_flag, show_point

RUNNABLE, HALTED = 0, 1

BROKEN = -1
"""The rate where KVM uses no preemption timer: no hook set_hv_timer, or kvm_can_use_hv_timer says no."""


def show_mp_state(state: int) -> str:
    """Print KVM_MP_STATE_* by name."""
    return ("RUNNABLE", "HALTED")[state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hrtimer:
    """The host's timer for one vCPU.

    ``expires`` is the TSC at which it is due (-1: it is in no queue), ``running`` says that its callback
    runs. ``away``: it is in the queue of another CPU than the vCPU's thread runs on; ``elsewhere``: it always
    is, on a housekeeping one. ``called``: the host's handler was not taken but called, for an interrupt that
    a VM exit has acknowledged.
    """

    elsewhere: bool = False
    expires: Cell = cell(-1, show_point, deadline=True)
    running: Cell = cell(0, show_flag)
    away: Cell = cell(0, show_flag)
    called: Cell = cell(0, show_flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class LapicTimer:
    """struct kvm_timer with the guest's registers, and vcpu_vmx's part of it.

    ``rate`` is IA32_VMX_MISC[4:0]; ``min_period`` the shortest period that KVM grants, in cycles. ``lazy``:
    the pin-based control is looked after at the entry only (since patch 4).
    ``tscdeadline`` is in guest TSC, 0 for none; ``hv_deadline`` in host TSC, -1 for none; ``target`` is
    target_expiration, also the host's. ``in_use`` is hv_timer_in_use. ``expired`` is expired_tscdeadline,
    ``advance`` how many nanoseconds early the timer fires (``adaptive``: it is tuned), ``spin`` the TSC until
    which KVM waits in front of an entry. ``nopreempt`` counts preempt_disable; ``handled``: a fast path has
    handled the exit. ``injected`` counts the interrupts and saturates at 3: no kernel has such a cell.
    ``enabled`` is sw_enabled, for a guest that may disable its local APIC by software.
    """

    tsc: Tsc
    clock: Clock = Clock()
    hrtimer: Hrtimer
    rate: int = 5
    min_period: int = 0
    lazy: bool = False
    adaptive: bool = False
    enabled: Cell | None = None
    lvtt: Cell = cell(MASKED, hex)
    tmict: Cell = cell()
    tdcr: Cell = cell()
    period: Cell = cell()
    target: Cell = cell(-1, show_point)
    tscdeadline: Cell = cell()
    pending: Cell = cell(0, show_flag)
    in_use: Cell = cell(0, show_flag)
    hv_deadline: Cell = cell(-1, show_point)
    expired: Cell = cell()
    advance: Cell = cell()
    spin: Cell = cell(-1, show_point, deadline=True)
    handled: Cell = cell(0, show_flag)
    nopreempt: Cell = cell()
    injected: Cell = cell()


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """The vCPU's thread while its guest is halted.

    ``waiting``: it is in the wait queue, a wake-up takes it out; ``asleep``: the CPU has been given to
    another thread. ``hv`` is vcpu_block's local, "the hv timer was in use". Polling: for ``poll`` cycles,
    at most ``max_poll``, which 0 switches off, from ``start`` until ``stop``. ``moves`` is how often the
    thread may still be moved to another CPU.
    """

    max_poll: int = 0
    poll_start: int = 0
    mp_state: Cell = cell(RUNNABLE, show_mp_state)
    waiting: Cell = cell(0, show_flag)
    asleep: Cell = cell(0, show_flag)
    hv: Cell = cell(0, show_flag)
    waited: Cell = cell(0, show_flag)
    poll: Cell = cell()
    start: Cell = cell()
    stop: Cell = cell(-1, show_point, deadline=True)
    moves: Cell = cell()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedVcpu(Vcpu):
    """A vCPU with a local APIC timer, and a guest that may halt."""

    timer: LapicTimer
    halt: Halt


def host_now(s: Sequence[int], me: TimedVcpu) -> int:
    """Return the host's TSC."""
    return s[me.timer.tsc.host]


def guest_khz(me: TimedVcpu) -> int:
    """Return the rate of the guest's TSC."""
    return scale(me.timer.tsc.khz, me.timer.tsc.ratio)


def advance_cycles(s: Sequence[int], me: TimedVcpu) -> int:
    """Return how many guest cycles early the timer fires."""
    return s[me.timer.advance] * guest_khz(me) // 1_000_000


def guest_now(s: Sequence[int], me: TimedVcpu) -> int:
    """Return the guest's TSC (kvm_read_l1_tsc)."""
    tsc = me.timer.tsc
    return guest_tsc(s[tsc.host], tsc.offset, tsc.ratio)
