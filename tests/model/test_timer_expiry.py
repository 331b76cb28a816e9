"""How a timer expires in v6.1, and with posted timers: truth tables of apic_timer_expired and apic_timer_fn.

The oracle is written down from v6.1 lapic.c apic_timer_expired, kvm_apic_inject_pending_timer_irqs and
kvm_main.c kvm_vcpu_kick, as one expected state for every value of what they look at.
"""

import pytest
from functions_bench import DEADLINE, START, Bench, bench

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kvm.mode import EXITING_GUEST_MODE, IN_GUEST_MODE, OUTSIDE_GUEST_MODE
from kvmlab.kvm.requests import KVM_REQ_PENDING_TIMER
from kvmlab.kvm.timer_records import BROKEN
from kvmlab.processor.apic_timer import MASKED, Mode
from kvmlab.processor.apicv import page
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, RESCHEDULE_VECTOR, bit
from kvmlab.scenarios.timer_parts import VECTOR

POSTED = "v6.1+pi-inject-timer=1"
MODES = (OUTSIDE_GUEST_MODE, IN_GUEST_MODE, EXITING_GUEST_MODE)
PERIOD = 10_000


def expiring(name: str, mode: Mode, *, apicv: bool = True, rate: int = BROKEN) -> Bench:
    """Return a vCPU whose timer is due: it has left the hrtimer's queue, or is the hv timer's."""
    made = bench(name, mode, apicv=apicv, rate=rate)
    made.write("d" if mode == Mode.TSC_DEADLINE else "c", DEADLINE if mode == Mode.TSC_DEADLINE else PERIOD)
    made.s[made.timer.tsc.host] = made.ends()
    made.s[made.timer.hrtimer.expires] = -1
    return made


def told(made: Bench, before: list[int]) -> dict[str, int]:
    """Return what has changed, by cell; where functions stand is left out."""
    letters = {f"{letter}.at" for letter in made.system.pc}
    infos = zip(made.system.layout.cells, before, made.s, strict=True)
    return {info.name: new for info, old, new in infos if old != new and info.name not in letters}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("vcpu_mode", MODES)
@pytest.mark.parametrize("away", [0, 1])
@pytest.mark.parametrize("pending", [0, 1])
def test_the_hrtimers_callback(mode: Mode, vcpu_mode: int, away: int, pending: int) -> None:
    """Pending, a request, a wake-up, and a kick for a guest on another CPU; the next period in any case."""
    made = expiring("v6.1", mode)
    t, vcpu = made.timer, made.vcpu
    made.s[t.hrtimer.away], made.s[vcpu.mode], made.s[vcpu.halt.waiting] = away, vcpu_mode, 1
    made.s[t.pending] = pending
    before, expected = list(made.s), {}
    made.call("f")
    if not pending:
        expected = {"timer.pending": 1, "vcpu.requests": KVM_REQ_PENDING_TIMER, "halt.waiting": 0}
        if mode == Mode.TSC_DEADLINE:
            expected["timer.expired"] = DEADLINE
        if away and vcpu_mode == IN_GUEST_MODE:
            expected |= {"vcpu.mode": EXITING_GUEST_MODE, "L0.irr": bit(RESCHEDULE_VECTOR)}
    if mode == Mode.PERIODIC:
        expected |= dict.fromkeys(("timer.target", "hrtimer.expires"), START + 2 * PERIOD)
        expected["timer.tscdeadline"] = START + 2 * PERIOD
    assert told(made, before) == expected


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("in_use", [0, 1])
@pytest.mark.parametrize(("pending", "masked"), [(0, 0), (0, MASKED), (1, 0)])
def test_in_the_vcpus_own_thread(mode: Mode, in_use: int, pending: int, masked: int) -> None:
    """With APICv at once, posted without a notification; masked, nothing but the end of the deadline."""
    made = expiring("v6.1", mode)
    t, a = made.timer, page(made.vcpu.guests[0])
    made.s[t.in_use], made.s[t.pending] = in_use, pending
    made.s[t.lvtt] |= masked
    before, expected = list(made.s), {}
    made.call("a")
    if not pending:
        names = {a.pir: "apicv.pir", a.on: "apicv.on"}
        expected = {} if masked else {names[a.pir]: bit(VECTOR), names[a.on]: 1, "timer.injected": 1}
        if mode == Mode.TSC_DEADLINE or in_use:
            expected["timer.expired"] = before[t.tscdeadline]
        if mode != Mode.PERIODIC:
            expected["timer.tscdeadline"] = 0
        if mode == Mode.ONE_SHOT:
            expected["timer.target"] = -1
    assert told(made, before) == expected


@pytest.mark.parametrize("pending", [0, 1])
def test_in_the_vcpus_own_thread_without_apicv(pending: int) -> None:
    """Pending and a request: the tail makes the interrupt; nobody sleeps who would have to be woken."""
    made = expiring("v6.1", Mode.TSC_DEADLINE, apicv=False)
    made.s[made.timer.pending] = pending
    before = list(made.s)
    made.call("a")
    new = {"timer.pending": 1, "vcpu.requests": KVM_REQ_PENDING_TIMER, "timer.expired": DEADLINE}
    assert told(made, before) == ({} if pending else new)


