"""What KVM does with a guest's write to its timer: a change of mode, a count, a deadline; per kernel."""

from dataclasses import dataclass

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.kvm.timer_msrs import current_count
from kvmlab.kvm.timer_records import LapicTimer, TimedVcpu
from kvmlab.machine.call import link
from kvmlab.machine.state import Layout
from kvmlab.machine.system import Actor, System
from kvmlab.processor.apic_timer import MASKED, Mode
from kvmlab.scenarios.timer_parts import VECTOR, Host, parts

START, DEADLINE = 1_000, 50_000
BY_1 = 0xB


WRITERS = {"d": "set_tscdeadline", "l": "write_lvtt", "c": "write_tmict", "v": "write_tdcr"}
"""The function that handles a write, by the letter of its actor."""


@dataclass(slots=True)
class Bench:
    """A vCPU, and KVM's functions for a write of its guest's."""

    vcpu: TimedVcpu
    system: System
    s: list[int]

    @property
    def timer(self) -> LapicTimer:
        """KVM's timer."""
        return self.vcpu.timer

    def write(self, letter: str, value: int) -> None:
        """Let the kernel handle a write, from beginning to end."""
        cell, at = self.vcpu.guests[0].value, self.system.pc[letter]
        assert cell is not None
        self.s[cell], self.s[at] = value, 0
        while self.s[at] < len(self.system.places[letter]):
            self.s = list(self.system.take(tuple(self.s), letter))

    def holders(self) -> tuple[bool, bool]:
        """Which timers are armed: the hv timer, the hrtimer."""
        return bool(self.s[self.timer.in_use]), self.s[self.timer.hrtimer.expires] >= 0


def bench(name: str, mode: Mode, min_period: int = 0) -> Bench:
    """Return a vCPU whose timer is in ``mode``, on a host that starts at START."""
    layout, on = Layout(), kernel(name)
    host = Host(rate=0, start=START, min_period=min_period)
    vcpu = parts(layout, on, host, lvtt=mode << 17 | VECTOR).vcpu
    system = System(layout, [Actor(x, f, link(on.paths, on.paths[f]), vcpu) for x, f in WRITERS.items()])
    made = Bench(vcpu, system, list(system.start))
    made.write("v", BY_1)
    return made


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
    "v4.19": (False, False),
    "v6.1": (False, False),
}
"""Kernel -> who is armed still when the guest has left deadline mode with a deadline to come."""


@pytest.mark.parametrize("name", B_6_MODE)
def test_leaving_deadline_mode(name: str) -> None:
    """B.6: up to v4.11 only the hrtimer is cancelled: the hv timer keeps a deadline that is none any more."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.write("l", Mode.ONE_SHOT << 17 | VECTOR)
    assert made.holders() == B_6_MODE[name]


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


@pytest.mark.parametrize("name", ["v4.7", "v4.10", "v4.19", "v6.1"])
def test_each_mode_is_deaf_to_the_other_register(name: str) -> None:
    """A count is ignored in deadline mode."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("c", 10_000)
    assert made.holders() == (False, False) and current_count(made.s, made.vcpu) == 0


def test_a_period_has_a_minimum() -> None:
    """min_timer_period_us holds for periodic counts only."""
    for mode, cycles in ((Mode.PERIODIC, 7_000), (Mode.ONE_SHOT, 500)):
        made = bench("v6.1", mode, min_period=7_000)
        made.write("c", 500)
        assert made.s[made.timer.period] == cycles
