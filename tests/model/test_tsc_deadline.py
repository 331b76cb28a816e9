"""The traced guests of a timer: the model's events in the recordings' order, and what every kernel does."""

from dataclasses import replace

import pytest
from recorded import TRACES, delays, modelled, run

from kvmlab.errors import BadInput
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.kernels.v6_1_fastpath import FASTPATH
from kvmlab.kvm.lapic_advance import ADVANCE_INIT, adjusted
from kvmlab.kvm.requests import KVM_REQ_PENDING_TIMER
from kvmlab.machine.edit import find
from kvmlab.machine.step import Row, Step
from kvmlab.processor.apic_timer import IA32_TSC_DEADLINE, MASKED
from kvmlab.processor.controls import ACTIVATE_PREEMPTION_TIMER
from kvmlab.processor.exits import Exit
from kvmlab.scenarios.latency import periodic, tscdeadline_latency
from kvmlab.scenarios.tsc_deadline import TRACED, tsc_deadline
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.profiles.traced import TRACED as TRACED_CPU
from kvmlab.traces import load

KHZ = TRACED.khz


@pytest.mark.parametrize("name", TRACES)
def test_the_traced_machine_knows_every_step(name: str) -> None:
    """Of the plain kernel too, without the steps that only take time."""
    on, mode = TRACES[name]
    what = tsc_deadline(kernel(on), mode=mode, rounds=2)
    assert what.done(clocked(what.system, TRACED_CPU, 5000).state)


