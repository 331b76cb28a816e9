"""What a timeline reads off events: whose code ran, whose interrupt it is, who holds the alarm."""

from itertools import pairwise

import pytest

from kvmlab.errors import BadInput
from kvmlab.show.timeline_data import Alarm, Recording
from kvmlab.show.timeline_record import record
from kvmlab.traces import Event, hv_timer, levels, load, names


def entry(time: int, vcpu: int = 0, **more: object) -> Event:
    """Return a kvm_entry."""
    return Event.of("kvm_entry", time, {"vcpu_id": vcpu, "rip": 0x1000, **more})


def left(time: int, reason: str = "HLT", vcpu: int = 0, **more: object) -> Event:
    """Return a kvm_exit."""
    return Event.of("kvm_exit", time, {"vcpu_id": vcpu, "exit_reason": reason, "guest_rip": 0x1000, **more})


def switch(time: int, away: bool, state: str = "S") -> Event:
    """Return a sched_switch that takes thread 1 off its CPU or puts it on again."""
    me, idle = {"comm": "kvmlab", "pid": 1, "prio": 120}, {"comm": "swapper/0", "pid": 0, "prio": 120}
    before, after = (me, idle) if away else (idle, me)
    fields = {f"prev_{k}": v for k, v in before.items()} | {f"next_{k}": v for k, v in after.items()}
    return Event.of("sched_switch", time, {**fields, "prev_state": state}, pid=before["pid"])


def ran(run: Recording, lane: int = 0) -> list[tuple[int, int, str]]:
    """Return the spans of a lane in short."""
    return [(span.start, span.end, span.name) for span in run.lanes[lane].spans]


@pytest.mark.parametrize("name", names())
def test_spans_cover_the_run_without_gap_or_overlap(name: str) -> None:
    """At each moment a vCPU does exactly one thing."""
    run = record(load(name))
    for lane in run.lanes:
        assert (lane.spans[0].start, lane.spans[-1].end) == (0, run.length)
        assert all(a.end == b.start for a, b in pairwise(lane.spans))


def test_the_guest_runs_between_entry_and_exit() -> None:
    """Before the first entry and after an exit it is root."""
    run = record([left(0), entry(10), left(15), entry(40), left(50)])
    assert ran(run) == [(0, 10, "L0"), (10, 15, "L1"), (15, 40, "L0"), (40, 50, "L1")]


def test_a_trace_that_begins_with_an_exit_began_in_the_guest() -> None:
    """Somebody else's earlier event shows that there was a time before it."""
    tick = Event.of("local_timer_entry", 0, {"vector": 236}, task="<idle>", pid=0)
    assert ran(record([tick, left(20), entry(30)]))[0] == (0, 20, "L1")


def test_two_entries_in_a_row_leave_a_stretch_unknown() -> None:
    """What was lost is not invented."""
    assert ran(record([left(0), entry(10), entry(20), left(30)]))[1] == (10, 20, "unknown")
    assert ran(record([entry(0), left(10), left(20), entry(30)]))[1] == (10, 20, "unknown")


def test_the_scheduler_tells_sleep_from_preemption() -> None:
    """A thread that is still runnable does not sleep."""
    asleep = [left(0), switch(5, True), switch(90, False), entry(100)]
    assert ran(record(asleep)) == [(0, 5, "L0"), (5, 90, "asleep"), (90, 100, "L0")]
    preempted = [left(0), switch(5, True, "R"), switch(90, False), entry(100)]
    assert ran(record(preempted))[1] == (5, 90, "preempted")


def test_without_the_scheduler_a_wakeup_tells_the_sleep() -> None:
    """In ticks since the thread was last heard of, in ns as long as the event says; polling is no sleep."""
    awake = Event.of("kvm_vcpu_wakeup", 90, {"ns": 30, "waited": True, "valid": True})
    polled = Event.of("kvm_vcpu_wakeup", 90, {"ns": 30, "waited": False, "valid": True})
    assert ran(record([left(0), awake, entry(100)])) == [(0, 90, "asleep"), (90, 100, "L0")]
    assert ran(record([left(0), awake, entry(100)], "ns"))[1] == (60, 90, "asleep")
    assert ran(record([left(0), polled, entry(100)])) == [(0, 100, "L0")]


def test_an_exit_announced_as_nested_left_level_2() -> None:
    """And a resume of L2 enters level 2 until L1 is given an exit."""
    nested = Event.of("kvm_nested_vmexit", 31, {"vcpu_id": 0, "exit_reason": "VMCALL", "guest_rip": 0})
    told = Event.of("kvm_nested_vmexit_inject", 32, {"exit_reason": "VMCALL"})
    run = record([left(0), entry(10), left(30), nested, told, entry(40), left(50), entry(60)])
    assert [name for _, _, name in ran(run)] == ["L0", "L2", "L0", "L1", "L0"]
    assert run.lanes[0].depth == 2


@pytest.mark.parametrize("name", [name for name in names() if "pt0_ipidelay2000" in name])
def test_the_forced_entry_ran_level_2(name: str) -> None:
    """The last one is where the late IPI let L2 run: the trace shows it at level 2."""
    run = record(load(name))
    forced = [mark.time for mark in run.lanes[0].marks if mark.look == "wish"]
    assert {s.name for s in run.lanes[0].spans if s.start in forced} == {"L2"}


def test_without_entries_and_exits_nobody_knows_who_ran() -> None:
    """Another vendor's KVM has no such events."""
    run = record([Event.of("kvm_eoi", t, {"apicid": 0, "vector": 239}) for t in (0, 10)])
    assert ran(run) == [(0, 10, "unknown")]
    assert run.lanes[0].depth == 0


