"""The local APIC's timer: one-shot, periodic, TSC deadline.

A count of the timer is ``divide`` ticks of the bus clock. Time is the TSC throughout, so a count is converted
when it starts, and what is left of it when the divisor changes; what the current count shows is computed when
it is read. Switching between deadline mode and the others disarms; between one-shot and periodic the count
goes on. Source: SDM vol. 3 (June 2016), "APIC Timer", "TSC-Deadline Mode"; the divide configuration from its
figure. That a new divisor does not make the current count jump is not said there, but was seen on hardware
(c301b909e4b9, "Apply change to TDCR right away to the timer").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from kvmlab.errors import BadInput
from kvmlab.machine.state import Cell, cell
from kvmlab.processor.records import show_point

IA32_TSC_DEADLINE = 0x6E0
X2APIC_LVTT, X2APIC_TMICT, X2APIC_TMCCT, X2APIC_TDCR = 0x832, 0x838, 0x839, 0x83E
X2APIC_SIVR = 0x80F
MASKED = 1 << 16
SOFTWARE_ENABLE = 1 << 8
"""Of the spurious-vector register."""


class Mode(IntEnum):
    """LVT timer bits 18:17; 3 is reserved."""

    ONE_SHOT = 0
    PERIODIC = 1
    TSC_DEADLINE = 2


def mode_of(lvtt: int) -> Mode:
    """Return the mode in an LVT timer register; raise BadInput for the reserved one."""
    if lvtt >> 17 & 3 == 3:
        raise BadInput(f"LVTT {lvtt:#x}: timer mode 3 is reserved; use 0, 1 or 2 in bits 18:17")
    return Mode(lvtt >> 17 & 3)


def divide_by(tdcr: int) -> int:
    """Return the divisor in a divide configuration register: bits 3, 1, 0, where 111 is 1."""
    return 1 << ((tdcr & 3 | tdcr >> 1 & 4) + 1 & 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The two clocks of a timer, in kHz: the TSC, and the bus clock that counts."""

    tsc_khz: int = 1_000_000
    bus_khz: int = 1_000_000

    def cycles(self, counts: int, divide: int) -> int:
        """Return so many counts as TSC cycles."""
        return counts * divide * self.tsc_khz // self.bus_khz

    def counts(self, cycles: int, divide: int) -> int:
        """Return how many whole counts there are in so many TSC cycles."""
        return cycles * self.bus_khz // self.tsc_khz // divide


@dataclass(frozen=True, slots=True, kw_only=True)
class ApicTimer:
    """The timer's registers; ``expires`` is the TSC of its next interrupt, -1 if it is disarmed.

    ``tsc`` is the cell of the TSC. ``tmict`` is the initial count; the current one is computed.
    """

    tsc: Cell
    clock: Clock = Clock()
    lvtt: Cell = cell(MASKED, hex)
    tmict: Cell = cell()
    tdcr: Cell = cell()
    expires: Cell = cell(-1, show_point, deadline=True)


def period(s: Sequence[int], timer: ApicTimer) -> int:
    """Return the initial count as TSC cycles."""
    return timer.clock.cycles(s[timer.tmict], divide_by(s[timer.tdcr]))


def write_lvtt(s: list[int], timer: ApicTimer, value: int) -> None:
    """Write the LVT timer register."""
    deadline_mode = Mode.TSC_DEADLINE
    if (mode_of(s[timer.lvtt]) == deadline_mode) != (mode_of(value) == deadline_mode):
        s[timer.expires] = -1
    s[timer.lvtt] = value


def write_tmict(s: list[int], timer: ApicTimer, value: int) -> None:
    """Write the initial count: start to count, 0 stops; ignored in deadline mode."""
    if mode_of(s[timer.lvtt]) != Mode.TSC_DEADLINE:
        s[timer.tmict] = value
        s[timer.expires] = s[timer.tsc] + period(s, timer) if value else -1


def write_tdcr(s: list[int], timer: ApicTimer, value: int) -> None:
    """Write the divide configuration: what counts goes on from where it is, at the new rate."""
    old, s[timer.tdcr] = divide_by(s[timer.tdcr]), value
    if mode_of(s[timer.lvtt]) != Mode.TSC_DEADLINE and s[timer.expires] >= 0:
        left = max(s[timer.expires] - s[timer.tsc], 0)
        s[timer.expires] = s[timer.tsc] + left * divide_by(value) // old


def write_deadline(s: list[int], timer: ApicTimer, value: int) -> None:
    """Write IA32_TSC_DEADLINE: arm, 0 disarms; ignored in the other modes."""
    if mode_of(s[timer.lvtt]) == Mode.TSC_DEADLINE:
        s[timer.expires] = value or -1


def read_deadline(s: Sequence[int], timer: ApicTimer) -> int:
    """Read IA32_TSC_DEADLINE: 0 unless it is armed, and in the other modes."""
    armed = mode_of(s[timer.lvtt]) == Mode.TSC_DEADLINE and s[timer.expires] >= 0
    return s[timer.expires] if armed else 0


def current_count(s: Sequence[int], timer: ApicTimer) -> int:
    """Read the current count: 0 in deadline mode, or if the timer is disarmed."""
    if mode_of(s[timer.lvtt]) == Mode.TSC_DEADLINE or s[timer.expires] < 0:
        return 0
    return timer.clock.counts(max(s[timer.expires] - s[timer.tsc], 0), divide_by(s[timer.tdcr]))


def due(s: Sequence[int], timer: ApicTimer) -> bool:
    """Whether the timer has reached its point in time."""
    return 0 <= s[timer.expires] <= s[timer.tsc]


def fire(s: list[int], timer: ApicTimer) -> int:
    """Take the expiry of a timer that is due: reload or disarm; return the vector, 0 if it is masked."""
    periodic = mode_of(s[timer.lvtt]) == Mode.PERIODIC and s[timer.tmict]
    s[timer.expires] = s[timer.expires] + period(s, timer) if periodic else -1
    return 0 if s[timer.lvtt] & MASKED else s[timer.lvtt] & 0xFF
