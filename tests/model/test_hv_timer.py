"""hv timer and hrtimer: what every kernel does with a deadline, in every schedule; why each step is there."""

from dataclasses import replace
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Patch, PathEdit
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.kernels.timers import switch_steps, timed, without
from kvmlab.kvm.hrtimer import HANDLER
from kvmlab.kvm.requests import KVM_REQ_MIGRATE_TIMER
from kvmlab.kvm.timer_tail import injected
from kvmlab.kvm.vcpu_load import MIGRATE_TIMER
from kvmlab.machine.edit import Swap
from kvmlab.machine.program import compile_path
from kvmlab.machine.property import Property
from kvmlab.machine.run import Run, taken
from kvmlab.machine.step import name_of
from kvmlab.processor.records import frame
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR, bit
from kvmlab.scenarios.hv_timer import FAR, NEAR, hv_timer
from kvmlab.scenarios.names import scenario
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.timer_parts import Host, uses_hv_timer
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.explore import Exploration, explore

IN_SCOPE = [name for name in LISTED if "hv-timer" in kernel(name).scope]
POSTED = "v6.1+pi-inject-timer=1"
"""The hrtimer on a housekeeping CPU posts into the running guest."""


@cache
def found(name: str, **knobs: object) -> Exploration:
    """Return the exploration of a kernel."""
    exploration = explore(hv_timer(kernel(name), **knobs))  # type: ignore[arg-type]
    assert exploration.complete
    return exploration


def mechanisms(exploration: Exploration) -> set[str]:
    """Return the properties that some schedule breaks."""
    return {violation.property.label for violation in exploration.violations}


def walked(what: Scenario, seed: int) -> Run:
    """Return a random run in which time is slow: else a deadline has passed before a timer is armed."""
    rng, steps, state = Random(seed), [], what.system.start
    while len(steps) < 400 and (moves := what.system.enabled(state)):
        others = [move for move in moves if move.label != "t:TIME"]
        steps.append(taken(rng.choice(others if others and rng.random() < 0.97 else moves), state))
        state = steps[-1].after
    return Run(what.system, tuple(steps))


@pytest.mark.parametrize("name", IN_SCOPE)
def test_one_deadline_makes_one_interrupt(name: str) -> None:
    """The guest may halt before its deadline, or behind it, or not at all: one interrupt, one timer."""
    assert mechanisms(found(name, wakes=0)) == set()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("v4.7", set()),
        ("64672c9", set()),
        ("v4.10", {"TWICE"}),
        ("d264ee0+804939e", set()),
        ("v4.19", set()),
        ("v6.1", set()),
        (POSTED, set()),
    ],
)
def test_somebody_else_may_wake_the_guest(name: str, what: set[str]) -> None:
    """Read in 4.10.17: a halt behind the interrupt arms with 0, and it comes twice; 4.19 asks for 0 first."""
    assert mechanisms(found(name)) == what


def test_the_shortest_duplicate_is_the_printed_one() -> None:
    """4.10: delivered, halted, woken by somebody else; post_block arms with 0, the entry leaves at once."""
    shortest = found("v4.10").shortest
    assert shortest is not None
    labels = [label.split(":")[1] for label in shortest.labels]
    story = ["TAIL.deliver", "HLT", "POST.on", "SWAIT.finish", "HV.set", "VMENTRY", "EXIT.PREEMPTION_TIMER"]
    at = [labels.index(story[0])]
    for label in story[1:]:
        at.append(labels.index(label, at[-1]))
    assert labels[at[-2] + 1] == story[-1], "not one instruction between the entry and the exit"
    assert labels[-2:] == ["TAIL.deliver", "TWICE"]


@pytest.mark.parametrize(("interrupts", "twice"), [(0, False), (1, False), (2, True), (3, True)])
def test_the_second_deadlines_interrupts_are_counted_too(interrupts: int, twice: bool) -> None:
    """Behind one for the first deadline, two for the second are one too many."""
    what = hv_timer(kernel("v4.19"), wakes=0, rewrite="far")
    vcpu, program, s = what.records["vcpu"], what.records["program"], list(what.system.start)
    injected(s, vcpu)
    s[program.writes], s[program.had] = 2, s[vcpu.timer.injected]
    for _ in range(interrupts):
        injected(s, vcpu)
    broken = {p.label: bool(p.broken(tuple(s))) for p in what.properties}
    assert broken["TWICE"] == twice


