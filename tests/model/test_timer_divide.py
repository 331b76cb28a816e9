"""A write of the divide configuration while a count runs: the processor's, and KVM's in each kernel.

The oracle counts in whole counts: time passes in steps that every divisor divides, so nothing is rounded.
What is asserted of v4.10, v4.18, v4.19 and v6.1 was read there (lapic.c kvm_lapic_reg_write,
update_target_expiration); 64672c9 and v4.7 are older than c301b909e4b9, which brought it.
"""

from dataclasses import dataclass, field

import pytest
from functions_bench import DEADLINE, START, bench
from hypothesis import given, settings
from hypothesis import strategies as st

from kvmlab.kvm.timer_msrs import current_count
from kvmlab.kvm.timer_records import BROKEN
from kvmlab.machine.state import Layout
from kvmlab.processor import apic_timer
from kvmlab.processor.apic_timer import ApicTimer, Mode, divide_by
from kvmlab.scenarios.timer_parts import VECTOR

OLD, NEW = ["v4.7", "64672c9", "v4.10", "b95234c"], ["v4.18", "d264ee0", "v4.19", "v6.1"]
TDCR = {1: 0xB, 2: 0, 4: 1, 8: 2, 16: 3, 32: 8, 64: 9, 128: 0xA}
"""Divisor -> register; every one of them divides 128."""
COUNTS = [Mode.ONE_SHOT, Mode.PERIODIC]