def test_what_the_trace_tells_of_an_expiry() -> None:
    """The vector is accepted where it is delivered: in the thread with APICv, else in the tail."""
    for apicv, early in ((True, ["kvm_apic_accept_irq", "kvm_apicv_accept_irq"]), (False, [])):
        made = expiring("v6.1", Mode.TSC_DEADLINE, apicv=apicv)
        assert [name for name, _ in made.events("a")] == early
        assert [name for name, _ in made.events("t")] == ([] if apicv else ["kvm_apic_accept_irq"])


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("masked", [0, MASKED])
@pytest.mark.parametrize("on", [0, 1])
def test_a_timer_is_posted_into_the_guest(mode: Mode, masked: int, on: int) -> None:
    """PIR, ON, and a notification if ON was clear; nothing pends, nobody is kicked; masked, nothing."""
    made = expiring(POSTED, mode)
    t, a, vcpu = made.timer, page(made.vcpu.guests[0]), made.vcpu
    made.s[t.lvtt] |= masked
    made.s[vcpu.mode], made.s[a.on], made.s[vcpu.halt.waiting] = IN_GUEST_MODE, on, 1
    before = list(made.s)
    made.call("f")
    expected = {} if masked else {"apicv.pir": bit(VECTOR), "timer.injected": 1}
    if not masked and not on:
        expected |= {"apicv.on": 1, "L0.irr": bit(POSTED_INTR_VECTOR)}
    if mode == Mode.TSC_DEADLINE:
        expected |= {"timer.expired": DEADLINE, "timer.tscdeadline": 0}
    elif mode == Mode.ONE_SHOT:
        expected |= {"timer.tscdeadline": 0, "timer.target": -1}
    else:
        following = ("timer.tscdeadline", "timer.target", "hrtimer.expires")
        expected |= dict.fromkeys(following, START + 2 * PERIOD)
    assert told(made, before) == expected


@pytest.mark.parametrize("vcpu_mode", [OUTSIDE_GUEST_MODE, EXITING_GUEST_MODE])
def test_outside_the_guest_a_posted_timer_is_an_old_one(vcpu_mode: int) -> None:
    """kvm_use_posted_timer_interrupt asks for IN_GUEST_MODE, and for nothing else; elsewhere: pending."""
    made = expiring(POSTED, Mode.TSC_DEADLINE)
    made.s[made.vcpu.mode], made.s[made.vcpu.halt.waiting] = vcpu_mode, 1
    before = list(made.s)
    made.call("f")
    expected = {"timer.pending": 1, "vcpu.requests": KVM_REQ_PENDING_TIMER, "halt.waiting": 0}
    assert told(made, before) == {**expected, "timer.expired": DEADLINE}


@pytest.mark.parametrize("pending", [0, 1])
def test_what_pends_is_not_posted_as_well(pending: int) -> None:
    """An expiry that finds one pending is dropped before anybody looks at the mode."""
    made = expiring(POSTED, Mode.TSC_DEADLINE)
    made.s[made.vcpu.mode], made.s[made.timer.pending] = IN_GUEST_MODE, pending
    made.call("f")
    assert made.s[made.timer.injected] == 1 - pending and made.s[made.timer.pending] == pending


def test_a_vcpu_that_leaves_meanwhile_is_woken_instead_of_notified() -> None:
    """kvm_vcpu_trigger_posted_interrupt looks at the mode again, behind ON."""
    made = expiring(POSTED, Mode.TSC_DEADLINE)
    a, vcpu = page(made.vcpu.guests[0]), made.vcpu
    made.s[vcpu.mode], made.s[vcpu.halt.waiting] = IN_GUEST_MODE, 1
    made.until("f", "TIMER.mode")
    assert (made.s[a.pir], made.s[a.on]) == (bit(VECTOR), 1)
    made.s[vcpu.mode] = OUTSIDE_GUEST_MODE
    made.rest("f")
    assert (made.s[vcpu.cpu.irr], made.s[vcpu.halt.waiting]) == (0, 0)


def test_a_kernel_without_the_parameter_is_told_so() -> None:
    """Posted timers are v5.3's: an older kernel has no pi_inject_timer to set."""
    with pytest.raises(BadInput, match="v4.19 has no pi_inject_timer"):
        kernel("v4.19+pi-inject-timer=1")


@pytest.mark.parametrize("advance", [0, 400])
def test_a_posted_timer_that_fires_early_waits_before_it_posts(advance: int) -> None:
    """__kvm_wait_lapic_expire: not before the deadline; without an advance nobody looks, nothing is told."""
    made = bench(POSTED, Mode.TSC_DEADLINE, khz=1_000_000, advance=advance)
    a, t = page(made.vcpu.guests[0]), made.timer
    made.write("d", DEADLINE)
    made.s[t.tsc.host], made.s[made.vcpu.mode], made.s[t.hrtimer.expires] = made.ends(), IN_GUEST_MODE, -1
    assert made.s[t.tsc.host] == DEADLINE - advance
    made.begin("f", 0)
    assert bool(made.s[a.pir]) == (not advance) and made.s[t.spin] == (DEADLINE if advance else -1)
    made.s[t.tsc.host] = DEADLINE
    if advance:
        made.rest("f")
    assert made.s[a.pir] == bit(VECTOR) and made.s[t.expired] == (0 if advance else DEADLINE)