@pytest.mark.parametrize("name", [name for name in IN_SCOPE if name not in ("v4.7", POSTED)])
def test_without_the_switch_for_a_halt_the_interrupt_is_lost(name: str) -> None:
    """The preemption timer does not count outside the guest: the vCPU sleeps for ever."""
    label = "switch_to_sw_timer()"
    assert "LOST" in mechanisms(found(name, wakes=0, without=(label,)))


NEEDED: dict[str, dict[str, tuple[str, int]]] = {
    "64672c9": {
        "pre_block()": ("LOST", 0),
        "switch_to_sw_timer()": ("LOST", 0),
        "SW.cancel_hv": ("TWICE", 0),
        "start_sw_timer()": ("LOST", 0),
        "HV.set": ("NO_HOLDER", 1),
        "HRT.cancel": ("TWO_HOLDERS", 1),
        "HV.recheck": ("TWICE", 1),
        "HV.expired": ("TWICE", 0),
        "apic_timer_expired()": ("LOST", 0),
        "SW.start": ("EARLY", 0),
    },
    "v4.19": {
        "pre_block()": ("LOST", 0),
        "switch_to_sw_timer()": ("LOST", 0),
        "SW.switch": ("LOST", 0),
        "HV.deadline": ("TWICE", 1),
        "HV.set": ("NO_HOLDER", 0),
        "start_hv_timer()": ("TWICE", 1),
        "start_sw_timer()": ("TWICE", 0),
        "HRT.cancel": ("TWO_HOLDERS", 1),
        "SW.cancel_hv": ("TWICE", 0),
        "SW.start": ("EARLY", 0),
        "LOAD.in_use": ("LOST", 0),
        "HV.expired": ("TWICE", 0),
        "apic_timer_expired()": ("LOST", 0),
    },
}
"""Step of the switch code -> what goes wrong first without it, and how many other wake-ups that takes."""


def moves(label: str) -> int:
    """Return how often the thread is moved, so that a step is asked for something."""
    return int(label.startswith(("LOAD.", "PREEMPT.")))


@pytest.mark.parametrize(("name", "label"), [(name, label) for name in NEEDED for label in NEEDED[name]])
def test_why_each_step_of_the_switch_is_there(name: str, label: str) -> None:
    """Each ablation is a kernel, and it breaks something."""
    what, wakes = NEEDED[name][label]
    shortest = found(name, wakes=wakes, migrations=moves(label), without=(label,)).shortest
    assert shortest is not None and shortest.property.label == what


MISSED_ELSEWHERE = {
    "HV.in_use": "a move behind the exit may have seen to it; nobody moves the thread here",
    "HV.hook": "every host here has a preemption timer that works",
    "HV.pending": "the callback's interrupt is delivered before the tail could arm again",
    "SW.pending": "the same on the way out: an expiry that is pending is not waited for twice",
    "post_block()": "the hrtimer keeps the deadline as well: dearer, not wrong",
    "switch_to_hv_timer()": "the same",
    "switch_to_hv_timer.restart": "the same",
    "SW.in_use": "a restart of the hrtimer for a deadline of 0 starts nothing",
    "HV.recheck": "v4.19 starts the hrtimer then, which is always right",
    "HV.passed": "the hrtimer's path finds the deadline passed as well",
    "HV.again": "periodic timers only",
    "HV.restart": "periodic timers only",
    "SW.again": "periodic timers only",
    "SW.state": "it tells the trace, no more",
    "PREEMPT.off": "the step that sets the hv timer is one; what lies around it may be moved",
    "PREEMPT.on": "who stays where he is does nothing wrong",
    "LOAD.set_hv": "both CPUs have one TSC here, so what was set is right on the new one too",
    "LOAD.restart": "the same",
}
"""Why nobody misses the others here."""