@dataclass(slots=True)
class Counter:
    """The oracle: a down-counter that is clocked once in ``divisor`` ticks; a new divisor is just that."""

    initial: int
    periodic: bool
    divisor: int = 1
    now: int = 0
    count: int = field(init=False)
    rang: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.count = self.initial

    def wait(self, ticks: int) -> None:
        """Let so many ticks pass, one count after the other."""
        for _ in range(ticks // self.divisor):
            self.now += self.divisor
            if self.count:
                self.count -= 1
                if not self.count:
                    self.rang.append(self.now)
                    self.count = self.initial if self.periodic else 0


Writes = st.lists(st.tuples(st.sampled_from(sorted(TDCR)), st.integers(0, 6)), max_size=8)
"""A new divisor, and how many times 128 ticks pass before the next one."""


@given(st.integers(1, 900), st.sampled_from(COUNTS), Writes)
def test_the_processor_counts_on_at_the_new_rate(
    count: int, mode: Mode, writes: list[tuple[int, int]]
) -> None:
    """Whatever divisors come: the count at each moment, and every interrupt, is the counter's."""
    layout = Layout()
    tsc = layout.add("tsc", START)
    timer = layout.record(ApicTimer, "apic", tsc=tsc, tdcr=TDCR[1], lvtt=mode << 17 | VECTOR)
    s, counter, rang = list(layout.start()), Counter(count, mode == Mode.PERIODIC), []
    apic_timer.write_tmict(s, timer, count)
    for divisor, passes in writes:
        counter.divisor = divisor
        apic_timer.write_tdcr(s, timer, TDCR[divisor])
        counter.wait(128 * passes)
        end = s[tsc] + 128 * passes
        while 0 <= s[timer.expires] <= end:
            s[tsc] = s[timer.expires]
            rang += [s[tsc] - START] * bool(apic_timer.fire(s, timer))
        s[tsc] = end
        assert (apic_timer.current_count(s, timer), rang) == (counter.count, counter.rang)


def test_a_divisor_leaves_a_deadline_alone() -> None:
    """Nothing is divided in deadline mode, and nothing starts where nothing counts."""
    for mode, expires in ((Mode.TSC_DEADLINE, DEADLINE), (Mode.TSC_DEADLINE, -1), (Mode.ONE_SHOT, -1)):
        layout = Layout()
        lvtt = mode << 17 | VECTOR
        timer = layout.record(ApicTimer, "apic", tsc=layout.add("tsc", START), lvtt=lvtt, expires=expires)
        s = list(layout.start())
        apic_timer.write_tdcr(s, timer, TDCR[128])
        assert s[timer.expires] == expires


@settings(max_examples=25)
@given(
    st.sampled_from(NEW), st.sampled_from([0, BROKEN]), st.integers(1, 900), st.sampled_from(COUNTS), Writes
)
def test_since_2017_kvm_does_as_the_processor(
    name: str, rate: int, count: int, mode: Mode, writes: list[tuple[int, int]]
) -> None:
    """On either timer: the current count and every interrupt are the counter's."""
    made, counter, rang = bench(name, mode, rate=rate), Counter(count, mode == Mode.PERIODIC), []
    made.write("c", count)
    for divisor, passes in writes:
        if not counter.count:
            break  # a single shot that is over: see below
        counter.divisor = divisor
        made.write("v", TDCR[divisor])
        counter.wait(128 * passes)
        while any(made.holders()) and made.ends() <= START + counter.now:
            rang.append(made.expire())
        made.s[made.timer.tsc.host] = START + counter.now
        assert (current_count(made.s, made.vcpu), rang) == (counter.count % count, counter.rang)
        assert made.holders() == ((False, False) if not counter.count else (rate == 0, rate != 0))


@pytest.mark.parametrize("name", OLD)
@pytest.mark.parametrize("mode", COUNTS)
def test_until_then_the_count_ends_when_it_would_have(name: str, mode: Mode) -> None:
    """Read in 4.10.17: update_divide_count alone. The current count jumps, timer and period stay."""
    made = bench(name, mode)
    made.write("c", 10_000)
    made.s[made.timer.tsc.host] += 4_000
    before = made.holders(), made.ends(), made.s[made.timer.period]
    made.write("v", TDCR[4])
    assert (made.holders(), made.ends(), made.s[made.timer.period]) == before
    assert current_count(made.s, made.vcpu) == 6_000 // 4
    assert made.expire() == 10_000
    assert mode == Mode.ONE_SHOT or made.expire() == 20_000
    made.write("c", 10_000)
    assert made.s[made.timer.period] == 40_000


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize(("rate", "divisor"), [(0, 4), (0, 1), (BROKEN, 4)])
def test_the_registers_of_a_new_divisor(name: str, rate: int, divisor: int) -> None:
    """The end, the period and the guest's own clock move; a count that is stopped starts nothing."""
    made = bench(name, Mode.ONE_SHOT, rate=rate, ratio=(1 << 48) // 2)
    made.write("c", 10_000)
    made.s[made.timer.tsc.host] += 4_000
    made.write("v", TDCR[divisor])
    t, left = made.timer, 6_000 * divisor
    assert (made.s[t.period], made.s[t.target]) == (10_000 * divisor, START + 4_000 + left)
    assert made.s[t.tscdeadline] == (START + 4_000 + left) // 2 and made.ends() == START + 4_000 + left
    made.write("c", 0)
    made.s[t.in_use] = 0  # v4.19 leaves the hv timer set: B.6
    before = made.holders(), made.s[t.period], made.s[t.tscdeadline]
    made.write("v", TDCR[16])
    assert (made.holders(), made.s[t.period], made.s[t.tscdeadline]) == before == ((False, False), 0, 0)


@pytest.mark.parametrize("name", [*OLD, *NEW])
@pytest.mark.parametrize("mode", [*COUNTS, Mode.TSC_DEADLINE])
def test_the_same_divisor_changes_nothing(name: str, mode: Mode) -> None:
    """Linux writes it before every count; bit 2 is reserved, and none of it."""
    made = bench(name, mode)
    made.write("d" if mode == Mode.TSC_DEADLINE else "c", DEADLINE)
    made.s[made.timer.tsc.host] += 4_000
    before = made.aside("v", made.timer.tdcr)
    for tdcr in (TDCR[1], TDCR[1] | 4):
        made.write("v", tdcr)
        assert made.s[made.timer.tdcr] == tdcr and any(made.holders())
        assert made.aside("v", made.timer.tdcr) == before
    if mode == Mode.ONE_SHOT:
        made.expire()
        made.write("v", TDCR[1])
        assert made.holders() == (False, False) and not made.s[made.timer.pending]


@pytest.mark.parametrize("name", [*OLD, *NEW])
def test_no_divisor_touches_a_deadline(name: str) -> None:
    """A deadline is in cycles of the TSC; leaving count mode has left no period."""
    made = bench(name, Mode.ONE_SHOT)
    made.write("c", 10_000)
    made.write("c", 0)
    made.write("l", Mode.TSC_DEADLINE << 17 | VECTOR)
    made.write("d", DEADLINE)
    before = made.holders(), made.s[made.timer.tscdeadline]
    made.write("v", TDCR[16])
    assert (made.holders(), made.s[made.timer.tscdeadline]) == before and any(made.holders())


@pytest.mark.parametrize(("name", "again"), [*((n, 0) for n in OLD), *((n, 1) for n in NEW)])
@pytest.mark.parametrize("rate", [0, BROKEN])
def test_a_divisor_behind_a_single_shot_that_is_over(name: str, again: int, rate: int) -> None:
    """By reading 4.19 and 6.1: its period is left, so it expires once more, where the processor does nothing.

    kvm_inject_apic_timer_irqs forgets the end of the count only: what is left of it is 0, and passes at once.
    """
    made = bench(name, Mode.ONE_SHOT, rate=rate)
    made.write("c", 10_000)
    made.expire()
    made.s[made.timer.tsc.host] += 500
    assert made.s[made.timer.injected] == 1 and made.holders() == (False, False)
    made.write("v", TDCR[16])
    if any(made.holders()):
        made.expire()
    made.call("t")
    assert made.s[made.timer.injected] == 1 + again and made.holders() == (False, False)


@pytest.mark.parametrize("name", NEW)
def test_a_new_divisor_waits_for_a_callback_that_runs(name: str) -> None:
    """hrtimer_cancel first: what the callback makes the next period of is stretched behind it."""
    made = bench(name, Mode.PERIODIC, rate=BROKEN)
    made.write("c", 10_000)
    made.s[made.timer.hrtimer.running] = 1
    made.begin("v", TDCR[2])
    assert made.s[made.timer.period] == 10_000 and divide_by(made.s[made.timer.tdcr]) == 1


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("rate", [0, BROKEN])
def test_a_period_that_is_over_has_nothing_left(name: str, rate: int) -> None:
    """Less than nothing is not stretched: it expires at once, and a new period begins with the write."""
    made = bench(name, Mode.PERIODIC, rate=rate)
    made.write("c", 10_000)
    made.s[made.timer.tsc.host] += 10_100
    made.write("v", TDCR[4])
    assert made.s[made.timer.target] == START + 10_100
    assert (made.expire(), made.expire()) == (10_100, 50_100)


def test_the_new_period_has_a_minimum_too() -> None:
    """update_target_expiration calls limit_periodic_timer_frequency; what is left of this one is not."""
    for mode, period in ((Mode.PERIODIC, 7_000), (Mode.ONE_SHOT, 5_000)):
        made = bench("v6.1", mode, min_period=7_000)
        made.write("v", TDCR[2])
        made.write("c", 5_000)
        made.write("v", TDCR[1])
        assert (made.s[made.timer.period], made.ends()) == (period, START + 5_000)


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("rate", [0, BROKEN])
def test_a_new_divisor_while_an_expiry_is_pending(name: str, rate: int) -> None:
    """Nothing is left of a single shot: no timer, and the one interrupt."""
    made = bench(name, Mode.ONE_SHOT, rate=rate)
    made.write("c", 10_000)
    made.s[made.timer.tsc.host] += 10_000
    made.s[made.timer.pending], made.s[made.timer.hrtimer.expires] = 1, -1
    made.s[made.timer.in_use] = 0
    made.write("v", TDCR[16])
    assert made.holders() == (False, False) and current_count(made.s, made.vcpu) == 0
    made.call("t")
    assert made.s[made.timer.injected] == 1
