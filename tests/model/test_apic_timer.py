"""The local APIC's timer: one-shot, periodic and deadline mode, the current count, and what disarms."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timer_bench import ROWS

from kvmlab.errors import BadInput
from kvmlab.machine.state import Cell, Layout
from kvmlab.processor import apic_timer
from kvmlab.processor.apic_timer import MASKED, ApicTimer, Clock, Mode

VECTOR = 0xEF
BY_1 = 0xB
"""Divide configuration: by 1."""
ONE_CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Bench:
    """A timer, its state, and the interrupts it made, by TSC."""

    s: list[int]
    timer: ApicTimer
    tsc: Cell
    fired: list[int]

    def wait(self, cycles: int) -> None:
        """Let time pass; the timer fires whenever it is due."""
        end = self.s[self.tsc] + cycles
        while 0 <= self.s[self.timer.expires] <= end:
            self.s[self.tsc] = max(self.s[self.tsc], self.s[self.timer.expires])
            if apic_timer.fire(self.s, self.timer):
                self.fired.append(self.s[self.tsc])
        self.s[self.tsc] = end

    def mode(self, mode: Mode) -> None:
        """Write the LVT timer register."""
        apic_timer.write_lvtt(self.s, self.timer, mode << 17 | VECTOR)

    def start(self, count: int) -> None:
        """Write the initial count."""
        apic_timer.write_tmict(self.s, self.timer, count)

    def arm(self, deadline: int) -> None:
        """Write IA32_TSC_DEADLINE."""
        apic_timer.write_deadline(self.s, self.timer, deadline)

    @property
    def count(self) -> int:
        """The current count."""
        return apic_timer.current_count(self.s, self.timer)

    @property
    def msr(self) -> int:
        """IA32_TSC_DEADLINE."""
        return apic_timer.read_deadline(self.s, self.timer)


def bench(mode: Mode, clock: Clock = ONE_CLOCK, tdcr: int = BY_1) -> Bench:
    """Return a timer at TSC 1000, unmasked, with vector 0xef."""
    layout = Layout()
    tsc = layout.add("tsc", 1000)
    b = Bench([], layout.record(ApicTimer, "apic", tsc=tsc, clock=clock, tdcr=tdcr), tsc, [])
    b.s.extend(layout.start())
    b.mode(mode)
    return b


def test_an_expiry_that_is_taken_late_does_not_shift_the_next_one() -> None:
    """The count starts over when it reaches 0, not when somebody looks."""
    b = bench(Mode.PERIODIC)
    b.start(1000)
    b.s[b.tsc] += 1300
    assert apic_timer.fire(b.s, b.timer) == VECTOR and b.s[b.timer.expires] == 3000


def test_one_shot_fires_once_and_not_early() -> None:
    """AP-10: one interrupt, 0x10000 cycles later, and no other."""
    b = bench(Mode.ONE_SHOT)
    b.start(0x10000)
    b.wait(0xFFFF)
    assert b.fired == []
    b.wait(1 << 30)
    assert b.fired == [1000 + 0x10000] and "AP-10" in ROWS


def test_changing_the_mode_keeps_the_initial_count() -> None:
    """AP-11: one-shot to periodic and back leaves the initial count."""
    b = bench(Mode.ONE_SHOT)
    b.start(0x999999)
    b.mode(Mode.PERIODIC)
    assert b.s[b.timer.tmict] == 0x999999 and "AP-11" in ROWS


def test_one_shot_counts_to_0_and_stops() -> None:
    """AP-12: the current count falls to 0 and stays there."""
    b = bench(Mode.ONE_SHOT)
    b.start(500)
    counts = []
    for _ in range(4):
        counts.append(b.count)
        b.wait(200)
    assert counts == [500, 300, 100, 0] and "AP-12" in ROWS


def test_periodic_reloads() -> None:
    """AP-14: right behind the wrap the current count is near the initial one; an interrupt each period."""
    b = bench(Mode.PERIODIC)
    b.start(500)
    b.wait(501)
    assert b.count == 499 > 500 // 2 and "AP-14" in ROWS
    b.wait(1999)
    assert b.fired == [1500, 2000, 2500, 3000, 3500]


def test_periodic_to_one_shot_half_way() -> None:
    """AP-15: the count goes on from where it is, reaches 0, and stays."""
    b = bench(Mode.PERIODIC)
    b.start(500)
    b.wait(300)
    b.mode(Mode.ONE_SHOT)
    assert b.count == 200 < 500 // 2
    b.wait(5000)
    assert (b.count, b.fired) == (0, [1500]) and "AP-15" in ROWS


def test_the_deadline_reads_0_after_it_fired() -> None:
    """AP-18: armed it reads back, fired it is 0: the timer has disarmed itself."""
    b = bench(Mode.TSC_DEADLINE)
    b.arm(2000)
    assert b.msr == 2000
    b.wait(1000)
    assert (b.msr, b.fired) == (0, [2000]) and "AP-18" in ROWS


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_deadlines_in_a_row_are_never_early(deltas: list[int]) -> None:
    """AP-19: whoever arms the next one in the handler sees each at its deadline or later."""
    b = bench(Mode.TSC_DEADLINE)
    for n, delta in enumerate(deltas, 1):
        deadline = b.s[b.tsc] + delta
        b.arm(deadline)
        b.wait(delta + 3)
        assert len(b.fired) == n and b.fired[-1] >= deadline and "AP-19" in ROWS


def test_a_busy_guest_gets_one_interrupt() -> None:
    """AP-20: armed 3000 cycles ahead, spinning: one."""
    b = bench(Mode.TSC_DEADLINE)
    b.arm(b.s[b.tsc] + 3000)
    b.wait(1 << 20)
    assert len(b.fired) == 1 and "AP-20" in ROWS


def test_a_deadline_in_the_past_fires_at_once() -> None:
    """At most one interrupt a write, and no later than the write."""
    b = bench(Mode.TSC_DEADLINE)
    b.arm(1)
    assert apic_timer.due(b.s, b.timer)
    b.wait(0)
    assert b.fired == [1000]


@pytest.mark.parametrize("mode", list(Mode))
def test_writing_0_disarms(mode: Mode) -> None:
    """0 is off, not "at TSC 0"; the same for the initial count."""
    b = bench(mode)
    for value in (500, 0):
        b.arm(value)
        b.start(value)
    b.wait(1 << 20)
    assert (b.fired, b.count, b.msr) == ([], 0, 0)


@pytest.mark.parametrize("old", list(Mode))
@pytest.mark.parametrize("new", list(Mode))
def test_only_a_switch_to_or_from_deadline_mode_disarms(old: Mode, new: Mode) -> None:
    """Between one-shot and periodic the count goes on."""
    b = bench(old)
    b.arm(5000)
    b.start(4000)
    b.mode(new)
    b.wait(4000)
    assert bool(b.fired) == ((old == Mode.TSC_DEADLINE) == (new == Mode.TSC_DEADLINE))


def test_each_register_is_deaf_in_the_other_modes() -> None:
    """In deadline mode the initial count is ignored and the current one 0; in the others the MSR is."""
    b = bench(Mode.TSC_DEADLINE)
    b.start(500)
    assert (b.count, b.s[b.timer.tmict], b.s[b.timer.expires]) == (0, 0, -1)
    c = bench(Mode.ONE_SHOT)
    c.arm(5000)
    assert (c.msr, c.s[c.timer.expires]) == (0, -1)


def test_a_masked_timer_counts_without_a_word() -> None:
    """The mask suppresses the interrupt, not the count."""
    b = bench(Mode.ONE_SHOT)
    apic_timer.write_lvtt(b.s, b.timer, MASKED | VECTOR)
    b.start(500)
    b.wait(500)
    assert (b.fired, b.s[b.timer.expires]) == ([], -1)


@pytest.mark.parametrize(
    ("tdcr", "divisor"), [(0, 2), (1, 4), (2, 8), (3, 16), (8, 32), (9, 64), (0xA, 128), (0xB, 1)]
)
def test_the_divide_configuration(tdcr: int, divisor: int) -> None:
    """Bits 3, 1 and 0: 2, 4, ... 128, and 111 is 1; a count takes that many bus ticks."""
    assert apic_timer.divide_by(tdcr) == apic_timer.divide_by(tdcr | 4) == divisor
    b = bench(Mode.ONE_SHOT, tdcr=tdcr)
    b.start(10)
    b.wait(1 << 20)
    assert b.fired == [1000 + 10 * divisor]


def test_the_bus_clock_is_not_the_tsc() -> None:
    """200000 counts of a 1 GHz bus are 40000 cycles of a 200 MHz TSC, as in the recorded traces."""
    b = bench(Mode.ONE_SHOT, Clock(tsc_khz=200_000, bus_khz=1_000_000))
    b.start(200_000)
    b.wait(1 << 20)
    assert b.fired == [1000 + 40_000]


def test_the_reserved_mode_is_refused() -> None:
    """Mode 3 names what may stand there."""
    with pytest.raises(BadInput, match="0, 1 or 2"):
        apic_timer.mode_of(3 << 17)


def test_every_row_is_asked() -> None:
    """Each row of the category stands in the docstring of a test here."""
    told = " ".join(str(f.__doc__) for name, f in globals().items() if name.startswith("test_"))
    assert [row for row, it in ROWS.items() if it["area"] == "apic" and row not in told] == []
