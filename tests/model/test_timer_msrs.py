"""What KVM does with a guest's write to its timer: a change of mode, a count, a deadline; per kernel.

What is asserted of v4.10, v4.19 and v6.1 was read there (arch/x86/kvm/lapic.c, where no other file is named).
"""

from dataclasses import replace

import pytest
from functions_bench import DEADLINE, START, bench

from kvmlab.kvm.lapic_timer import next_period, next_period_4_10
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.kvm.timer_msrs import current_count
from kvmlab.kvm.timer_records import BROKEN
from kvmlab.kvm.timer_tail import deliver
from kvmlab.processor.apic_timer import MASKED, Mode, mode_of
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.timer_parts import VECTOR

NEW = ["v4.18", "v4.19", "v6.1"]
HV_KERNELS = ["64672c9", "v4.10", "v4.19", "v6.1"]


@pytest.mark.parametrize("name", ["v4.7", *HV_KERNELS, "v6.1+preemption-timer=0"])
def test_a_deadline_to_come_has_one_holder(name: str) -> None:
    """The hv timer where there is one, else the hrtimer."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    hv = name in HV_KERNELS
    assert made.holders() == (hv, not hv) and made.s[made.timer.tscdeadline] == DEADLINE


B_6_PAST = {
    "v4.7": ((False, False), 1),
    "64672c9": ((False, False), 1),
    "v4.10": ((True, False), 0),
    "v4.19": ((False, False), 1),
    "v6.1": ((False, False), 1),
}
"""Kernel -> who is armed by a deadline that has passed, and whether it expires at once."""


@pytest.mark.parametrize("name", B_6_PAST)
def test_a_deadline_in_the_past(name: str) -> None:
    """B.6: by luck as merged (it does not fit); v4.10 arms with 0; since 2018 it expires at once."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", START - 500)
    holders, once = B_6_PAST[name]
    expired = made.s[made.timer.pending] + made.s[made.timer.injected]
    assert (made.holders(), expired) == (holders, once)


B_6_MODE = {
    "v4.7": (False, False),
    "64672c9": (True, False),
    "v4.10": (True, False),
    "v4.19": (True, False),
    "v6.1": (False, False),
}
"""Kernel -> who is armed still when the guest has left deadline mode with a deadline to come."""


@pytest.mark.parametrize("name", B_6_MODE)
def test_leaving_deadline_mode(name: str) -> None:
    """apic_update_lvtt up to v4.19 cancels the hrtimer only: the hv timer keeps a deadline that is none."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.write("l", Mode.ONE_SHOT << 17 | VECTOR)
    assert made.holders() == B_6_MODE[name]
    assert bool(made.s[made.timer.tscdeadline]) == (name not in ("v4.19", "v6.1"))


@pytest.mark.parametrize(("name", "left"), [("v4.10", 10_000), ("v4.19", 0), ("v6.1", 0)])
def test_a_count_and_deadline_mode(name: str, left: int) -> None:
    """apic_update_lvtt: since 2017 no initial count outlives deadline mode."""
    made = bench(name, Mode.ONE_SHOT)
    made.write("c", 10_000)
    for mode in (Mode.TSC_DEADLINE, Mode.ONE_SHOT):
        made.write("l", mode << 17 | VECTOR)
    assert made.s[made.timer.tmict] == left


@pytest.mark.parametrize(
    ("name", "seen"),
    [("v4.7", Mode.PERIODIC), ("v4.10", Mode.PERIODIC), *((n, Mode.TSC_DEADLINE) for n in NEW)],
)
def test_in_which_mode_a_callback_ends_that_is_waited_for(name: str, seen: Mode) -> None:
    """apic_update_lvtt: 4.10.17 has the new mode before hrtimer_cancel, 4.19 and 6.1 behind it."""
    made = bench(name, Mode.TSC_DEADLINE)
    vector = VECTOR + 1
    made.s[made.timer.hrtimer.running] = 1
    made.begin("l", MASKED | Mode.PERIODIC << 17 | vector)
    assert made.s[made.timer.lvtt] == MASKED | seen << 17 | vector
    made.s[made.timer.hrtimer.running] = 0
    made.write("l", MASKED | Mode.PERIODIC << 17 | vector)
    assert mode_of(made.s[made.timer.lvtt]) == Mode.PERIODIC


@pytest.mark.parametrize(("name", "hv"), [("v4.19", True), ("v6.1", False)])
def test_a_halt_heals_what_a_change_of_mode_left(name: str, hv: bool) -> None:
    """v4.19's way back from a halt finds no deadline, so start_sw_timer gives the hv timer up."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.write("l", Mode.ONE_SHOT << 17 | VECTOR)
    assert made.holders()[0] == hv
    if "p" in made.system.pc:  # v6.1 has no such hook any more
        made.call("p")
    assert made.holders() == (False, False)


