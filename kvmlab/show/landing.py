"""One instead of zero: where the exit of a preemption timer lands, by its value and by the TSC's phase.

x is the guest's instructions, one a cycle. The counter drops when bit X of the TSC changes, whenever the
entry was; a value of 0 has no tick to wait for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from textwrap import wrap

from kvmlab.scenarios.landing import RATE, landing
from kvmlab.schedulers.clock import Clock, Profile
from kvmlab.show import marks
from kvmlab.show.foot import foot_svg
from kvmlab.show.measure import width
from kvmlab.show.methods import count
from kvmlab.show.svg import arrow, document, group, line, rect, text

ROWS: dict[str, int | None] = {"timer 0": 0, "timer 1": 1, "timer 2": 2, "MTF": None}
"""What is on show, and the timer's value (None: the monitor trap flag)."""
PERIOD = 1 << RATE
"""Cycles of a tick."""
COLUMNS = 80
AT_ENTRY = Profile("an instruction a cycle, an entry that takes no time", {"VMENTRY": 0})


@dataclass(frozen=True, slots=True)
class Landing:
    """How many instructions the guest retired, and why it left."""

    name: str
    instructions: int
    reason: str


@lru_cache(256)
def landings(phase: int) -> tuple[Landing, ...]:
    """Return where each row's exit lands after an entry in this phase; raise BadInput if there is none."""
    return tuple(_landing(name, value, phase) for name, value in ROWS.items())


def _landing(name: str, value: int | None, phase: int) -> Landing:
    scenario = landing(value, phase, cap=4 * PERIOD)
    clock = Clock(scenario.system, AT_ENTRY, scenario.records["now"])
    guest = scenario.records["guest"]
    while not scenario.done(clock.state):
        clock.step()
    reason = scenario.system.layout.text(guest.vmcs.reason, clock.state)
    return Landing(name, clock.state[guest.insns], reason)


def foot(phase: int) -> str:
    """Return where 0 and 1 landed."""
    zero, one = landings(phase)[:2]
    return (
        f"TSC mod {PERIOD} = {phase} at the entry. Timer 0 leaves after {count(zero.instructions)},"
        f" timer 1 after {count(one.instructions)}."
    )


def landing_text(phase: int) -> str:
    """Return the picture in words, its foot last."""
    rows = [f"  {row.name:<9}{row.reason:<19}{count(row.instructions)}" for row in landings(phase)]
    head = f"Where the exit lands; a tick is a change of bit {RATE} of the TSC, {PERIOD} cycles"
    return "\n".join([head, "", *rows, "", *wrap(foot(phase), COLUMNS)])


# --- the picture ------------------------------------------------------------------------------

WIDTH, TOP, PITCH = 960, 72.0, 36.0
ZERO, SCALE = 150.0, 10.5
"""x of the entry, and pixels for an instruction."""
BOTTOM = TOP + PITCH * len(ROWS)
HEIGHT = int(BOTTOM) + 72
TICKS = range(0, 2 * PERIOD + 1, 8)


def landing_svg(phase: int) -> str:
    """Return the picture; its alternative text is the foot."""
    says = foot(phase)
    rows = (part for n, row in enumerate(landings(phase)) for part in _row(row, TOP + PITCH * n))
    body = (*_ground(phase), *rows, *foot_svg(says, HEIGHT - 32, WIDTH))
    return document(WIDTH, HEIGHT, "Where the exit lands", says, "".join(body))


def _x(instructions: float) -> float:
    return ZERO + SCALE * instructions


def _ground(phase: int) -> Iterator[str]:
    """Yield the door, the changes of the TSC's bit, and the axis."""
    yield text(6, 22, "Where the exit lands", big=True, bold=True)
    yield text(WIDTH - 6, 22, f"a tick: bit {RATE} of the TSC changes, every {PERIOD} cycles", anchor="end")
    for n in range(1, 2 * PERIOD + 1):
        if (phase + n) % PERIOD == 0:
            yield marks.flag(_x(n), TOP - 26, BOTTOM)
            yield text(_x(n) + 16, TOP - 18, "tick")
    yield from (line(x, TOP - 24, x, BOTTOM, thickness=2) for x in (ZERO - 9, ZERO - 5))
    yield text(ZERO - 16, TOP - 12, "VM entry", bold=True, anchor="end")
    yield line(ZERO, BOTTOM, _x(TICKS[-1]), BOTTOM)
    yield from (line(_x(n), BOTTOM, _x(n), BOTTOM + 5) for n in TICKS)
    yield from (text(_x(n), BOTTOM + 19, str(n), anchor="middle") for n in TICKS)
    yield text(ZERO - 12, BOTTOM + 19, "instructions", quiet=True, anchor="end")


def _row(row: Landing, y: float) -> Iterator[str]:
    middle, x = y + 12, _x(row.instructions)
    yield text(6, middle + 5, row.name, bold=True)
    if row.instructions:
        yield rect(ZERO, y + 4, x - ZERO, 16, "l1")
    yield arrow(x, y + 4, x, y + PITCH - 6, thickness=2)
    words = count(row.instructions)
    room = width(words) + 6
    yield group(rect(x + 6, middle - 7, room, 14, outline=0), text(x + 9, middle + 5, words))