@pytest.mark.parametrize("name", NEEDED)
def test_a_step_that_is_not_missed_has_a_reason(name: str) -> None:
    """Every step of the switch code is needed above, or explained and not missed here."""
    others = set(switch_steps(kernel(name))) - set(NEEDED[name])
    assert others <= set(MISSED_ELSEWHERE)
    for label in others:
        assert mechanisms(found(name, wakes=0, migrations=moves(label), without=(label,))) == set()


B_6 = {
    ("v4.7", "off"): set[str](),
    ("v4.7", "far"): set[str](),
    ("64672c9", "off"): {"SPURIOUS"},
    ("64672c9", "far"): {"TWO_HOLDERS", "TWICE"},
    ("v4.10", "off"): {"SPURIOUS"},
    ("v4.10", "far"): set[str](),
    ("v4.18", "off"): set[str](),
    ("v4.18", "far"): set[str](),
    ("v4.19", "off"): set[str](),
    ("v4.19", "far"): set[str](),
    ("v6.1", "off"): set[str](),
    ("v6.1", "far"): set[str](),
    (POSTED, "off"): {"SPURIOUS"},
    (POSTED, "far"): {"EARLY", "TWICE"},
}
"""The table of special cases: (kernel, what the guest writes over its deadline) -> what goes wrong."""


@pytest.mark.parametrize(("name", "rewrite"), B_6)
def test_writing_over_a_deadline(name: str, rewrite: str) -> None:
    """B.6, read in each: as merged nobody cancels the old one; v4.10 does, but 0 arms with 0; v4.19 is right.

    What is posted cannot be called back: it comes, though the guest's write has begun, as in hardware.
    """
    assert mechanisms(found(name, wakes=0, rewrite=rewrite)) == B_6[name, rewrite]


@pytest.mark.parametrize("rewrite", ["off", "far"])
def test_what_is_posted_too_late_came_before_the_write_was_handled(rewrite: str) -> None:
    """The guest's second write has exited, the mode is IN_GUEST_MODE still; later it would be pending, and
    forgotten by that write."""
    shortest = found(POSTED, wakes=0, rewrite=rewrite).shortest
    assert shortest is not None
    labels = [label.split(":")[1] for label in shortest.labels]
    first = labels.index("WRMSR")
    assert "MODE_OUT" not in labels[labels.index("WRMSR", first + 1) : labels.index("EXPIRED.mode")]


def test_a_posted_timer_leaves_the_guest_alone() -> None:
    """The hrtimer holds the alarm, elsewhere; a deadline costs the exit that armed it, and no other."""
    exits = {}
    for name in ("v6.1+preemption-timer=0", "v6.1", POSTED):
        what = scenario("tsc-deadline", kernel(name), mode="busy", rounds=4)
        run, t = clocked(what.system, limit=3000), what.records["timer"]
        assert what.done(run.state) and run.count("VIRTUAL_INTERRUPT") == 4
        exits[name] = [f["exit_reason"] for event, f in run.events if event == "kvm_exit"]
        guest_runs = [step.before for step in run.steps if step.move.actor.letter == "g"]
        held = {(bool(s[t.in_use]), s[t.hrtimer.away]) for s in guest_runs if s[t.tscdeadline]}
        assert held <= ({(False, 1)} if name == POSTED else {(False, 0), (True, 0)})
    assert (
        exits["v6.1"].count("PREEMPTION_TIMER")
        == exits["v6.1+preemption-timer=0"].count("EXTERNAL_INTERRUPT")
        == 4
    )
    assert exits[POSTED] == [reason for reason in exits["v6.1"] if reason != "PREEMPTION_TIMER"]


def test_whoever_posts_wakes_a_thread_that_has_gone_to_sleep_meanwhile() -> None:
    """It was IN_GUEST_MODE when the callback looked; not woken, the guest sleeps on its interrupt."""
    edit = PathEdit("apic_timer_fn", Swap("TIMER.wake"))
    asleep = Patch("no-wake", "", "an ablation", (edit,)).on(kernel(POSTED))
    shortest = explore(hv_timer(asleep, wakes=0)).shortest
    assert shortest is not None and shortest.property.label == "LOST"
    labels = [label.split(":")[1] for label in shortest.labels]
    assert (
        labels.index("EXPIRED.mode")
        < labels.index("MODE_OUT", labels.index("HLT"))
        < labels.index("TIMER.pir")
    )