B_6_COUNT = {
    "v4.7": (False, False, 0),
    "v4.10": (True, False, 1),
    "v4.19": (True, False, 0),
    "v6.1": (False, False, 0),
}
"""Kernel -> who is armed still when the guest has written a count of 0, and whether a deadline is left."""


@pytest.mark.parametrize("name", B_6_COUNT)
def test_a_count_of_0(name: str) -> None:
    """v4.10 and v4.19 cancel the hrtimer alone, v4.10 forgets no deadline either; v6.1 cancels both."""
    made = bench(name, Mode.ONE_SHOT)
    made.write("c", 10_000)
    made.s[made.timer.tscdeadline] *= name != "v4.7"  # before patch 2 nobody keeps one for a count
    made.write("c", 0)
    assert (*made.holders(), int(made.s[made.timer.tscdeadline] > 0)) == B_6_COUNT[name]


@pytest.mark.parametrize("name", ["v4.10", "v4.19"])
def test_a_deadline_left_over_in_periodic_mode_rings_once(name: str) -> None:
    """kvm_lapic_expired_hv_timer begins a next period only where there is one."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.write("l", Mode.PERIODIC << 17 | VECTOR)
    made.call("x")
    assert made.holders() == (False, False) and made.s[made.timer.pending] == 1


@pytest.mark.parametrize("name", ["v4.7", *HV_KERNELS])
@pytest.mark.parametrize("mode", [Mode.ONE_SHOT, Mode.PERIODIC])
def test_a_deadline_is_ignored_in_the_other_modes(name: str, mode: Mode) -> None:
    """kvm_set_lapic_tscdeadline_msr looks at the mode first: what counts goes on counting."""
    made = bench(name, mode)
    made.write("c", 10_000)
    before = made.holders(), made.s[made.timer.tscdeadline]
    for deadline in (DEADLINE, 0):
        made.write("d", deadline)
        assert (made.holders(), made.s[made.timer.tscdeadline]) == before and any(made.holders())


@pytest.mark.parametrize("name", ["v4.10", "v4.19", "v6.1"])
def test_a_masked_timer_keeps_its_expiry(name: str) -> None:
    """apic_has_pending_timer is 0 behind a mask: the tail delivers what has expired when that is gone."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.s[made.timer.tscdeadline], made.s[made.timer.pending] = DEADLINE, 1
    for mask, injected in ((MASKED, 0), (0, 1)):
        made.write("l", mask | Mode.TSC_DEADLINE << 17 | VECTOR)
        made.call("t")
        assert made.s[made.timer.injected] == injected == 1 - made.s[made.timer.pending]
    assert not made.s[made.timer.tscdeadline]


NO_HV = {"v4.7": "v4.7", "v4.10": "v4.10", "v4.19": "v4.19", "v6.1": "v6.1+preemption-timer=0"}
"""Kernels whose hrtimer is looked at here."""