def test_an_interrupt_is_in_the_lane_of_whose_apic_accepts_it() -> None:
    """Its sender is remembered, for the arrow."""
    accept = Event.of(
        "kvm_apic_accept_irq",
        20,
        {"apicid": 1, "vec": 238, "delivery_mode": "Fixed", "trigger": "edge"},
        pid=7,
    )
    events = [entry(0, 0), left(5, "MSR_WRITE", 0), entry(6, 1), left(8, "HLT", 1)]
    mine = [Event(e.time, 0, "vmm", 7 + int(" 1" in e.text[:6]), "", e.name, e.text) for e in events]
    run = record([*mine, accept])
    marks = [mark for mark in run.lanes[1].marks if mark.look == "interrupt"]
    assert [(m.label, m.state, m.sender) for m in marks] == [("0xee", "pending", 0)]


def test_an_injected_interrupt_is_delivered_by_the_entry_unless_its_exit_says_otherwise() -> None:
    """IDT-vectoring information in the exit means that the delivery itself was cut short."""
    inject = Event.of("kvm_inj_virq", 10, {"vector": 239, "soft": False})
    states = [
        m.state for m in record([left(0), inject, entry(20), left(30)]).lanes[0].marks if m.label == "0xef"
    ]
    assert states == ["in entry field", "delivered"]
    cut = record([left(0), inject, entry(20), left(30, "EPT_VIOLATION", info2=0x800000EF)])
    assert [m.state for m in cut.lanes[0].marks if m.label == "0xef"] == ["in entry field"]


def test_the_preemption_timer_holds_the_alarm_until_it_is_told_or_fires() -> None:
    """A forced exit has the same reason and is no alarm."""
    on, off = (
        Event.of("kvm_hv_timer_state", t, {"vcpu_id": 0, "hv_timer_in_use": n}) for t, n in ((5, 1), (60, 0))
    )
    fires = record([left(0), on, entry(10), left(30, "PREEMPTION_TIMER"), entry(99)])
    forced = record(
        [left(0), on, entry(10, immediate_exit=True), left(30, "PREEMPTION_TIMER"), off, entry(99)]
    )
    assert fires.lanes[0].alarms == (Alarm(5, 30, "preemption timer"),)
    assert forced.lanes[0].alarms == (Alarm(5, 60, "preemption timer"),)


def started(time: int) -> Event:
    """Return the start of an hrtimer for the APIC's timer by the vCPU's thread, 1."""
    when = {"expires": time + 50, "softexpires": time + 50, "mode": "ABS|PINNED"}
    fields = {"hrtimer": "0x7", "function": "apic_timer_fn", **when}
    return Event.of("hrtimer_start", time, fields, task="kvmlab", pid=1)


@pytest.mark.parametrize(("at", "until"), [(40, 40), (70, 60)])
def test_hv_timer_0_is_a_report_that_comes_behind_the_hrtimers_start(at: int, until: int) -> None:
    """KVM gives the preemption timer up before it starts the hrtimer; never do both hold the alarm."""
    on, off = (
        Event.of("kvm_hv_timer_state", t, {"vcpu_id": 0, "hv_timer_in_use": n}) for t, n in ((5, 1), (60, 0))
    )
    events = [left(0), on, entry(10), left(30), off, started(at), entry(99)]
    alarms = record(sorted(events, key=lambda event: event.time)).lanes[0].alarms
    assert alarms == (Alarm(5, until, "preemption timer"), Alarm(at, 99, "hrtimer"))


@pytest.mark.parametrize("name", names())
def test_no_recorded_alarm_has_two_holders(name: str) -> None:
    """Where one stretch begins the other one has ended."""
    for lane in record(load(name)).lanes:
        assert all(a.end <= b.start for a, b in pairwise(lane.alarms))


def test_a_run_needs_events_and_a_unit() -> None:
    """What cannot be drawn is refused with a sentence."""
    with pytest.raises(BadInput, match="at least one event"):
        record([])
    with pytest.raises(BadInput, match="ticks or in ns"):
        record([entry(0)], "hours")


@pytest.mark.parametrize("name", names())
def test_the_bands_add_up_to_what_the_statistics_say(name: str) -> None:
    """The guest's time at each level, between an entry and its exit, is that of `levels`."""
    run = record(load(name))
    began, ended = (
        {run.time(i) for i, event in enumerate(run.events) if event.name == crossing}
        for crossing in ("kvm_entry", "kvm_exit")
    )
    for n, level in enumerate(levels(load(name)).sums, 1):
        spans = [s for s in run.lanes[0].spans if s.level == n and s.start in began and s.end in ended]
        assert sum(s.end - s.start for s in spans) == level.running


def test_alarms_add_up_to_what_the_statistics_say() -> None:
    """Armed twice, once cancelled, once fired."""
    said = ((5, 1), (9, 0), (12, 1))
    states = [Event.of("kvm_hv_timer_state", t, {"vcpu_id": 0, "hv_timer_in_use": n}) for t, n in said]
    events = [left(0), *states, entry(20), left(70, "PREEMPTION_TIMER"), entry(80)]
    (told,) = hv_timer(events)
    alarms = record(events).lanes[0].alarms
    assert told.spans is not None
    assert (len(alarms), sum(a.end - a.start for a in alarms)) == (told.spans.samples, told.spans.total)


def test_the_exit_of_a_forced_entry_says_whether_the_guest_moved_on() -> None:
    """The two packaged runs differ in just that, though their bars look alike."""
    for which, said in (("pt1", "PREEMPTION_TIMER, same rip"), ("pt0", "VMCALL, rip +0xa")):
        marks = record(load(f"nested_{which}_ipidelay2000_preemption_timer")).lanes[0].marks
        assert [mark.label for mark in marks if "rip" in mark.label] == [said]