def test_a_posted_timer_finds_a_halted_guest() -> None:
    """Not IN_GUEST_MODE: pending, and the thread is woken; the tail makes the interrupt, as always."""
    what = scenario("tsc-deadline", kernel(POSTED), mode="hlt", rounds=4)
    run = clocked(what.system, limit=3000)
    assert what.done(run.state) and run.count("VIRTUAL_INTERRUPT") == run.count("TAIL.deliver") == 4
    assert not run.count("TIMER.pir") and run.count("EXPIRED.wake") == 4


@pytest.mark.parametrize(("name", "waits"), [("v6.1", True), (POSTED, False)])
def test_a_posted_timer_does_not_follow_its_thread(name: str, waits: bool) -> None:
    """__kvm_migrate_apic_timer leaves it where it is, and does not wait for its callback."""
    what = hv_timer(kernel(name), migrations=1)
    vcpu, s = what.records["vcpu"], list(what.system.start)
    s[vcpu.requests], s[vcpu.timer.hrtimer.running] = KVM_REQ_MIGRATE_TIMER, 1
    assert MIGRATE_TIMER.when is not None and bool(MIGRATE_TIMER.when(s, vcpu)) != waits
    s[vcpu.timer.hrtimer.running], s[vcpu.timer.hrtimer.expires], s[vcpu.timer.hrtimer.away] = 0, NEAR, 1
    MIGRATE_TIMER.fn(s, vcpu)
    assert s[vcpu.timer.hrtimer.away] == 1 - waits and not s[vcpu.requests]


@pytest.mark.parametrize("name", ["v4.7", "64672c9", "v4.10", "v4.19", "v6.1", POSTED])
@pytest.mark.parametrize(("hlt", "migrations"), [(1, 1), (0, 2)])
def test_a_move_to_another_cpu_does_no_harm(name: str, hlt: int, migrations: int) -> None:
    """The hv timer is set again there, the hrtimer follows before the entry."""
    assert mechanisms(found(name, hlt=hlt, wakes=0, migrations=migrations)) == set()


def test_hrtimer_cancel_waits_for_a_callback_on_another_cpu() -> None:
    """Else the guest writes 0, and the callback that is under way makes an interrupt all the same."""
    assert mechanisms(found("v4.7", hlt=0, wakes=0, migrations=1, rewrite="off")) == set()


@pytest.mark.parametrize("migrations", [0, 1])
def test_only_a_move_lets_the_callback_run_beside_the_thread(migrations: int) -> None:
    """On one CPU the interrupt is on top of the thread, or the thread is asleep."""
    what = hv_timer(kernel("v4.7"), hlt=0, wakes=0, migrations=migrations)
    t, top = what.records["timer"], what.records["core"].frame
    beside = Property("BESIDE", "", lambda s: s[t.hrtimer.running] and s[top] != HANDLER)
    assert bool(explore(replace(what, properties=(beside,))).violations) == bool(migrations)


@pytest.mark.parametrize("name", ["v4.7", "v4.19"])
def test_the_host_has_one_interrupt_for_one_expiry(name: str) -> None:
    """Hardware does not fire again for an hrtimer whose interrupt is pending, or is being handled."""
    what, fired = hv_timer(kernel(name), hlt=2, wakes=1), 0
    t, host = what.records["timer"], what.records["L0"]
    for seed in range(20):
        for step in walked(what, seed).steps:
            if step.move.step.label == "LOCAL_TIMER":
                fired += 1
                under_way = (step.before[host.irr] | step.before[host.isr]) & bit(LOCAL_TIMER_VECTOR)
                assert not under_way and not step.before[t.hrtimer.called]
    assert fired > 5