@pytest.mark.parametrize(
    ("name", "expired", "next_one"), [("v4.7", 0, 0), ("v4.10", 0, 0), ("v4.19", 1, 1), ("v6.1", 1, 1)]
)
def test_a_period_that_is_over_when_its_hrtimer_is_started(name: str, expired: int, next_one: int) -> None:
    """start_sw_period: v4.10 leaves it to the hrtimer; v4.19 expires it by hand, and starts the next one."""
    made = bench(NO_HV[name], Mode.PERIODIC, rate=BROKEN)
    made.write("c", 10_000)
    made.s[made.timer.tsc.host] += 10_001
    made.call("s")
    assert made.s[made.timer.pending] + made.s[made.timer.injected] == expired
    assert made.s[made.timer.hrtimer.expires] == START + 10_000 * (1 + next_one)


@pytest.mark.parametrize("name", ["v4.10", "v4.19", "v6.1"])
@pytest.mark.parametrize("late", [0, 1])
def test_a_count_that_is_just_over_when_its_hrtimer_is_started(name: str, late: int) -> None:
    """start_sw_period asks ktime_after, which is strict: at its very end the hrtimer is queued, and due."""
    made = bench(NO_HV[name], Mode.ONE_SHOT, rate=BROKEN)
    made.write("c", 10_000)
    made.s[made.timer.hrtimer.expires] = -1
    made.s[made.timer.tsc.host] += 10_000 + late
    made.call("s")
    assert made.s[made.timer.pending] + made.s[made.timer.injected] == late
    assert made.s[made.timer.hrtimer.expires] == (-1 if late else START + 10_000)


@pytest.mark.parametrize("name", ["v4.7", "v4.10", "v4.19"])
def test_an_advance_longer_than_the_host_is_up_loses_no_alarm(name: str) -> None:
    """The hrtimer is overdue and in its queue: no expiry of it is taken for "in none"."""
    made = bench(name, Mode.TSC_DEADLINE, rate=BROKEN, advance=1_000_000)
    made.write("d", START + 1_000)
    assert made.holders() == (False, True) and made.ends() <= START


@pytest.mark.parametrize(("name", "expired"), [("v4.10", 0), ("v4.19", 0), ("v6.1", 1)])
def test_a_deadline_nearer_than_the_advance(name: str, expired: int) -> None:
    """start_sw_tscdeadline: v4.10 and v4.19 start an hrtimer that is overdue; v6.1 expires it by hand."""
    made = bench(NO_HV[name], Mode.TSC_DEADLINE, rate=BROKEN, khz=1_000_000, advance=1_000)
    made.write("d", START + 600)
    assert made.s[made.timer.pending] + made.s[made.timer.injected] == expired
    assert made.s[made.timer.hrtimer.expires] == (-1 if expired else START - 400)


@pytest.mark.parametrize("name", HV_KERNELS[:-1])
def test_without_a_hook_nobody_goes_back_to_it(name: str) -> None:
    """vmx_post_block asks for set_hv_timer first: an hrtimer that is queued is left alone."""
    made = bench(name, Mode.TSC_DEADLINE, rate=BROKEN)
    made.write("d", DEADLINE)
    made.s[made.timer.tsc.host] = DEADLINE + 1
    made.call("p")
    assert made.holders() == (False, True) and not made.s[made.timer.pending]


def test_a_period_that_is_over_keeps_the_preemption_timer() -> None:
    """v4.19 start_hv_timer: only a deadline or a single count that has passed expires by hand."""
    made = bench("v4.19", Mode.PERIODIC)
    made.write("c", 10_000)
    made.s[made.timer.tsc.host] += 10_000
    made.call("p")
    assert made.holders() == (True, False) and not made.s[made.timer.pending]


