"""How late is a timer? tscdeadline_latency of kvm-unit-tests, cyclictest, and a periodic tick.

A sample runs from the deadline to where the guest reads its clock. Each deadline is a cycle further than the
one before, so that they meet the preemption timer's counter in every phase: a mean is one over all phases.
Source: kvm-unit-tests x86/tscdeadline_latency.c (what it does; none of its code is here).
"""

from dataclasses import replace

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.lapic_advance import ADVANCE_MAX
from kvmlab.machine.bench import Bench
from kvmlab.machine.step import Step
from kvmlab.processor.apic_timer import Mode
from kvmlab.scenarios import probe as p
from kvmlab.scenarios.costed import costed, with_nohz
from kvmlab.scenarios.probe import Bed, bed
from kvmlab.scenarios.timer_parts import VECTOR, Host
from kvmlab.scenarios.tsc_deadline import TRACED

AHEAD = 200_000
"""tscdeadline_latency's own default, in TSC cycles; the period of the others here."""

POLLS = Host(khz=2_300_000, max_poll=460_000, poll_start=23_000)
"""A host that polls for up to 200 us, at first for 10: a halt of AHEAD ends before the polling does."""

HOSTS = {"server": POLLS, "traced": replace(TRACED, offset=0, start=1)}
"""The one of the recordings with a guest that has the host's TSC, as all here."""

WARM = 8
"""Samples until the polling time has grown to its length."""

BUSY: tuple[Step, ...] = (p.SPIN, p.WAIT)
HALT: tuple[Step, ...] = (p.HLT,)


def _step(label: str, says: str) -> Step:
    return Step(label, lambda s, me: None, says=says)


HRTIMER = _step("ISR.hrtimer", "the guest's hrtimer interrupt wakes the thread")
SWITCH = _step("G.switch", "the guest switches to the thread that was woken")
CLOCK = _step("CLOCK", "the thread reads the clock")
EOI = replace(p.EOI, label="ISR.eoi")


def _early(host: Host) -> int:
    """Return how early a timer may be: a rest is dropped when it is set, and another when it is loaded."""
    advance = ADVANCE_MAX if host.advance < 0 else host.advance
    return (2 << host.rate) + advance * host.khz // 1_000_000


def _waits(guest: str, busy: str) -> tuple[Step, ...]:
    """Return what the guest does until its handler has run."""
    known = {busy: BUSY, "halt": HALT}
    if guest not in known:
        raise BadInput(f"guest {guest}: one of {', '.join(known)}")
    return known[guest]


def host_named(name: str, poll: bool = True, advance: int | None = None) -> Host:
    """Return a host by name, with ``advance`` nanoseconds instead of its own if that is given.

    Raises BadInput for a name that nobody knows.
    """
    if name not in HOSTS:
        raise unknown("host", name, HOSTS)
    host = HOSTS[name] if advance is None else replace(HOSTS[name], advance=advance)
    return host if poll else replace(host, max_poll=0)


def _bed(kernel: Kernel, mode: Mode, host: Host) -> Bed:
    return bed(kernel, host, mode << 17 | VECTOR)


def tscdeadline_latency(
    kernel: Kernel,
    *,
    guest: str = "busy",
    samples: int = 64,
    poll: bool = True,
    host: str = "server",
    advance: int | None = None,
    skip: int = WARM,
) -> Bench:
    """Return the test on ``kernel``: from a deadline to the RDTSC in its handler, which sets the next one.

    The ``guest`` is "busy" until then, or "halt"s; its thread on the host then polls, or with ``poll`` off
    sleeps. The ``host`` is a "server" or the "traced" one, ``advance`` its lapic_timer_advance_ns if another
    than its own; so many samples to ``skip`` warm it up. Raises BadInput for another guest or host, or a
    kernel that cannot be measured.
    """
    waits, own = _waits(guest, "busy"), host_named(host, poll, advance)
    on = _bed(kernel, Mode.TSC_DEADLINE, own)
    arm = p.arm(lambda s, me: s[me.now] + AHEAD + s[me.turn])
    main, isr = p.program(*waits, first=(arm,)), p.handler(*p.PHASE, arm, p.REST, p.EOI)
    system = p.system(costed(kernel, on.probe.gap), on, main, isr)
    return p.bench(
        on,
        system,
        "tscdeadline_latency",
        f"from a deadline to the guest's handler; the guest is {guest}",
        p.RDTSC,
        samples,
        begins=lambda s: s[on.probe.due],
        early=_early(own),
        skip=skip,
        knobs={"guest": guest, "samples": samples, "poll": poll, "host": host, "advance": own.advance},
    )


def cyclictest(
    kernel: Kernel,
    *,
    guest: str = "idle-poll",
    samples: int = 64,
    poll: bool = True,
    isolated: bool = True,
    host: str = "server",
    advance: int | None = None,
) -> Bench:
    """Return the measurement on ``kernel``: from a deadline to the look at the clock of the thread it wakes.

    The ``guest`` is an operating system that idles by polling ("idle-poll") or by "halt"; its timer interrupt
    sets the next deadline before the thread runs. ``isolated``: the host's CPU is nohz_full. The ``host`` is
    a "server" or the "traced" one, ``advance`` its lapic_timer_advance_ns if another than its own.
    """
    waits, own = _waits(guest, "idle-poll"), host_named(host, poll, advance)
    on = _bed(kernel, Mode.TSC_DEADLINE, own)
    said = {"guest": guest, "samples": samples, "poll": poll, "isolated": isolated}
    first, again = p.arm(lambda s, me: s[me.now] + AHEAD), p.arm(lambda s, me: s[me.due] + AHEAD + 2)
    main = p.program(*waits, SWITCH, CLOCK, first=(first,))
    run = costed(kernel, on.probe.gap)
    system = p.system(with_nohz(run) if isolated else run, on, main, p.handler(HRTIMER, *p.PHASE, again, EOI))
    return p.bench(
        on,
        system,
        "cyclictest",
        f"from a deadline to the thread that it wakes; the guest idles by {guest}",
        CLOCK,
        samples,
        begins=lambda s: s[on.probe.since] + s[on.probe.extra],  # what else the handler had to do is left out
        early=_early(own) + p.TURNS,
        skip=WARM,
        knobs={**said, "host": host, "advance": own.advance},
    )


def periodic(
    kernel: Kernel,
    *,
    guest: str = "busy",
    samples: int = 64,
    poll: bool = True,
    host: str = "server",
    advance: int | None = None,
) -> Bench:
    """Return a periodic tick on ``kernel``: from the end of a period to the RDTSC in the guest's handler.

    A period is AHEAD ticks of the bus clock and two more. The ``host`` is a "server" or the "traced" one,
    ``advance`` its lapic_timer_advance_ns if another than its own.
    """
    waits, own = _waits(guest, "busy"), host_named(host, poll, advance)
    on = _bed(kernel, Mode.PERIODIC, own)
    start = p.start_count(AHEAD // 2 + 1)
    main, isr = p.program(*waits, first=(start,)), p.handler(p.REST, p.EOI)
    system = p.system(costed(kernel, on.probe.gap), on, main, isr)
    timer = on.the.vcpu.timer
    return p.bench(
        on,
        system,
        "periodic",
        f"from the end of a period to the guest's handler; the guest is {guest}",
        p.RDTSC,
        samples,
        begins=lambda s: s[timer.target] - s[timer.period],  # the next one is set when one is over
        early=_early(own),
        skip=WARM,
        knobs={"guest": guest, "samples": samples, "poll": poll, "host": host, "advance": own.advance},
    )
