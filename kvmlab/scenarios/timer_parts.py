"""The records of a vCPU with a timer, and its actors: what every scenario about timers has."""

from collections.abc import Mapping
from dataclasses import dataclass

from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.timers import is_lazy
from kvmlab.kvm.immediate_exit import SOFT_OFF
from kvmlab.kvm.lapic_advance import ADVANCE_INIT
from kvmlab.kvm.mode import IN_GUEST_MODE
from kvmlab.kvm.timer_records import BROKEN, Halt, Hrtimer, LapicTimer, TimedVcpu
from kvmlab.kvm.tsc import DEFAULT_RATIO, Tsc
from kvmlab.machine.state import Cell, Layout
from kvmlab.machine.system import Actor
from kvmlab.machine.time import TIME, time_of
from kvmlab.processor.apic_timer import Clock
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, PreemptionTimer, Vmcs, frame, show_point

VECTOR = 0xEF
"""The timer's, as in the recorded traces."""
LEAST_SECONDS = 10
"""A preemption timer whose whole range is shorter is not used by a kernel that never switches it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a host is like; times are cycles of its TSC.

    ``rate`` is its preemption timer's; ``offset`` and ``ratio``, the multiplier, make the guest's TSC out of
    its own; ``start`` is when the run begins. ``min_period``, ``max_poll``, ``poll_start`` and ``advance``
    (nanoseconds, -1: the kernel's own default) are KVM's module parameters.
    """

    khz: int = 1_000_000
    bus_khz: int = 1_000_000
    rate: int = 5
    offset: int = 0
    ratio: int = DEFAULT_RATIO
    start: int = 1
    min_period: int = 0
    max_poll: int = 0
    poll_start: int = 0
    advance: int = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """The records."""

    now: Cell
    guest: Guest
    vcpu: TimedVcpu

    @property
    def core(self) -> Core:
        """The core that the vCPU's thread runs on."""
        return self.vcpu.core

    @property
    def named(self) -> Mapping[str, object]:
        """The records by name."""
        vcpu, timer = self.vcpu, self.vcpu.timer
        named = {"core": self.core, "L0": vcpu.cpu, "guest": self.guest, "vcpu": vcpu, "timer": timer}
        return {**named, "hrtimer": timer.hrtimer, "halt": vcpu.halt, "apicv": self.guest.apicv}


def posts_timers(kernel: Kernel) -> bool:
    """Whether a housekeeping CPU has the hrtimers, and posts."""
    return bool(kernel.setting("pi_inject_timer"))


def uses_hv_timer(kernel: Kernel, host: Host) -> bool:
    """Whether a kernel has patch 2, no module parameter against it, and a preemption timer slow enough."""
    parameter = kernel.settings.get("preemption_timer")
    refused = parameter is not None and not parameter.value
    able = "vmx_arm_hv_timer" in kernel.paths and _lasts(kernel, host)
    return able and not refused and not posts_timers(kernel)


def _lasts(kernel: Kernel, host: Host) -> bool:
    """Whether a timer that is off, at its largest value, ends too rarely to be in the guest's way.

    Source: vmx.c hardware_setup, 804939ea200d.
    """
    ticks_a_second = 0 if host.rate == BROKEN else host.khz * 1000 >> host.rate
    return not kernel.setting("soft_disable") or ticks_a_second <= SOFT_OFF // LEAST_SECONDS


def parts(
    layout: Layout, kernel: Kernel, host: Host, *, lvtt: int, moves: int = 0, spiv: bool = False
) -> Parts:
    """Allocate a vCPU whose guest runs, with APICv; its thread may be moved ``moves`` times.

    ``spiv``: the guest may disable its local APIC by software; it begins enabled.
    """
    add, record = layout.add, layout.record
    now = add("now", host.start, show_point)
    core, cpu0, cpu1 = record(Core, "core", frame=frame(1)), record(Cpu, "L0", irq=0), record(Cpu, "L1")
    fields = {"exit_controls": kernel.setting("exit_controls"), "pin": add("vmcs01.pin")}
    v01 = record(Vmcs, "vmcs01", owner=0, guest=1, **fields, timer=add("vmcs01.timer"))
    counter = record(PreemptionTimer, "preemption", tsc=now, rate=host.rate)
    more = {name: add(f"guest1.{name}") for name in ("msr", "value", "shadow")}
    links = {"core": core, "host": cpu0, "cpu": cpu1, "vmcs": v01, "timer": counter}
    guest = record(Guest, "guest1", level=1, apicv=record(Apicv, "apicv"), **links, **more)
    advance = host.advance if host.advance >= 0 else kernel.setting("lapic_timer_advance")
    timer = record(
        LapicTimer,
        "timer",
        tsc=Tsc(host=now, khz=host.khz, offset=host.offset, ratio=host.ratio),
        clock=Clock(tsc_khz=host.khz, bus_khz=host.bus_khz),
        hrtimer=record(Hrtimer, "hrtimer", elsewhere=posts_timers(kernel)),
        rate=host.rate if uses_hv_timer(kernel, host) else BROKEN,
        min_period=host.min_period,
        lazy=is_lazy(kernel),
        adaptive=advance < 0,
        enabled=add("timer.enabled", 1) if spiv else None,
        lvtt=lvtt,
        advance=ADVANCE_INIT if advance < 0 else advance,
    )
    halt = record(Halt, "halt", max_poll=host.max_poll, poll_start=host.poll_start, moves=moves)
    own = {"level": 0, "core": core, "cpu": cpu0, "guests": (guest,), "mode": IN_GUEST_MODE}
    return Parts(now, guest, record(TimedVcpu, "vcpu", **own, timer=timer, halt=halt))


def actors(layout: Layout, kernel: Kernel, the: Parts, *guests: Actor, horizon: int = 1 << 62) -> list[Actor]:
    """Return the vCPU's thread, the host, ``guests``, hardware's timer, and time up to ``horizon``.

    ``kernel`` is a timed one. The guest runs at first, so the thread begins behind an exit.
    """
    top, vcpu, paths = the.core.frame, the.vcpu, kernel.paths
    return [
        Actor("v", "vCPU thread (L0)", paths["vcpu_run"], vcpu, top, ROOT, "VMEXIT"),
        Actor("h", "host interrupts", paths["host_irq"], vcpu, top, ROOT + 1),
        *guests,
        Actor("l", "timer of the CPU's local APIC", paths["local_timer"], vcpu),
        Actor("t", "time", TIME, time_of(layout, the.now, horizon)),
        *([Actor("o", "a housekeeping CPU", paths["other_cpu"], vcpu)] if posts_timers(kernel) else ()),
    ]


def movers(kernel: Kernel, the: Parts) -> list[Actor]:
    """Return the scheduler that moves the thread, and the CPU that the thread has left."""
    paths = kernel.paths
    left = Actor("o", "the CPU that the thread has left", paths["other_cpu"], the.vcpu)
    return [
        Actor("m", "scheduler", paths["kvm_arch_vcpu_load"], the.vcpu, the.core.frame, ROOT + 1),
        *([] if posts_timers(kernel) else [left]),
    ]