def test_the_thread_stays_where_preemption_is_off() -> None:
    """Between preempt_disable and preempt_enable nobody moves it; elsewhere somebody does."""
    what, moved = hv_timer(kernel("v4.19"), hlt=2, wakes=1, migrations=9), 0
    for seed in range(20):
        for step in walked(what, seed).steps:
            if step.move.step.label == "MIGRATE":
                moved += 1
                assert not step.before[what.records["timer"].nopreempt]
    assert moved > 20


def test_where_nobody_forbids_preemption_it_is_allowed() -> None:
    """Without preempt_disable the thread is moved in the midst of a restart too."""
    what = hv_timer(kernel("v4.19"), hlt=2, wakes=1, migrations=9, without=("PREEMPT.off",))
    count, at = what.records["timer"].nopreempt, set()
    for seed in range(20):
        steps = walked(what, seed).steps
        assert all(step.after[count] == 0 for step in steps)
        at |= {a.move.step.label for a, b in pairwise(steps) if b.move.step.label == "MIGRATE"}
    assert at & {"HV.set", "SW.start", "HRT.cancel"}


@pytest.mark.parametrize("name", ["v4.7", "64672c9", "v4.10", "v4.19", "v6.1"])
def test_a_deadline_that_does_not_fit_stays_with_the_hrtimer(name: str) -> None:
    """ERANGE is not tried again at later entries, and all is well."""
    assert mechanisms(found(name, wakes=0, refuse=True)) == set()
    what = hv_timer(kernel(name), hlt=0, wakes=0, refuse=True)
    armed, run = what.records["timer"].in_use, clocked(what.system, limit=300)
    assert not any(step.after[armed] for step in run.steps) and run.count("VIRTUAL_INTERRUPT") == 1


def test_v4_19_may_expire_a_deadline_that_its_hrtimer_still_has() -> None:
    """After ERANGE and a halt start_sw finds the deadline passed, and leaves the queued hrtimer where it is.

    Read in 4.19: vmx_post_block, kvm_lapic_switch_to_hv_timer, restart_apic_timer, start_hv_timer (ERANGE, so
    no hrtimer_cancel), start_sw_tscdeadline, apic_timer_expired. It takes more time between the two looks at
    the TSC than the preemption timer holds, and a host timer that is late by the way to the tail.
    """
    shortest = found("v4.19", refuse=True).shortest
    assert shortest is not None and shortest.property.label == "TWICE"
    last = [label for label in shortest.labels if "SW.start" in label or "IRQ.timer" in label]
    assert last[-2:] == ["v:SW.start", "h:IRQ.timer"]
    labels = [label.split(":")[1] for label in shortest.labels]
    way = labels[labels.index("HV.hook") : len(labels) - 1 - labels[::-1].index("SW.start")]
    assert {"PREEMPT.off", "HV.set", "SW.pending"} <= set(way) and "HRT.cancel" not in way
    assert "TIME" in way[way.index("HV.set") :]
    assert mechanisms(found("v6.1", refuse=True)) == set()  # it goes back only to what was in use


def test_the_arithmetic_refuses_what_does_not_fit() -> None:
    """The refusal is no switch of the model: one deadline is 2^32 ticks away and more, the other is not."""
    assert FAR - NEAR >> 32 and not NEAR >> 32


SOUND = {name: hv_timer(kernel(name), hlt=3, wakes=2, migrations=3) for name in ("v4.19", "v6.1", "64672c9")}


@settings(max_examples=15)
@given(st.sampled_from(sorted(SOUND)), st.integers(0, 10_000))
def test_random_walks_never_break_a_sound_kernel(name: str, seed: int) -> None:
    """More halts, wake-ups and moves than can be explored: never both timers in the guest, never twice."""
    what = SOUND[name]
    broken = [p.label for step in walked(what, seed).steps for p in what.properties if p.broken(step.after)]
    assert broken == []


@settings(max_examples=10)
@given(st.sampled_from(["64672c9", "v4.10", "v4.19", "v6.1"]), st.integers(0, 10_000))
def test_what_is_in_use_is_what_is_set(name: str, seed: int) -> None:
    """hv_timer_in_use and hv_deadline_tsc change together; the guest never runs with preemption off."""
    what = hv_timer(kernel(name), hlt=2, wakes=1, migrations=2)
    t, top = what.records["timer"], what.records["core"].frame
    for step in walked(what, seed).steps:
        s = step.after
        assert bool(s[t.in_use]) == (s[t.hv_deadline] >= 0)
        assert 0 <= s[t.nopreempt] <= 2 and not (s[t.nopreempt] and s[top] == frame(1))