@pytest.mark.parametrize(
    ("name", "holders", "pending"),
    [
        ("64672c9", (False, False), 1),
        ("v4.10", (True, False), 0),
        ("v4.18", (False, False), 1),
        ("v4.19", (False, False), 1),
    ],
)
def test_a_move_behind_the_deadline(name: str, holders: tuple[bool, bool], pending: int) -> None:
    """kvm_arch_vcpu_load: as merged it does not fit, and expires; v4.10 sets the hv timer to 0 again; since
    2018 it expires there."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.s[made.timer.tsc.host] = DEADLINE + 1
    made.call("m")
    assert (made.holders(), made.s[made.timer.pending]) == (holders, pending)


def test_v4_10_gives_up_the_preemption_timer_where_an_expiry_is_pending() -> None:
    """start_hv_timer: there is nothing to wait for, and the one that is set would fire all the same."""
    made = bench("v4.10", Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.s[made.timer.pending] = 1
    made.call("p")
    assert made.holders() == (False, False)


@pytest.mark.parametrize("name", ["v4.10", "v4.19", "v6.1"])
def test_the_next_period_is_armed_while_an_expiry_is_pending(name: str) -> None:
    """start_hv_timer, and v6.1's restart_apic_timer: a periodic timer goes on."""
    made = bench(name, Mode.PERIODIC)
    made.write("c", 10_000)
    made.s[made.timer.in_use], made.s[made.timer.hv_deadline], made.s[made.timer.pending] = 0, -1, 1
    made.call("h")
    assert made.holders() == (True, False)


@pytest.mark.parametrize(("letter", "rate", "told"), [("h", 0, [0]), ("g", BROKEN, [])])
def test_v4_10_tells_of_a_hv_timer_given_up_only_where_there_is_one(
    letter: str, rate: int, told: list[int]
) -> None:
    """start_hv_timer prints whatever it comes to; start_apic_timer calls it only if the hook is there."""
    made = bench("v4.10", Mode.TSC_DEADLINE, rate=rate)
    made.write("d", DEADLINE)
    made.s[made.timer.pending] = 1
    fired = made.events(letter)
    assert [fields["hv_timer_in_use"] for name, fields in fired if name == "kvm_hv_timer_state"] == told


def test_without_apicv_an_interrupt_of_the_timer_is_an_event() -> None:
    """__apic_accept_irq: into IRR, and KVM_REQ_EVENT, so that the entry looks."""
    made = bench("v6.1", Mode.TSC_DEADLINE)
    guest = replace(made.vcpu.guests[0], apicv=None)
    deliver(made.s, replace(made.vcpu, guests=(guest,)))
    assert made.s[guest.cpu.irr] == bit(VECTOR) and made.s[made.vcpu.requests] & KVM_REQ_EVENT