def test_the_recorded_advance_starts_over() -> None:
    """Three rounds in the recording: 1000, 2905, 4574 ns, and the next would be above 5000: 1000 again."""
    deltas = delays(load("vmx_pt1_lab_tsc_busy"))
    advance, told = 1000, []
    for delta in deltas[:6]:
        told.append(advance)
        advance = adjusted(advance, delta, KHZ)
    assert told[:3] == [1000, 2905, 4574] and told[3] == 1000
    for (a, one), (b, two) in zip(
        zip(told, deltas, strict=False), zip(told[1:], deltas[1:], strict=False), strict=False
    ):
        assert abs((two - one) + (b - a) * KHZ // 1_000_000) <= 5


@pytest.mark.parametrize("error", [0, 99, -99, 10_001, -10_001, 1_005_140])
def test_tiny_errors_and_spikes_do_not_move_the_advance(error: int) -> None:
    """Below 100 and above 10000 cycles the advance stays."""
    assert adjusted(1000, error, KHZ) == 1000


def test_an_advance_that_would_be_negative_starts_over() -> None:
    """adjust_lapic_timer_advance: an eighth of 1000 ns less is 1875, or below 0, and then the first value."""
    assert adjusted(2_000, -200, KHZ) == 1_875 and adjusted(100, -200, KHZ) == ADVANCE_INIT


@pytest.mark.parametrize("name", ["v4.7", "v4.19", "v6.1"])
def test_nobody_waits_for_an_interrupt_that_this_entry_does_not_bring(name: str) -> None:
    """lapic_timer_int_injected: the vector is not in VIRR; what has expired is kept."""
    what = tsc_deadline(kernel(name), mode="busy", host=replace(TRACED, advance=20_000))
    vcpu, s = what.records["vcpu"], list(what.system.start)
    s[vcpu.timer.expired] = 1
    wait = find(kernel(name).paths["wait_lapic_expire"], "WAIT.expire")
    assert isinstance(wait, Step) and wait.fn(s, vcpu) == "wait_lapic_expire"
    assert (s[vcpu.timer.expired], s[vcpu.timer.spin]) == (1, -1)


def test_without_a_preemption_timer_its_control_stays_off() -> None:
    """vmx_update_hv_timer is there, and preemption_timer=0: no entry has the control on."""
    for name, used in (("v6.1", True), ("v6.1+preemption-timer=0", False)):
        what = tsc_deadline(kernel(name), mode="busy", rounds=2)
        pin = what.records["guest"].vmcs.pin
        steps = clocked(what.system, limit=3000).steps
        assert any(step.after[pin] & ACTIVATE_PREEMPTION_TIMER for step in steps) == used


@pytest.mark.parametrize("rate", [0, 5])
@pytest.mark.parametrize("name", ["v4.7", "v4.19", "v6.1"])
def test_an_early_timer_is_waited_for(name: str, rate: int) -> None:
    """With a constant advance of 20000 ns the entry is waited for, no longer than the advance.

    So what the preemption timer is early, for it counts 2^rate cycles a tick, is left, less the way there.
    v4.19 waits too, whichever timer it was (read in x86.c vcpu_enter_guest, lapic.c wait_lapic_expire).
    """
    host = replace(TRACED, advance=20_000, rate=rate)
    what = tsc_deadline(kernel(name), mode="busy", rounds=4, host=host)
    made = clocked(what.system, limit=2000)
    timer, guest = what.records["timer"], what.records["guest"]
    deadlines = [s.after[guest.value] for s in made.steps if s.move.step.label == "DEADLINE.write"]
    seen = [
        s.before[timer.tsc.host] + TRACED.offset
        for s in made.steps
        if s.move.step.label == "VIRTUAL_INTERRUPT"
    ]
    assert made.count("WAIT.spin") == 4 == len(seen)
    assert all(1 - 2**rate <= tsc - deadline < 20 for tsc, deadline in zip(seen, deadlines, strict=True))


@pytest.mark.parametrize(("name", "early"), [("v4.10", False), ("v4.19", True), ("v6.1", False)])
def test_who_waits_for_a_period_that_fires_early(name: str, early: bool) -> None:
    """v4.19's vmx_set_hv_timer takes the advance off a count too, and only a deadline is remembered; v6.1
    remembers both (lapic.c apic_timer_expired); v4.10's preemption timer has no advance."""
    assert (measure(periodic(kernel(name), samples=8, advance=1500), HSW16).min < 0) == early
    assert measure(tscdeadline_latency(kernel(name), samples=8, advance=1500), HSW16).min > 0


@pytest.mark.parametrize("name", ["v4.7", "v4.10", "v4.19"])
def test_the_advance_is_adaptive_in_v6_1_only(name: str) -> None:
    """lapic_timer_advance_ns is 0 unless somebody sets it, as far as v4.19."""
    for on, advance, adaptive in ((name, 0, False), ("v6.1", 1000, True)):
        what = tsc_deadline(kernel(on), mode="busy", rounds=1)
        timer = what.records["timer"]
        assert (what.system.start[timer.advance], timer.adaptive) == (advance, adaptive)


@pytest.mark.parametrize(("name", "told"), [("v4.10", 2), ("v4.19", 0), ("v6.1", 2)])
def test_who_looks_how_late_it_is_without_an_advance(name: str, told: int) -> None:
    """v4.10 asks at every entry, v4.19 if there is an advance (x86.c vcpu_enter_guest); v6.1 has one."""
    run = clocked(tsc_deadline(kernel(name), mode="busy", rounds=2).system, limit=3000)
    assert [event for event, _ in run.events].count("kvm_wait_lapic_expire") == told


def test_the_deadline_reads_0_at_the_end() -> None:
    """AP-18, at KVM's: RDMSR behind the interrupt gives 0."""
    read = [
        e.fields for e in modelled("vmx_pt1_lab_tsc_busy") if e.name == "kvm_msr" and e.fields["rw"] == "read"
    ]
    assert [f["data"] for f in read] == [0]


@pytest.mark.parametrize("name", ["vmx_pt1_lab_tsc_busy", "vmx_pt0_lab_tsc_busy", "vmx_pt1_lab_tsc_hlt"])
def test_deadlines_in_a_row_are_never_early_nor_lost(name: str) -> None:
    """AP-19, AP-20, at KVM's: one interrupt a round, and none before its deadline."""
    late = delays(modelled(name))
    assert len(late) == 16 == run(name).count("VIRTUAL_INTERRUPT") and min(late) >= 0


def test_the_polling_time_doubles_from_its_start() -> None:
    """10 to 160 us after short halts that it missed, as in the recording; then the guest is polled for."""
    for events in (load("vmx_pt0_lab_periodic"), run("vmx_pt0_lab_periodic").events):
        grown = [
            e.fields["new"] if not isinstance(e, tuple) else e[1]["new"]
            for e in events
            if (e[0] if isinstance(e, tuple) else e.name) == "kvm_halt_poll_ns"
        ]
        assert grown[:5] == [10_000, 20_000, 40_000, 80_000, 160_000]


@pytest.mark.parametrize(("name", "grown"), [("v4.10", 200), ("v4.19", 200), ("v6.1", 320)])
def test_the_polling_time_has_a_maximum(name: str, grown: int) -> None:
    """grow_halt_poll_ns cuts it at once as far as v4.19; v6.1 lets it grow, and cuts it in the next halt."""
    what = tsc_deadline(kernel(name), mode="hlt", host=replace(TRACED, max_poll=200, poll_start=10))
    vcpu, s = what.records["vcpu"], list(what.system.start)
    steps = {
        label: find(kernel(name).paths["kvm_vcpu_block"], label) for label in ("POLL.start", "POLL.adapt")
    }
    s[vcpu.halt.poll], s[vcpu.halt.start] = 160, s[vcpu.timer.tsc.host] - 170
    for label, poll in (("POLL.adapt", grown), ("POLL.start", 200)):
        step = steps[label]
        assert isinstance(step, Step)
        step.fn(s, vcpu)
        assert s[vcpu.halt.poll] == poll


@pytest.mark.parametrize("name", ["v4.10", "v4.19", "v6.1"])
@pytest.mark.parametrize(("halted", "poll"), [(160, 160), (200, 160), (201, 0)])
def test_the_polling_time_at_its_bounds(name: str, halted: int, poll: int) -> None:
    """A halt as long as the polling time, or as the maximum of 200, leaves it alone; one above does not."""
    what = tsc_deadline(kernel(name), mode="hlt", host=replace(TRACED, max_poll=200, poll_start=10))
    vcpu, s = what.records["vcpu"], list(what.system.start)
    s[vcpu.halt.poll], s[vcpu.halt.start] = 160, s[vcpu.timer.tsc.host] - halted
    step = find(kernel(name).paths["kvm_vcpu_block"], "POLL.adapt")
    assert isinstance(step, Step)
    step.fn(s, vcpu)
    assert s[vcpu.halt.poll] == poll


@pytest.mark.parametrize(("name", "leaves"), [("v4.10", False), ("v4.19", False), ("v6.1", True)])
def test_a_masked_timer_and_a_halted_guest(name: str, leaves: bool) -> None:
    """Nobody has an interrupt for it, so it sleeps on; v6.1's KVM_REQ_UNBLOCK ends one wait, and is gone."""
    what = tsc_deadline(kernel(name), mode="hlt", rounds=1)
    vcpu, s = what.records["vcpu"], list(what.system.start)
    check = find(kernel(name).paths["kvm_vcpu_block"], "SWAIT.check")
    s[vcpu.timer.pending], s[vcpu.requests] = 1, KVM_REQ_PENDING_TIMER
    assert isinstance(check, Step) and s[vcpu.timer.lvtt] & MASKED
    assert [bool(check.fn(s, vcpu)) for _ in range(2)] == [leaves, False]


@pytest.mark.parametrize("name", [name for name in LISTED if "tsc-deadline" in kernel(name).scope])
@pytest.mark.parametrize("mode", ["busy", "hlt", "past"])
def test_every_kernel_serves_every_deadline(name: str, mode: str) -> None:
    """Whatever the kernel: the guest gets through its rounds, one interrupt each."""
    what = tsc_deadline(kernel(name), mode=mode, rounds=3)
    made = clocked(what.system, limit=3000)
    assert what.done(made.state) and made.count("VIRTUAL_INTERRUPT") == 3


@pytest.mark.parametrize("name", ["v4.10", "v4.19", "v6.1", "v6.1+preemption-timer=0"])
@pytest.mark.parametrize("mode", ["oneshot_hlt", "periodic"])
def test_counts_are_served_too(name: str, mode: str) -> None:
    """One-shot and periodic: an interrupt for every count, a period apart."""
    what = tsc_deadline(kernel(name), mode=mode, rounds=4)
    made = clocked(what.system, limit=5000)
    at = [step.time for step in made.steps if step.move.step.label == "VIRTUAL_INTERRUPT"]
    gaps = [b - a for a, b in zip(at, at[1:], strict=False)]
    assert what.done(made.state) and len(at) == 4 and all(39_900 < gap < 40_500 for gap in gaps)


@pytest.mark.parametrize(("mode", "requests", "left"), [(2, 0, True), (1, 4, True), (1, 0, False)])
def test_the_fast_path_looks_again(mode: int, requests: int, left: bool) -> None:
    """Somebody has kicked, or made a request: out of the inner loop, with no entry in between."""
    what = tsc_deadline(kernel("v6.1"), mode="busy", rounds=1)
    vcpu, s = what.records["vcpu"], list(what.system.start)
    s[vcpu.mode], s[vcpu.requests] = mode, requests
    recheck = find(FASTPATH, "FAST.recheck")
    assert isinstance(recheck, Step) and (recheck.fn(s, vcpu) == "run_again") == left


@pytest.mark.parametrize(
    ("name", "fast"),
    [
        ("v6.1", "FAST.wrmsr_tscdeadline"),
        ("v6.1+preemption-timer=0", "FAST.none"),
        ("v6.1+pi-inject-timer=1", "FAST.none"),
    ],
)
def test_a_deadline_is_handled_fast_only_where_the_hv_timer_may_keep_it(name: str, fast: str) -> None:
    """v6.1 x86.c handle_fastpath_set_tscdeadline asks kvm_can_use_hv_timer first."""
    what = tsc_deadline(kernel(name), mode="busy", rounds=1)
    vcpu, guest, s = what.records["vcpu"], what.records["guest"], list(what.system.start)
    s[guest.vmcs.reason], s[guest.msr] = Exit.MSR_WRITE, IA32_TSC_DEADLINE
    row = find(FASTPATH, "FASTPATH")
    assert isinstance(row, Row)
    assert next(step.label for step in row.steps if step.when is None or step.when(s, vcpu)) == fast


@pytest.mark.parametrize("forced", [0, 1])
@pytest.mark.parametrize("in_use", [0, 1])
def test_only_a_deadlines_exit_is_handled_fast(forced: int, in_use: int) -> None:
    """v6.1 handle_fastpath_preemption_timer: not a forced one, nor one of a timer that is off."""
    what = tsc_deadline(kernel("v6.1"), mode="busy", rounds=1)
    vcpu, s = replace(what.records["vcpu"], forced=what.records["timer"].handled), list(what.system.start)
    s[vcpu.guests[0].vmcs.reason], s[vcpu.timer.in_use] = Exit.PREEMPTION_TIMER, in_use
    s[vcpu.timer.handled] = forced
    row = find(FASTPATH, "FASTPATH")
    assert isinstance(row, Row)
    (fast,) = (step for step in row.steps if step.label == "FAST.preemption_timer")
    assert fast.when is not None and bool(fast.when(s, vcpu)) == (in_use and not forced)


def test_bad_knobs_are_refused() -> None:
    """The nearest mode is offered; a kernel without timers says what it is modelled for."""
    with pytest.raises(BadInput, match="did you mean busy"):
        tsc_deadline(kernel("v6.1"), mode="bussy")
    with pytest.raises(BadInput, match="1 or more"):
        tsc_deadline(kernel("v6.1"), rounds=0)
    with pytest.raises(BadInput, match="not for tsc-deadline"):
        tsc_deadline(kernel("v3.10"))