def test_a_halt_takes_the_hrtimer_and_makes_one_interrupt() -> None:
    """K.10: hv_timer 1, the halt, hrtimer, hv_timer 0, the callback; one interrupt, no exit of the timer."""
    what = scenario("tsc-deadline", kernel("v6.1"), mode="hlt", rounds=1)
    run = clocked(what.system, limit=1000)
    told = [f"{name} {f.get('hv_timer_in_use', f.get('exit_reason', ''))}".strip() for name, f in run.events]
    story = [
        "kvm_hv_timer_state 1",
        "kvm_exit HLT",
        "hrtimer_start",
        "kvm_hv_timer_state 0",
        "hrtimer_expire_entry",
    ]
    at = [told.index(event) for event in story]
    assert at == sorted(at) and "kvm_exit PREEMPTION_TIMER" not in told
    assert told.count("kvm_apic_accept_irq") == run.count("VIRTUAL_INTERRUPT") == 1


def test_a_timer_is_not_paid_for_where_there_is_none() -> None:
    """The shared run loop has no timer steps; the timed one has, under the same kernel's name."""
    for name in ("v4.10", "b95234c", "v6.1"):
        plain, with_timer = kernel(name), timed(kernel(name))
        rows = [len(compile_path(k.paths["vcpu_run"])) for k in (plain, with_timer)]
        assert rows[0] < 30 < rows[1] and with_timer.name == plain.name


def test_an_ablation_says_what_it_lacks() -> None:
    """Its name carries the steps; a label nobody knows is refused with those that there are."""
    assert without(kernel("v4.19"), ["HV.deadline", "HV.again"]).name == "v4.19 - HV.deadline - HV.again"
    with pytest.raises(BadInput, match="v4.7 has no switch step HV.set; it has none"):
        hv_timer(kernel("v4.7"), without=("HV.set",))
    with pytest.raises(BadInput, match="no switch step nothing; it has"):
        hv_timer(kernel("v4.19"), without=("nothing",))


def test_a_label_is_left_out_wherever_the_switch_has_it() -> None:
    """start_sw_timer finds a deadline passed, the hv timer's exit makes an expiry: one call, two places."""
    whole = kernel("v4.19")
    lacks = without(whole, ["apic_timer_expired()"])
    for name in ("start_sw_timer", "expired_hv_timer"):
        gone = {name_of(n) for n in whole.paths[name].walk()} - {name_of(n) for n in lacks.paths[name].walk()}
        assert gone == {"apic_timer_expired()"}
    assert lacks.paths["apic_timer_fn"] is whole.paths["apic_timer_fn"], (
        "the hrtimer's callback is not the switch's"
    )


def test_bad_knobs_are_refused() -> None:
    """One line each, and what would do."""
    with pytest.raises(BadInput, match="0 to 4"):
        hv_timer(kernel("v4.19"), wakes=5)
    with pytest.raises(BadInput, match="unknown rewrite near"):
        hv_timer(kernel("v4.19"), rewrite="near")
    with pytest.raises(BadInput, match="not for hv-timer"):
        scenario("hv-timer", kernel("v3.10"))


FASTEST = [(429_496, 0), (13_743_895, 5)]
"""kHz of a TSC and rate of a preemption timer whose 32 bits last ten seconds and hardly more."""


@pytest.mark.parametrize(("khz", "rate"), FASTEST)
@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("name", ["64672c9", "v4.10", "v4.19", "v6.1"])
def test_a_timer_that_runs_out_within_ten_seconds(name: str, khz: int, rate: int, more: int) -> None:
    """Where off is a value and no control (804939ea200d), it would ring too often: it is not used."""
    used = uses_hv_timer(kernel(name), Host(khz=khz + more, rate=rate))
    assert used == (name != "v6.1" or not more)