def test_the_two_clocks_of_a_period() -> None:
    """advance_periodic_target_expiration: v4.10 adds up roundings, v4.19 asks the host's clock."""
    off = []
    for advance in (next_period_4_10, next_period):
        made = bench("v4.19", Mode.PERIODIC, ratio=(1 << 48) // 3)
        made.s[made.timer.period], made.s[made.timer.target] = 1_000, START + 1_000
        made.s[made.timer.tscdeadline] = (START + 1_000) // 3
        for _ in range(30):
            advance(made.s, made.vcpu)
        off.append(made.s[made.timer.target] // 3 - made.s[made.timer.tscdeadline])
    assert off[0] > 8 and abs(off[1]) <= 1


@pytest.mark.parametrize(("name", "kept"), [("v4.7", False), ("v4.19", True), ("v6.1", True)])
def test_between_one_shot_and_periodic(name: str, kept: bool) -> None:
    """Since 2017 the count goes on; and writing the mode that it has never does anything."""
    made = bench(name, Mode.ONE_SHOT)
    made.write("c", 10_000)
    assert made.holders() in [(True, False), (False, True)]
    made.write("l", Mode.ONE_SHOT << 17 | VECTOR | MASKED)
    assert any(made.holders())
    made.write("l", Mode.PERIODIC << 17 | VECTOR)
    assert any(made.holders()) == kept


@pytest.mark.parametrize("name", ["v4.7", "v4.10", "v4.19", "v6.1"])
@pytest.mark.parametrize("mode", [Mode.ONE_SHOT, Mode.PERIODIC])
def test_the_current_count(name: str, mode: Mode) -> None:
    """It falls with time, from the initial count; 0 stops it."""
    made = bench(name, mode)
    made.write("c", 10_000)
    assert current_count(made.s, made.vcpu) in (0, 10_000)  # the whole period is its own remainder
    made.s[made.timer.tsc.host] += 4_000
    assert current_count(made.s, made.vcpu) == 6_000
    made.write("c", 0)
    assert current_count(made.s, made.vcpu) == 0 and not made.holders()[1]


@pytest.mark.parametrize("name", ["v4.7", *HV_KERNELS, "v6.1+preemption-timer=0"])
@pytest.mark.parametrize("deadline", [0, DEADLINE])
@pytest.mark.parametrize("pending", [0, 1])
def test_a_count_in_deadline_mode_changes_nothing(name: str, deadline: int, pending: int) -> None:
    """Read in 4.10.17, 4.19, 6.1, kvm_lapic_reg_write: the write is left before anything is cancelled."""
    made = bench(name, Mode.TSC_DEADLINE)
    if deadline:
        made.write("d", deadline)
    made.s[made.timer.pending] = pending
    before = made.aside("c")
    for count in (10_000, 0):
        made.write("c", count)
        assert made.aside("c") == before
    assert any(made.holders()) == bool(deadline) and current_count(made.s, made.vcpu) == 0


def test_a_period_has_a_minimum() -> None:
    """min_timer_period_us holds for periodic counts only."""
    for mode, cycles in ((Mode.PERIODIC, 7_000), (Mode.ONE_SHOT, 500)):
        made = bench("v6.1", mode, min_period=7_000)
        made.write("c", 500)
        assert made.s[made.timer.period] == cycles


@pytest.mark.parametrize("name", ["v4.19", "v6.1"])
def test_a_count_that_becomes_periodic_has_the_minimum_too(name: str) -> None:
    """limit_periodic_timer_frequency is called at a change of mode as well."""
    made = bench(name, Mode.ONE_SHOT, min_period=7_000)
    made.write("c", 500)
    made.write("l", Mode.PERIODIC << 17 | VECTOR)
    assert made.s[made.timer.period] == 7_000


LATE = [("v4.10", (True, False)), *((name, (False, True)) for name in ("v4.18", "v4.19", "v6.1"))]
"""Kernels, and which of hv timer and hrtimer has a period that is over when it begins."""


@pytest.mark.parametrize("late", [10_500, 30_500, 10_000_500])
@pytest.mark.parametrize(("name", "holders"), LATE)
def test_a_period_that_is_over_when_it_begins(name: str, holders: tuple[bool, bool], late: int) -> None:
    """advance_periodic_target_expiration, behind the hv timer's exit: who has the next period.

    v4.10 adds a period, so that the deadline lies in the past and the timer is armed with 0. Since 4.18 (read
    in 4.18, 4.19, 6.1) it is computed from what is left, and less than nothing is taken for very much.
    """
    made = bench(name, Mode.PERIODIC)
    made.write("c", 10_000)
    assert made.holders() == (True, False)
    made.s[made.timer.tsc.host] = now = made.ends() + late
    made.call("x")
    assert made.holders() == holders
    assert made.s[made.timer.hv_deadline] == (now if holders[0] else -1)


@pytest.mark.parametrize(("name", "holders"), LATE)
def test_a_period_that_has_still_to_end(name: str, holders: tuple[bool, bool]) -> None:
    """Late by less than a period: every kernel stays on the preemption timer, for what is left."""
    made = bench(name, Mode.PERIODIC)
    made.write("c", 10_000)
    made.s[made.timer.tsc.host] = made.ends() + 9_999
    made.call("x")
    assert made.holders() == (True, False) and made.s[made.timer.hv_deadline] == START + 20_000
